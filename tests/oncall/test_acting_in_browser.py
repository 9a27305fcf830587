"""Acting with a keyboard alone, on a narrow screen; and what axe finds on the pages for it."""

from __future__ import annotations

from uuid import uuid4

import pytest
from playwright.async_api import BrowserContext, Page, expect

from agents.oncall.handles import handle_of
from tests.builders import SECOND

from .browsing import OVERFLOW, barriers, context, in_chromium, opened, served
from .events import NOW, answered, commanded, drill_ordered, escalation_raised, stream_updated
from .serving import Served

__all__ = ["context", "served"]

HANDLE = handle_of("stream-1")
ORDER_ID = str(uuid4())
TABS = 60
_FOCUSED = "document.activeElement.innerText || document.activeElement.id"

pytestmark = [*in_chromium]


@pytest.fixture(autouse=True)
def _escalated(served: Served) -> None:
    for number in (1, 2):
        who = {"stream_id": f"stream-{number}", "session_id": f"session-{number}"}
        raised = {"escalation_id": f"e-{number}", "incident_id": f"incident-{number}"}
        for event in (
            stream_updated(**who),
            escalation_raised(answer_by=NOW + 300 * SECOND, **raised, **who),
        ):
            served.read_model.apply(event, NOW)


async def tab_to(page: Page, name: str) -> None:
    """Press the tabulator until the element that is called ``name`` has the focus."""
    for _ in range(TABS):
        await page.keyboard.press("Tab")
        if name in await page.evaluate(_FOCUSED):
            return
    raise AssertionError(f"no {name!r} within {TABS} tabs")


async def test_an_order_is_given_by_keyboard_alone(served: Served, context: BrowserContext) -> None:
    """From the queue to the order in effect, which shows without anything being pressed."""
    page, complaints = await opened(context, served, "/incidents")
    await tab_to(page, "stream-1")
    await page.keyboard.press("j")
    await page.keyboard.press("r")
    await expect(
        page.get_by_role("heading", name="Reject: not an attack: stream-2")
    ).to_be_visible()

    await tab_to(page, "reason")
    await page.keyboard.type("a film set")
    await tab_to(page, "Reject: not an attack")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("not in effect yet")).to_be_visible()

    (order,) = served.given
    assert (order.command, order.stream_id) == ("verdict-false", "stream-2")
    assert (order.reason, order.session_id) == ("a film set", "session-2")
    served.read_model.apply(order, NOW)
    await expect(page.get_by_text("In Kafka since")).to_be_visible()
    served.read_model.apply(
        answered("verdict-false", command_id=order.command_id, state_before="escalated"), NOW
    )
    await expect(page.get_by_text("Took effect at")).to_be_visible()
    assert complaints == []


async def test_a_letter_that_is_typed_is_no_order(served: Served, context: BrowserContext) -> None:
    """Letters give orders while an incident has the focus, and nowhere else."""
    page, _ = await opened(context, served, "/incidents")
    await page.keyboard.press("a")
    await page.keyboard.press("r")
    assert page.url.endswith("/incidents")


PAGES = [
    "/incidents",
    "/incidents?closed=yes",
    f"/streams/{HANDLE}/act/takedown",
    f"/streams/{HANDLE}/act/suppress",
    "/control",
    "/control/act/hold-takedowns",
    "/control/drill",
    f"/orders/{ORDER_ID}",
    f"/orders/{uuid4()}?sent={NOW}",
    "/audit",
]


async def test_nobody_is_kept_out(served: Served, context: BrowserContext) -> None:
    """axe finds nothing on any of the pages, and none is wider than 360 px, in the dark too."""
    for event in (
        commanded(command_id=ORDER_ID),
        answered(command_id=ORDER_ID, stream_id="stream-3"),
        drill_ordered(ordered_at=NOW, until=NOW + 60 * SECOND),
    ):
        served.read_model.apply(event, NOW)
    hold = commanded("hold-takedowns", scope="region:NZ", issued_at=NOW, until=NOW + 60 * SECOND)
    served.controls.apply(hold)
    for path in PAGES:
        page, complaints = await opened(context, served, path)
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            assert (path, scheme, await barriers(page)) == (path, scheme, [])
        assert (path, await page.evaluate(OVERFLOW), complaints) == (path, 0, [])


async def test_what_is_wrong_is_found_by_keyboard(served: Served, context: BrowserContext) -> None:
    """Each problem leads to its field, and axe finds nothing on a form that has some."""
    page, _ = await opened(context, served, f"/streams/{HANDLE}/act/suppress")
    await page.fill("#reason", "   ")
    await page.get_by_role("button", name="Suppress").press("Enter")
    await page.get_by_role("alert").get_by_role("link", name="Say why").press("Enter")
    await page.keyboard.type("a film set")
    assert await page.input_value("#reason") != "   "
    assert await barriers(page) == []
