"""``make screenshots``: the pages as the README shows them, of a topology at work.

``python -m tests.e2e.screenshots`` runs the demo's clips through both workers on an embedded
broker, with viewers, a frame that can't be decoded and takedowns held back for a region, and has
Chromium take the pictures in ``docs/oncall``.
"""

from __future__ import annotations

import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from agents.oncall.access.roles import Role as WebRole
from agents.oncall.handles import handle_of
from deploy.demo.game import GameUnavailable, render_game
from deploy.demo.streams import DEFAULT_STREAMS, DemoStream, find_clip, load_streams
from deploy.demo.takedowns import TakedownService
from schemas import (
    MICROSECONDS,
    FrameSampled,
    OperatorCommanded,
    StreamUpdated,
    TakedownAcknowledged,
    topics,
)
from tests import signed_in
from tests.e2e.support import CODEC, Reader, produce, running_stack
from tests.oncall.browsing import ARGUMENTS, CHROMIUM
from tests.waiting import wait_until
from topology.app import Role
from topology.kafka_config import librdkafka_config
from topology.sampler import BoostFeed, Boosts, SampleOptions, SourceSpec, Stops, run
from topology.sampler.producer import FrameProducer
from topology.settings import Settings
from topology.stack import Stack
from topology.wire import build_verifier

OUT = Path("docs/oncall")
LIMIT = 120.0
DRILL = "range"
WIDE, NARROW = (1280, 860), (360, 740)
_TALL = 1500
_PICTURES_THERE = "[...document.querySelectorAll('.frames img')].every((it) => it.complete)"
_VIEWERS = {"bikes": 412, "carphone": 38, "doom": 2150, DRILL: 57}


def main() -> None:
    """Take them all."""
    OUT.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="firebreak-screenshots-") as folder,
        running_stack(Path(folder)) as stack,
        _streams(stack, Path(folder)),
        sync_playwright() as playwright,
    ):
        _disturb(stack)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        _take(browser, stack.fleet.web_urls[Role.JUDGEMENT])
        browser.close()


@contextmanager
def _streams(stack: Stack, folder: Path) -> Iterator[None]:
    """The demo's streams, up to the drill's stop and a little on."""
    clips = {it: clip for it in load_streams(DEFAULT_STREAMS) if (clip := _clip(it, folder))}
    settings = Settings(runtime_dir=folder, decision_keys=stack.decision_keys)
    config = librdkafka_config(settings, stack.bootstrap)
    stops, boosts = Stops(), Boosts(it.id for it in clips)
    sources = [SourceSpec(str(clip), it.id, it.drill) for it, clip in clips.items()]
    with (
        TakedownService(config, CODEC, stops, verifier=build_verifier(settings)),
        BoostFeed(config, boosts, codec=CODEC),
        FrameProducer(config, codec=CODEC, max_payload_bytes=settings.max_payload_bytes) as frames,
        Reader(stack.bootstrap, TakedownAcknowledged) as answers,
        Reader(stack.bootstrap, StreamUpdated) as updates,
    ):
        feed = partial(
            run,
            sources,
            SampleOptions(fps=2, shard_id="shard-1"),
            frames,
            lambda _: None,
            stops=stops,
            boosts=boosts,
        )
        threading.Thread(target=feed, daemon=True).start()
        wait_until(lambda: len(updates.events()) >= len(clips), LIMIT)
        for update in updates.events():
            _send(stack, _watched(update))
        wait_until(lambda: bool(answers.events()), LIMIT)
        yield


def _clip(stream: DemoStream, folder: Path) -> Path | None:
    """Where there is no game there is a stream less."""
    game = folder / "game.mp4"
    if stream.clip == "game":
        try:
            render_game(game)
        except GameUnavailable:
            return None
    return find_clip(stream, DEFAULT_STREAMS, game)


def _watched(started: StreamUpdated) -> StreamUpdated:
    return StreamUpdated(
        started.stream_id,
        started.session_id,
        started.shard_id,
        "updated",
        time.time_ns() // 1000,
        started.drill,
        viewers=_VIEWERS[started.stream_id],
        region="NZ",
    )


def _disturb(stack: Stack) -> None:
    """A frame that is none, and a hold on takedowns in a region."""
    now = time.time_ns() // 1000
    broken = FrameSampled("kitchen", "kitchen-1", "shard-2", 0, now, "jpeg", 64, 48, b"no picture")
    until = now + 3600 * MICROSECONDS
    hold = OperatorCommanded(
        str(uuid.uuid4()),
        "hold-takedowns",
        "op-7",
        "a film festival streams its films",
        now,
        "",
        "",
        "region:SE",
        until,
    )
    _send(stack, broken, hold)


def _send(stack: Stack, *events: StreamUpdated | FrameSampled | OperatorCommanded) -> None:
    for event in events:
        record = event.subject.encode(), CODEC.encode(event)
        produce(stack.bootstrap, topics.TOPIC_OF[type(event).__name__], [record])


def _take(browser: Browser, url: str) -> None:
    stream = f"/streams/{handle_of(DRILL)}"
    page = _page(browser, url, WIDE)
    for name, path, height in (
        ("now", "/", WIDE[1]),
        ("stream", stream, _TALL),
        ("incidents", "/incidents", WIDE[1]),
        ("order", f"{stream}/act/release", WIDE[1]),
        ("control", "/control", _TALL),
        ("topology", "/topology", _TALL),
        ("audit", "/audit", WIDE[1]),
    ):
        page.set_viewport_size({"width": WIDE[0], "height": height})
        page.goto(f"{url}{path}")
        if name == "stream":
            page.wait_for_selector("#plot canvas")
            wait_until(lambda: bool(page.evaluate(_PICTURES_THERE)), LIMIT)
        page.wait_for_timeout(1500)
        page.screenshot(path=OUT / f"{name}.png")
    narrow = _page(browser, url, NARROW, dark=True)
    narrow.goto(f"{url}/")
    narrow.wait_for_timeout(1500)
    narrow.screenshot(path=OUT / "narrow.png")


def _page(browser: Browser, url: str, size: tuple[int, int], *, dark: bool = False) -> Page:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light"
    )
    context.add_cookies([signed_in.cookie(url, WebRole.ADMIN)])
    return context.new_page()


if __name__ == "__main__":
    main()
