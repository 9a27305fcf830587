"""The on-call view of the running topology in a browser: a drill, and people who act on it.

The tests share the workers, and run in order: what one orders, the next one meets.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect
from yarl import URL

from agents.oncall.access.roles import Role as WebRole
from agents.oncall.handles import handle_of
from schemas import EscalationRaised, RiskAssessed, StreamUpdated, TakedownRequested
from tests import signed_in
from tests.brokers import BrokerKind
from tests.e2e.support import Reader, running_stack
from tests.oncall.browsing import ARGUMENTS, CHROMIUM, barriers, in_chromium
from tests.waiting import wait_until_async
from topology.app import Role
from topology.stack import Stack

pytestmark = [pytest.mark.e2e, *in_chromium]
LIMIT = 60.0
LIMIT_MS = LIMIT * 1000
AT_ONCE = 1.0
"""Seconds within which the drill that shows soonest does: on a machine that is shared, others may
take longer. How long each took is printed."""
SHOWN: dict[str, float] = {}
"""Seconds from a drill's first risk until a page that was open showed it, by its stream."""
_NOTE_WHEN_SHOWN = r"""() => {
  window.firstShown = {};
  const look = () => {
    for (const row of document.querySelectorAll("tr[id^='s-']")) {
      const risk = row.querySelector("[data-label=Risk]");
      const shows = risk !== null && /\d\.\d\d/.test(risk.textContent);
      if (shows && !(row.id in window.firstShown)) window.firstShown[row.id] = Date.now();
    }
  };
  const changes = { subtree: true, childList: true, characterData: true };
  new MutationObserver(look).observe(document.getElementById("live"), changes);
}"""
PAGES = ("/", "/incidents", "/control", "/topology", "/audit")


@pytest.fixture(scope="module")
def stack(broker_kind: BrokerKind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("oncall"), broker_kind) as running:
        yield running


class People:
    """Somebody of each role, each with a browser of their own."""

    def __init__(self, browser: Browser, url: str, stack: AsyncExitStack) -> None:
        self._browser = browser
        self._stack = stack
        self.url = url

    async def __call__(
        self, role: WebRole, path: str = "/", complaints: list[str] | None = None
    ) -> Page:
        """A page as ``role`` sees it; what its console complains of goes into ``complaints``."""
        context = await self._browser.new_context()
        self._stack.push_async_callback(context.close)
        await context.add_cookies([signed_in.cookie(self.url, role)])
        page = await context.new_page()
        page.set_default_timeout(LIMIT_MS)
        if complaints is not None:
            page.on("console", lambda message: complaints.append(message.text))
        await page.goto(f"{self.url}{path}")
        return page


@pytest.fixture
async def people(stack: Stack) -> AsyncIterator[People]:
    async with async_playwright() as playwright, AsyncExitStack() as running:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        running.push_async_callback(browser.close)
        yield People(browser, stack.fleet.web_urls[Role.JUDGEMENT], running)


def page_of(page: Page, path: str) -> str:
    """Where ``path`` is on the worker that ``page`` is from."""
    return str(URL(page.url).join(URL(path)))


async def give(page: Page, path: str, button: str, reason: str, **fields: str) -> None:
    """Fill in the order's form at ``path`` and send it."""
    await page.goto(page_of(page, path))
    for name, value in fields.items():
        await page.fill(f"#{name}", value)
    await page.fill("#reason", reason)
    await page.get_by_role("button", name=re.compile(f"^{button}")).click()


async def drill(admin: Page, reason: str) -> str:
    """Start one, once none runs, and tell its stream."""
    await admin.goto(page_of(admin, "/control"))
    await expect(admin.get_by_role("link", name="Start a drill")).to_be_visible()
    await give(admin, "/control/drill", "Start", reason)
    part = admin.locator("#drill-part")
    await expect(part).to_contain_text(reason)
    return await part.locator("bdi").filter(has_text="drill-").inner_text()


