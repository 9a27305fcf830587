"""Timeline and referral as pages: nothing in them can act, and they can be read and printed."""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, async_playwright, expect

from schemas import Event
from tests.builders import frame_sampled
from topology.incident.evidence import cited
from topology.incident.export import files_of_incident
from topology.incident.folder import write_folder

from .incidents import Story, frame_ref, record

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGES = ("timeline.html", "referral.html")
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}\u202e'
LONG_NAME = "a-stream-whose-name-nobody-thought-would-be-this-long-" * 3
STRIPE_COLOUR = b".1216 .3059 .3725 rg"
"""Of the stripe that marks a drill, ``--drill`` in the style, as a PDF sets it."""

in_chromium = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no {CHROMIUM}")


def files(story: Story) -> dict[str, bytes]:
    """The files of an incident with nine frames, of which some are gone and one is video."""
    whole = record(*story.whole(), given_id=story.incident_id)
    wanted = cited(whole)
    found = {
        each.coordinates: frame_sampled(codec="h264" if number == 2 else "jpeg")
        if number % 4
        else "no longer kept"
        for number, each in enumerate(wanted)
    }
    return files_of_incident(whole, wanted, found)[1]


def story(stream_id: str = "stream-1", *, drill: bool = False) -> Story:
    return Story(stream_id, drill=drill, evidence=[frame_ref(number) for number in range(9)])


@pytest.mark.parametrize("name", PAGES)
def test_what_comes_from_outside_can_not_act_in_a_page(name: str) -> None:
    """No tag, template or mark of writing direction gets through, wherever it is put."""
    told = Story(HOSTILE, HOSTILE, evidence=[frame_ref(topic=HOSTILE)])
    events: list[Event] = [
        told.started(account_id=HOSTILE, category=HOSTILE, region=HOSTILE, shard_id=HOSTILE),
        told.escalation(rule=HOSTILE, explanation=HOSTILE, routes=[HOSTILE], bundle=HOSTILE),
        told.takedown(account_id=HOSTILE, policy=HOSTILE),
        told.acknowledgement(service=HOSTILE, detail=HOSTILE, outcome=HOSTILE),
        told.referral(recipient=HOSTILE, operator=HOSTILE),
        told.answer(operator=HOSTILE, reason=HOSTILE),
    ]
    whole = record(*events)
    wanted = cited(whole)

    _, written = files_of_incident(whole, wanted, {wanted[0].coordinates: HOSTILE})

    page = written[name].decode()
    assert "<script" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert ">49" not in page
    assert "\\u202e" in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_nothing_and_shows_no_frame(name: str) -> None:
    """Whoever opens it must not be met by such a picture; each frame that is there is linked."""
    page = files(story())[name].decode()

    assert re.findall(r"\bsrc=|@import|url\(|https?:", page) == []
    assert "default-src 'none'" in page
    assert len(re.findall(r'<a href="evidence/frame-\d{4}\.(jpg|h264)">', page)) == 6
    assert page.count("<strong>gone</strong>: no longer kept") == 3


@pytest.mark.parametrize("name", PAGES)
def test_only_a_drill_is_marked_as_one(name: str) -> None:
    drill, real = (files(story(drill=given))[name].decode() for given in (True, False))

    assert "<title>DRILL · " in drill
    assert "<strong>DRILL.</strong>" in drill
    assert "DRILL" not in real


def test_a_referral_that_nobody_asked_for_says_so_at_the_top() -> None:
    whole = record(story().escalation())
    wanted = cited(whole)
    gone = {each.coordinates: "no longer kept" for each in wanted}

    page = files_of_incident(whole, wanted, gone)[1]["referral.html"].decode()

    assert "Prepared for nobody." in page
    assert "Nobody yet." in page
    assert "Nobody asked for the stream to be stopped." in page


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[BrowserContext]:
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=CHROMIUM,
            args=ARGUMENTS,
            viewport={"width": 360, "height": 740},
        )
        yield context
        await context.close()


@in_chromium
async def test_pages_fit_a_narrow_screen_and_the_console_stays_silent(
    context: BrowserContext, tmp_path: Path
) -> None:
    """A name without end wraps; the page's own policy lets its style through."""
    folder = tmp_path / "incident"
    write_folder(folder, "id", files(story(LONG_NAME, drill=True)))
    page = context.pages[0]
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    for name in PAGES:
        await page.goto((folder / name).as_uri())
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(overflow) == 0
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await expect(page.get_by_role("columnheader", name="Frame", exact=True)).to_be_attached()
        stripe = await page.locator(".stripe").bounding_box()
        text = await page.locator("main").bounding_box()
        assert stripe is not None
        assert text is not None
        assert stripe["x"] + stripe["width"] <= text["x"]
    assert complaints == []


@in_chromium
@pytest.mark.parametrize("drill", [True, False], ids=["drill", "no-drill"])
async def test_on_paper_every_page_of_a_drill_is_marked(
    context: BrowserContext, tmp_path: Path, drill: bool
) -> None:
    """Pages get separated: each bears the stripe, and none where it may be real."""
    folder = tmp_path / "incident"
    write_folder(folder, "id", files(story(drill=drill)))
    page = context.pages[0]

    for name in PAGES:
        await page.goto((folder / name).as_uri())
        printed = await page.pdf(prefer_css_page_size=True)

        pages = len(re.findall(rb"/Type /Page\b", printed))
        assert pages > 1
        assert sum(STRIPE_COLOUR in stream for stream in _streams(printed)) == drill * pages


def _streams(pdf: bytes) -> list[bytes]:
    """The compressed streams of ``pdf``, unpacked; what is drawn on a page is one."""
    found = re.findall(rb"/FlateDecode.*?stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    return [zlib.decompress(stream) for stream in found]
