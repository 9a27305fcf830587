"""The on-call page in Debian's Chromium, served by Faust's own web server."""

from __future__ import annotations

import time

from playwright.async_api import BrowserContext, expect

from agents.following import Progress
from tests.builders import SECOND, risk_assessed

from .browsing import OVERFLOW, barriers, context, in_chromium, opened, served
from .events import (
    acknowledged,
    breaker_tripped,
    heard,
    stream_updated,
    takedown_requested,
    unwatched,
)
from .serving import Served

__all__ = ["context", "served"]

HOUR = 3600 * SECOND
SCREEN = 740
"""Pixels, of a phone's height."""
LONG_NAME = "a-stream-whose-name-nobody-thought-would-be-this-long-" * 3

pytestmark = [*in_chromium]


def takes_down(served: Served, stream_id: str) -> None:
    now_us = served.now_us = time.time_ns() // 1000
    for event in (
        heard(stream_id=stream_id, captured_at=now_us),
        risk_assessed(stream_id=stream_id, risk=0.97),
        takedown_requested(stream_id=stream_id),
    ):
        served.read_model.apply(event, now_us)


async def test_rows_appear_by_themselves_on_a_narrow_screen(
    served: Served, context: BrowserContext
) -> None:
    """So does what comes of them; nothing overflows 360 px, and the console stays silent."""
    page, complaints = await opened(context, served)
    await expect(page.get_by_text("No streams yet.")).to_be_visible()

    takes_down(served, LONG_NAME)

    row = page.get_by_role("row").filter(has_text=LONG_NAME)
    await expect(row.get_by_role("cell", name="takedown requested")).to_be_visible()

    served.read_model.apply(acknowledged(stream_id=LONG_NAME), served.now_us)
    served.controls.apply(breaker_tripped(expires_at=served.now_us + HOUR))

    await expect(row.get_by_role("cell", name="■ stopped")).to_be_visible()
    await expect(page.get_by_text("The breaker is open until")).to_be_visible()
    await expect(page.get_by_text("Live.", exact=True)).to_be_visible()
    assert await page.evaluate(OVERFLOW) == 0
    assert complaints == []


async def test_a_lost_feed_and_a_lost_worker_are_both_said(
    served: Served, context: BrowserContext
) -> None:
    """What was known stays on the page, marked as not current."""
    takes_down(served, "stream-1")
    page, _ = await opened(context, served)

    served.feed.progress = Progress.LOST
    await expect(page.get_by_text("Connection to Kafka lost.")).to_be_visible()
    await served.app.web.stop()

    await expect(page.get_by_text("Worker not reached.")).to_be_visible(timeout=20_000)
    await expect(page.get_by_role("rowheader", name="stream-1")).to_be_visible()


async def test_news_leave_somebody_on_the_page_they_are_at(
    served: Served, context: BrowserContext
) -> None:
    """What is typed and not searched for changes nothing; a search begins with its first page."""
    served.now_us = time.time_ns() // 1000
    for number in range(120):
        served.read_model.apply(stream_updated(stream_id=f"s-{number:03}"), served.now_us)
    page, complaints = await opened(context, served)
    await page.get_by_role("button", name="Next").click()
    await expect(page.get_by_text("Page 2 of 3")).to_be_visible()
    await page.fill("#text", "s-11")

    takes_down(served, "s-119")
    await expect(page.get_by_text("1 at risk")).to_be_visible()
    await expect(page.get_by_text("Page 2 of 3")).to_be_visible()
    await expect(page.get_by_role("rowheader", name="s-049")).to_be_visible()
    assert page.url.endswith("/?page=2")

    await page.press("#text", "Enter")
    await expect(page.get_by_role("rowheader", name="s-119")).to_be_visible()
    await expect(page.get_by_role("rowheader", name="s-110")).to_be_visible()
    assert "page" not in page.url
    assert complaints == []


async def test_on_a_phone_the_first_stream_is_in_sight(
    served: Served, context: BrowserContext
) -> None:
    """What is going on comes first; counts and filters are folded, by keyboard too."""
    takes_down(served, "stream-1")
    served.read_model.apply(unwatched(stream_id="dark", session_id="dark"), served.now_us)
    page, complaints = await opened(context, served)

    row = page.get_by_role("row").filter(has_text="dark")
    box = await row.bounding_box()
    assert box is not None
    assert box["y"] < SCREEN / 2
    await expect(page.get_by_text("1 unwatched, 1 at risk")).to_be_visible()
    chip = page.get_by_role("button", name="Takedown requested 1")
    await expect(chip).to_be_hidden()

    await page.get_by_text("Counts and filters").focus()
    await page.keyboard.press("Enter")
    await expect(chip).to_be_visible()
    second = takedown_requested(stream_id="stream-2", takedown_id="t-2")
    served.read_model.apply(second, served.now_us)
    await expect(page.get_by_role("button", name="Takedown requested 2")).to_be_visible()
    assert await barriers(page) == []
    await page.set_viewport_size({"width": 1280, "height": SCREEN})
    await expect(page.get_by_text("Counts and filters")).to_be_hidden()
    await expect(page.get_by_role("button", name="Takedown requested 2")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("button", name="Takedown requested 2")).to_be_visible()
    assert await barriers(page) == []
    assert complaints == []