async def watch(people: People) -> Page:
    """Now, as a viewer has it open, which notes when each row first shows a risk."""
    viewer = await people(WebRole.VIEWER)
    await expect(viewer.get_by_text("Live.", exact=True)).to_be_visible()
    await viewer.evaluate(_NOTE_WHEN_SHOWN)
    return viewer


async def note(stack: Stack, viewer: Page, stream: str) -> None:
    """How long it took from when Kafka had the stream's first risk until ``viewer`` showed it: one
    machine, and one clock."""
    with Reader(stack.bootstrap, RiskAssessed) as risks:

        def appended() -> list[int]:
            told = zip(risks.events(), risks.messages, strict=True)
            return [message.timestamp()[1] for it, message in told if it.stream_id == stream]

        await wait_until_async(lambda: bool(appended()), LIMIT)
        first = min(appended())
    row = f"s-{handle_of(stream)}"
    await viewer.wait_for_function("row => row in window.firstShown", arg=row)
    shown_at = await viewer.evaluate("row => window.firstShown[row]", row)
    SHOWN[stream] = (shown_at - first) / 1000
    print(f"{stream}: shown {SHOWN[stream]:.2f} s after its first risk")


async def test_a_drill_shows_by_itself_and_its_page_has_the_plot(
    stack: Stack, people: People
) -> None:
    """Whoever looks need not press anything, from the first sign to the takedown."""
    viewer = await watch(people)
    stream = await drill(await people(WebRole.ADMIN), "the weekly drill")
    await note(stack, viewer, stream)

    row = viewer.get_by_role("row").filter(has_text="drill")
    await expect(row.get_by_text("takedown requested", exact=True)).to_be_visible(timeout=LIMIT_MS)
    await row.get_by_role("link").click()
    await expect(viewer.locator("#plot canvas")).to_be_visible(timeout=LIMIT_MS)
    some = re.compile(r"^[1-9]\d*$")
    for drawn in ("data-series", "data-bounds", "data-marks"):
        await expect(viewer.locator("#plot")).to_have_attribute(drawn, some, timeout=LIMIT_MS)
    await viewer.evaluate("document.querySelector('#plot canvas').dataset.drawn = 'once'")
    for _ in range(2):  # the first of them is on the page once the second is asked for
        async with viewer.expect_response(re.compile(r"/streams/[0-9a-f]+$")):
            pass
    await expect(viewer.locator("#plot canvas[data-drawn]")).to_be_visible()
    await expect(viewer.get_by_role("heading", name="What the rules measure now")).to_be_visible()
    await expect(
        viewer.get_by_text("To act on a stream you need the responder role.")
    ).to_be_visible()


async def test_nobody_acts_who_may_not_or_whose_request_is_forged(
    stack: Stack, people: People
) -> None:
    """A viewer has no form, and a form without our proof is nobody's."""
    viewer = await people(WebRole.VIEWER)
    found = await viewer.get_by_role("row").filter(has_text="drill").get_by_role("link").all()
    act = f"{await found[0].get_attribute('href')}/act/release"
    assert (await viewer.goto(f"{people.url}{act}")).status == 403  # type: ignore[union-attr]

    responder = await people(WebRole.RESPONDER, act)
    form = responder.locator("form.order")
    fields: dict[str, Any] = {
        name: await form.locator(f"[name={name}]").input_value()
        for name in ("csrf", "order_id", "session")
    }
    fields["reason"] = "forged"
    for proof in ({}, {"csrf": "0" * 64}, {"csrf": fields["csrf"][::-1]}):
        forged: dict[str, Any] = {**fields, **proof}
        if not proof:
            del forged["csrf"]
        answer = await responder.request.post(
            f"{people.url}{act}", form=forged, headers={"Origin": people.url}, max_redirects=0
        )
        assert answer.status == 403
    foreign = await responder.request.post(
        f"{people.url}{act}",
        form=fields,
        headers={"Origin": "https://evil.example"},
        max_redirects=0,
    )
    assert foreign.status == 403
    control = await people(WebRole.RESPONDER, "/control/act/hold-takedowns")
    await expect(control.get_by_text("admin").first).to_be_visible()


