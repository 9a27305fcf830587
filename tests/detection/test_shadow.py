"""A bundle on trial: it is compared, and whatever it does, nothing waits for it."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.dead_letters import Coordinates
from agents.detection.batching import Judged
from agents.detection.detector import Judge, Scored
from agents.detection.lineup import Part
from agents.detection.resize import Pixels
from agents.detection.shadow import Shadow
from schemas import BundlesDisagreed, topics
from tests.builders import START, frame_sampled
from tests.detection.serving import load, write_version
from tests.detection.test_decode import picture
from tests.shell import Bench
from tests.waiting import wait_until_async

JUDGED = "detection shadow frames judged"
SKIPPED = "detection shadow frames skipped"
FAILED = "detection shadow frames failed"
RED = np.full((4, 4, 3), (200, 0, 0), np.uint8)
CAPACITY = 8


@pytest.fixture
def live(tmp_path: Path) -> Judge:
    return load(write_version(tmp_path / "live", "1"), Part.LIVE)


@pytest.fixture
def strict(tmp_path: Path) -> Judge:
    """A bundle for which nothing in these tests is a firearm."""
    folder = write_version(tmp_path / "strict", "2", ("threshold = 0.2", "threshold = 0.99"))
    return load(folder, Part.SHADOW)


def shadow(made: Bench, judge: Any) -> Shadow:
    intake = made.intake
    return Shadow(judge, intake.publish, intake.count, capacity=CAPACITY, batch=4)


def show(shown: Shadow, live: Judge, *numbers: int, payload: bytes = b"") -> None:
    """Show frames of these offsets, which the live bundle has judged."""
    for number in numbers:
        frame = frame_sampled(sequence=number, payload=payload)
        source = Coordinates(topics.FRAME_SAMPLES, 0, number, START, b"stream-1")
        scores = [float(score) for score in live.bundle.judge([RED])[0]]
        shown.show(Judged(frame, source, live.bundle, scores), Scored(live.bundle, RED, scores))


def offsets(made: Bench) -> list[int]:
    return [event.frame.offset for event in made.publisher.events(BundlesDisagreed)]


async def test_disagreements_are_published(live: Judge, strict: Judge) -> None:
    made = Bench("detection")
    tried = shadow(made, strict)
    show(tried, live, 1, 2, 3)
    await wait_until_async(lambda: made.counts[JUDGED] == 3, 10)
    assert offsets(made) == [1, 2, 3]
    assert made.counts["detection shadow disagreements"] == 3
    tried.close()


async def test_where_it_agrees_nothing_is_published(live: Judge) -> None:
    made = Bench("detection")
    tried = shadow(made, live)
    show(tried, live, 1, 2, 3)
    await wait_until_async(lambda: made.counts[JUDGED] == 3, 10)
    assert offsets(made) == []
    tried.close()


class Standing:
    """A bundle that judges when it is let go, and fails if it is told to."""

    def __init__(self, judge: Judge) -> None:
        self._bundle = judge.bundle
        self.go = threading.Event()
        self.fail = False
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bundle, name)

    def judge(self, frames: Sequence[Pixels]) -> Any:
        self.asked += 1
        assert self.go.wait(20)
        if self.fail:
            raise RuntimeError("out of memory")
        return self._bundle.judge(frames)


async def test_frames_that_find_the_line_full_are_skipped_and_counted(
    live: Judge, strict: Judge
) -> None:
    made, standing = Bench("detection"), Standing(strict)
    tried = shadow(made, Judge(standing, strict.decode))  # type: ignore[arg-type]
    show(tried, live, 0)
    await wait_until_async(lambda: standing.asked == 1, 10)
    show(tried, live, *range(1, 21))
    assert made.counts[SKIPPED] == 20 - CAPACITY
    standing.go.set()
    await wait_until_async(lambda: made.counts[JUDGED] == 1 + CAPACITY, 10)
    assert offsets(made) == list(range(1 + CAPACITY))
    tried.close()


async def test_its_failures_are_counted_and_it_goes_on(live: Judge, strict: Judge) -> None:
    made, standing = Bench("detection"), Standing(strict)
    standing.go.set()
    standing.fail = True
    tried = shadow(made, Judge(standing, strict.decode))  # type: ignore[arg-type]
    show(tried, live, 1)
    await wait_until_async(lambda: made.counts[FAILED] == 1, 10)
    standing.fail = False
    show(tried, live, 2)
    await wait_until_async(lambda: made.counts[JUDGED] == 1, 10)
    assert offsets(made) == [2]
    tried.close()


async def test_brokers_that_do_not_take_a_disagreement_do_not_end_the_process(
    live: Judge, strict: Judge
) -> None:
    made = Bench("detection")
    made.publisher.broken = True
    tried = shadow(made, strict)
    show(tried, live, 1)
    lost = "detection shadow disagreements not published"
    await wait_until_async(lambda: made.counts[lost] == 1, 10)
    tried.close()


async def test_with_another_input_it_decodes_frames_for_itself(live: Judge, tmp_path: Path) -> None:
    boxed = write_version(tmp_path / "boxed", "2", ('resize = "squash"', 'resize = "letterbox"'))
    made = Bench("detection")
    tried = shadow(made, load(boxed, Part.SHADOW))
    show(tried, live, 1, payload=picture())
    show(tried, live, 2, payload=b"no picture")
    await wait_until_async(lambda: made.counts[JUDGED] == 1, 10)
    assert made.counts[FAILED] == 1
    tried.close()


async def test_closed_it_skips_what_waits_and_lets_its_model_go(
    live: Judge, tmp_path: Path
) -> None:
    made = Bench("detection")
    session = await closed_at_work(made, live, write_version(tmp_path / "tried", "2"))
    assert made.counts[SKIPPED] == 3
    await wait_until_async(lambda: made.counts[JUDGED] == 1, 10)
    await wait_until_async(lambda: gc.collect() >= 0 and session() is None, 10)
    await wait_until_async(lambda: "shadow" not in {it.name for it in threading.enumerate()}, 10)


async def closed_at_work(made: Bench, live: Judge, folder: Path) -> Callable[[], object]:
    """A shadow closed with one frame in work and three waiting; refers to its session, weakly."""
    judge = load(folder, Part.SHADOW)
    standing = Standing(judge)
    tried = shadow(made, Judge(standing, judge.decode))  # type: ignore[arg-type]
    show(tried, live, 0)
    await wait_until_async(lambda: standing.asked == 1, 10)
    show(tried, live, 1, 2, 3)
    tried.close()
    standing.go.set()
    return weakref.ref(judge.bundle.session)
