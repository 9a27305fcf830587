"""The topology on a narrow screen: what axe finds, what renews itself, redriving by keyboard."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, expect

from tests.builders import SECOND

from .browsing import OVERFLOW, barriers, context, in_chromium, opened, served
from .events import NOW, dead_lettered, redriven, worker_reported
from .serving import Served

__all__ = ["context", "served"]

pytestmark = [pytest.mark.e2e, *in_chromium]

PAGES = ("/topology", "/topology/letters/d-0", "/topology/redrive")


@pytest.fixture
def told(served: Served) -> Served:
    """Two workers, one of them silent and troubled, and dead letters of each kind."""
    for number in range(3):
        letter = {"dead_letter_id": f"d-{number}", "offset": number, "attempt": 1 + number}
        served.read_model.apply(dead_lettered(**letter), NOW)
    served.read_model.apply(redriven(dead_letter_id="d-1"), NOW)
    served.read_model.apply(worker_reported(), NOW)
    troubled = worker_reported(worker_id="worker-2", errors=["bundle: gone"], not_ready=["tables"])
    served.read_model.apply(troubled, NOW - 20 * SECOND)
    return served


@pytest.mark.parametrize("path", PAGES)
async def test_nobody_is_kept_out(told: Served, context: BrowserContext, path: str) -> None:
    """axe finds nothing, opened or not, and no page is wider than 360 px, in the dark too."""
    page, complaints = await opened(context, told, path)
    await page.evaluate("for (const it of document.querySelectorAll('details')) it.open = true")
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        assert (scheme, await barriers(page)) == (scheme, [])
    assert (await page.evaluate(OVERFLOW), complaints) == (0, [])


async def test_what_was_opened_stays_open_as_the_page_renews(
    told: Served, context: BrowserContext
) -> None:
    page, _ = await opened(context, told, "/topology")
    if not await page.evaluate("typeof htmx === 'object'"):
        pytest.skip("htmx is not there: deploy/web/install puts it in place")
    await page.get_by_text("with their rates").click()
    told.read_model.apply(dead_lettered(dead_letter_id="new", cause="empty-payload"), NOW)
    await expect(page.get_by_role("link", name="empty-payload")).to_be_visible()
    assert await page.locator("section:has(#topics) details").get_attribute("open") is not None


async def test_a_letter_is_redriven_by_keyboard(told: Served, context: BrowserContext) -> None:
    """It has taken effect once its note came back from the topic, and shows so by itself."""
    page, complaints = await opened(context, told, "/topology")
    await page.get_by_role("link", name="Redrive 1 of these").press("Enter")
    await page.get_by_label("Why").press("m")
    await page.keyboard.type("ended")
    await page.get_by_role("button", name="Redrive 1").press("Enter")
    await expect(page.get_by_text("Put back: 1, not heard of yet.")).to_be_visible()

    (order,) = told.dead_letters.ordered
    assert (order.reason, [it.event.dead_letter_id for it in order.letters]) == ("mended", ["d-0"])
    told.read_model.apply(redriven(dead_letter_id="d-0", order_id=order.order_id), NOW)
    if await page.evaluate("typeof htmx !== 'object'"):
        await page.reload()
    await expect(page.get_by_text("1 record put back")).to_be_visible()
    assert complaints == []
