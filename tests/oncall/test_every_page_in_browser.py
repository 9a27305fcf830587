"""No page keeps anybody out: axe, in light and in the dark, 360 px, and a silent console.

With something of all that pages show: risk and its plot, frames, decisions, orders in every state,
drills, workers, dead letters, what holds takedowns back.
"""

from __future__ import annotations

import re
from typing import Literal
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import BrowserContext, expect

from agents.following import Progress
from agents.oncall.handles import handle_of
from agents.oncall.ports import History, Moment, Sample
from agents.oncall.unreached import Boot, build_server
from schemas import FrameRef, topics
from tests.builders import SECOND, START, frame_sampled, risk_assessed, window

from .asking import fill
from .browsing import OVERFLOW, barriers, context, in_chromium, opened, served, url_of
from .events import (
    NOW,
    answered,
    breaker_tripped,
    commanded,
    escalation_raised,
    redriven,
    takedown_requested,
    unwatched,
)
from .serving import Served

__all__ = ["context", "served"]

pytestmark = [*in_chromium]

STREAM = f"/streams/{handle_of('stream-9')}"
WHO = {"stream_id": "stream-9", "session_id": "session-9"}
INCIDENT = str(uuid4())
IN_EFFECT, IN_KAFKA, SENT = str(uuid4()), str(uuid4()), str(uuid4())
LONG = "a-name-that-nobody-thought-would-be-as-long-as-this-one-is-" * 3
PAGES = {
    "now": "/",
    "now, searched and sorted": "/?state=escalated&sort=risk",
    "stream": STREAM,
    "a stream of a long name": f"/streams/{handle_of(LONG)}",
    "frame": f"{STREAM}/frames/0-7",
    "frame that is gone": f"{STREAM}/frames/0-8",
    "export": f"/incidents/{INCIDENT}/export",
    "incidents": "/incidents",
    "closed incidents": "/incidents?closed=yes",
    "control": "/control",
    "topology": "/topology",
    "dead letter": "/topology/letters/d-1",
    "redrive": "/topology/redrive",
    "audit": "/audit",
    "order in effect": f"/orders/{IN_EFFECT}",
    "order in Kafka": f"/orders/{IN_KAFKA}",
    "order sent": f"/orders/{SENT}?sent={NOW}",
    "act on a stream": f"{STREAM}/act/suppress",
    "act on all": "/control/act/hold-takedowns",
    "drill": "/control/drill",
    "sign-in": "/sign-in",
    "nothing there": "/nothing",
}
NOT_THERE = {"nothing there", "frame that is gone", "stream"}
"""Pages that are not, or on which a picture is not."""
STATUS = re.compile("Failed to load resource: .* 404")
"""The browser's own word on that."""
LIMIT_MS = 30_000


@pytest.fixture
def busy(served: Served) -> Served:
    """Something of everything."""
    fill(served)
    refs = [FrameRef(topics.FRAME_SAMPLES, 0, at, START + at, 0.9) for at in (7, 8)]
    risk = risk_assessed(window(10.0, 4, 0.4), risk=0.97, **WHO)
    for event in (
        risk,
        escalation_raised(escalation_id="e-9", incident_id=INCIDENT, evidence=refs, **WHO),
        takedown_requested(takedown_id="t-9", incident_id=INCIDENT, evidence=refs, **WHO),
        unwatched(notice_id="u-9", **WHO),
        escalation_raised(escalation_id="e-long", incident_id=str(uuid4()), stream_id=LONG),
        commanded(command_id=IN_EFFECT),
        answered(command_id=IN_EFFECT),
        commanded(command_id=IN_KAFKA),
        redriven(),
    ):
        served.read_model.apply(event, NOW)
    served.room.frames[7] = frame_sampled(width=640, height=480, **WHO)
    served.room.history = History(
        samples=tuple(
            Sample(NOW - at * SECOND, "session-9", {"firearm": 0.25, "fictional": 0.5})
            for at in range(20, 0, -1)
        ),
        risks=(risk,),
        moments=(Moment(START, "TakedownRequested", "policy default/3", "asked", "why"),),
        omitted=("some news of the stream: there is too much to read at once",),
    )
    for control in (
        commanded("hold-takedowns", scope="region:NZ", issued_at=NOW, until=NOW + 60 * SECOND),
        breaker_tripped(expires_at=NOW + 3600 * SECOND),
    ):
        served.controls.apply(control)
    served.feed.progress = Progress.LOST
    served.feed.last_error = "no broker can be reached at a-host-of-some-length.example.org:9092"
    return served


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_keeps_anybody_out(
    busy: Served, context: BrowserContext, scheme: Literal["light", "dark"]
) -> None:
    """Whatever can be opened on it is open. One browser for all: each takes seconds to start."""
    page, complaints = await opened(context, busy)
    await page.emulate_media(color_scheme=scheme)
    found = {}
    for name, path in PAGES.items():
        complaints.clear()
        await page.goto(url_of(busy, path))
        await page.evaluate("for (const it of document.querySelectorAll('details')) it.open = true")
        said = [it for it in complaints if not (name in NOT_THERE and STATUS.search(it))]
        headings = await page.locator("h1").count()
        found[name] = (headings, await barriers(page), await page.evaluate(OVERFLOW), said)
    assert {name: it for name, it in found.items() if it != (1, [], 0, [])} == {}


@pytest.mark.parametrize("reached", [False, True])
async def test_nor_does_that_of_a_worker_that_waits_for_kafka(
    context: BrowserContext, reached: bool
) -> None:
    """It is left by itself as soon as the worker says something else of itself."""
    boot = Boot(since=NOW, reached=reached)
    page = context.pages[0]
    async with TestServer(build_server(boot, lambda: NOW)) as server:
        await page.goto(str(server.make_url("/incidents")))
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            assert (scheme, await barriers(page)) == (scheme, [])
        assert await page.evaluate(OVERFLOW) == 0
        before = await page.locator("h1").inner_text()
        boot.reached = not reached
        await expect(page.locator("h1")).not_to_have_text(before, timeout=LIMIT_MS)