async def test_a_responder_releases_the_drill_and_the_release_holds(
    stack: Stack, people: People
) -> None:
    """It shows when it took effect; what goes on in the stream changes nothing."""
    viewer = await watch(people)
    stream = await drill(await people(WebRole.ADMIN), "to be released")
    handle = handle_of(stream)
    responder = await people(WebRole.RESPONDER)
    with (
        Reader(stack.bootstrap, RiskAssessed) as risks,
        Reader(stack.bootstrap, TakedownRequested) as takedowns,
        Reader(stack.bootstrap, StreamUpdated) as updates,
    ):

        def of(reader: Reader) -> list[Any]:
            return [it for it in reader.events() if it.stream_id == stream]

        await wait_until_async(lambda: bool(of(takedowns)), LIMIT)
        await give(responder, f"/streams/{handle}/act/release", "Release", "it is our own drill")
        await expect(responder.get_by_text("Took effect at")).to_be_visible()
        await note(stack, viewer, stream)
        judged = len(of(risks))
        await wait_until_async(lambda: "ended" in [it.change for it in of(updates)], LIMIT)
        await wait_until_async(lambda: len(of(risks)) > judged, LIMIT)
        assert len({it.takedown_id for it in of(takedowns)}) == 1
    await responder.goto(f"{people.url}/streams/{handle}")
    await expect(responder.locator("dd .state")).to_have_text("released")
    await expect(responder.get_by_text("it is our own drill").first).to_be_visible()


async def test_a_kill_switch_turns_the_next_takedown_into_an_escalation(
    stack: Stack, people: People
) -> None:
    """The same drill again, and this time people are asked."""
    admin = await people(WebRole.ADMIN)
    await give(admin, "/control/act/hold-takedowns", "Hold", "trying the switch", scope="all")
    await expect(admin.get_by_text("Took effect at")).to_be_visible()
    await expect(admin.get_by_text("Takedowns are held back for")).to_be_visible()
    viewer = await watch(people)
    stream = await drill(admin, "once more")
    await note(stack, viewer, stream)
    with (
        Reader(stack.bootstrap, EscalationRaised) as escalations,
        Reader(stack.bootstrap, TakedownRequested) as takedowns,
    ):

        def held() -> list[EscalationRaised]:
            told = "Not taken down by itself"
            return [it for it in escalations.events() if told in it.explanation]

        await wait_until_async(lambda: bool(held()), LIMIT)
        assert {it.stream_id for it in held()} == {stream}
        await wait_until_async(lambda: bool(takedowns.events()), LIMIT)
        assert stream not in {it.stream_id for it in takedowns.events()}
    await admin.goto(f"{people.url}/incidents")
    await expect(admin.get_by_role("row").filter(has_text=stream)).to_contain_text("escalated")
    await give(admin, "/control/drill/stop", "Stop", "seen enough")


def test_a_drill_shows_within_a_second_of_its_first_risk() -> None:
    """Those of the tests before this one, on a page that was open."""
    assert SHOWN
    assert min(SHOWN.values()) <= AT_ONCE, SHOWN


async def test_no_page_of_a_running_topology_keeps_anybody_out(
    stack: Stack, people: People
) -> None:
    """axe finds nothing, and nothing is loaded or run that may not be."""
    now = await people(WebRole.ADMIN)
    found = await now.get_by_role("row").filter(has_text="drill").get_by_role("link").all()
    for path in (*PAGES, str(await found[0].get_attribute("href"))):
        complaints: list[str] = []
        page = await people(WebRole.ADMIN, path, complaints)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        if path not in PAGES:
            await expect(page.locator("#plot[data-series]")).to_be_visible(timeout=LIMIT_MS)
        assert (path, await barriers(page), complaints) == (path, [], [])
