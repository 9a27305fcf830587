"""Pages that stay open: many of them, for long, through refusals and workers that come and go."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack

from aiohttp import ClientSession
from playwright.async_api import BrowserContext, Page, expect

from agents.oncall.handles import handle_of
from agents.oncall.live import Listeners
from tests import signed_in
from tests.waiting import wait_until_async

from .browsing import context, free_port, in_chromium, opened, serve_at, served
from .events import escalation_raised, incident_closed, stream_updated
from .serving import Served

__all__ = ["context", "served"]

pytestmark = [*in_chromium]

LIMIT = 60.0
LIMIT_MS = LIMIT * 1000
OF_A_HOST = 6
"""Connections that a browser has, over HTTP/1.1."""
OF_A_PERSON = 12
"""Connections for events that the server gives a person."""
SAID = """() => {
    const note = document.getElementById("refresh");
    window.said = [note.textContent];
    new MutationObserver(() => said.push(note.textContent))
        .observe(note, { childList: true, characterData: true, subtree: true });
}"""


async def turn(page: Page, state: str) -> None:
    """The tab is behind others (``hidden``), or is not any more (``visible``).

    Playwright makes every tab take itself for the one in front, whichever is.
    """
    await page.evaluate(
        """state => {
            const tell = (name, value) =>
                Object.defineProperty(document, name, { value, configurable: true });
            tell("visibilityState", state);
            tell("hidden", state === "hidden");
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        state,
    )


def appear(served: Served, stream_id: str) -> None:
    served.now_us = time.time_ns() // 1000
    served.read_model.apply(stream_updated(stream_id=stream_id), served.now_us)


async def expect_live(page: Page) -> None:
    await expect(page.get_by_text("Live.", exact=True)).to_be_visible(timeout=LIMIT_MS)


async def expect_stream(page: Page, stream_id: str) -> None:
    await expect(page.get_by_role("rowheader", name=stream_id)).to_be_visible(timeout=LIMIT_MS)


async def test_more_tabs_may_be_open_than_a_browser_has_connections(
    served: Served, context: BrowserContext
) -> None:
    """Those behind hold none, and are renewed as soon as they come to the front."""
    first, complaints = await opened(context, served)
    await expect_live(first)
    for _ in range(OF_A_HOST + 1):
        await turn(context.pages[-1], "hidden")
        tab = await context.new_page()
        await tab.goto(first.url)
        await expect_live(tab)
    assert len(context.pages) > OF_A_HOST

    await turn(context.pages[-1], "hidden")
    appear(served, "meanwhile")
    await turn(first, "visible")
    await expect_stream(first, "meanwhile")
    assert complaints == []


async def test_that_a_connection_has_an_end_is_no_trouble(context: BrowserContext) -> None:
    """Another follows it, and nothing is said."""
    served = serve_at(free_port(), listeners=Listeners(lasts_seconds=1.0))
    async with served.app.web:
        page, complaints = await opened(context, served)
        await expect_live(page)
        await page.evaluate(SAID)
        connections: list[str] = []
        page.on("request", lambda it: connections.append(it.url) if "/events" in it.url else None)
        await wait_until_async(lambda: len(connections) > 3, LIMIT)
        appear(served, "later")
        await expect_stream(page, "later")
        assert set(await page.evaluate("said")) == {"Live."}
        assert complaints == []


async def test_a_page_that_is_told_nothing_asks_by_itself(
    served: Served, context: BrowserContext
) -> None:
    """Whoever has too many pages open is refused to be told, for as long as that lasts."""
    async with AsyncExitStack() as others:
        others_pages = await others.enter_async_context(ClientSession(headers=signed_in.headers()))
        url = f"http://127.0.0.1:{served.app.conf.web_port}/events"
        for _ in range(OF_A_PERSON):
            await others.enter_async_context(others_pages.get(url))
        page, _ = await opened(context, served)
        await expect(page.get_by_text("No live updates: renewed every 10 s.")).to_be_visible(
            timeout=LIMIT_MS
        )
        appear(served, "asked-for")
        await expect_stream(page, "asked-for")
    await expect_live(page)


async def test_a_page_goes_on_with_the_worker_that_comes_next(
    served: Served, context: BrowserContext
) -> None:
    """What was known stays until then, marked as not current."""
    appear(served, "before")
    page, _ = await opened(context, served)
    await expect_live(page)
    await served.app.web.stop()
    await expect(page.get_by_text("Worker not reached.")).to_be_visible(timeout=LIMIT_MS)
    await expect_stream(page, "before")

    following = serve_at(served.app.conf.web_port)
    async with following.app.web:
        appear(following, "after")
        await expect_stream(page, "after")
        await expect_live(page)


async def test_who_is_signed_out_is_told_so_where_they_are(
    served: Served, context: BrowserContext
) -> None:
    """What they look at stays, and a link leads to where they sign in and back."""
    appear(served, "in-sight")
    page, _ = await opened(context, served, "/?sort=risk")
    await expect_live(page)
    other = await context.new_page()
    await other.goto(page.url)
    await other.get_by_role("button", name="Sign out").click()

    link = page.get_by_role("link", name="Sign in again")
    await expect(link).to_be_visible(timeout=LIMIT_MS)
    assert await link.get_attribute("href") == "/sign-in?next=%2F%3Fsort%3Drisk"
    await expect_stream(page, "in-sight")


async def test_the_title_says_how_many_incidents_are_open(
    served: Served, context: BrowserContext
) -> None:
    """So that a tab behind others says it too."""
    who = {"stream_id": "one", "session_id": "one"}
    page, complaints = await opened(context, served)
    await page.clock.install()
    await page.goto(page.url)
    await expect(page).to_have_title("Now · Firebreak")
    served.read_model.apply(escalation_raised(**who), served.now_us)
    await expect(page).to_have_title("(1) Now · Firebreak")

    await turn(page, "hidden")
    served.read_model.apply(escalation_raised(escalation_id="e-2"), served.now_us)
    await page.clock.fast_forward(60_000)
    await expect(page).to_have_title("(2) Now · Firebreak")
    for it in (who, {}):
        closed = incident_closed(closure_id=f"c-{len(it)}", outcome="rejected", **it)
        served.read_model.apply(closed, served.now_us + 1)
    await page.clock.fast_forward(60_000)
    await expect(page).to_have_title("Now · Firebreak")
    assert complaints == []


async def test_a_page_whose_past_takes_long_to_read_is_waited_for(
    served: Served, context: BrowserContext
) -> None:
    """It is no worker that is not reached."""
    appear(served, "stream-1")
    page, complaints = await opened(context, served, f"/streams/{handle_of('stream-1')}")
    served.room.history_seconds = 6.0
    served.read_model.apply(escalation_raised(), served.now_us)
    await expect(page.locator("dd .state")).to_have_text("escalated", timeout=LIMIT_MS)
    assert complaints == []
