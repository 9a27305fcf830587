"""More comes than can be judged, or comes late: what is shed is told, and nothing is missing."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from schemas import (
    MICROSECONDS,
    DetectionsMade,
    FrameSampled,
    FramesShed,
    StreamShed,
    TakedownRequested,
    topics,
)
from tests.bench.job import Footage, renamed
from tests.brokers import BrokerKind, running_broker
from tests.e2e.support import CODEC, Reader, get, produce, running_stack
from tests.waiting import wait_until
from topology.app import Role
from topology.sampler import Mode
from topology.settings import Settings
from topology.stack import Stack
from topology.topic_admin import apply_topics

pytestmark = pytest.mark.e2e
RATE = 2
KEEP_EVERY = 2 * MICROSECONDS
"""As the settings have it."""
LIMIT = 300.0
TAIL = bytes(64 * 1024)
"""Behind a picture, where nobody looks at it: a burst of them is more than a worker may hold."""
GROWTH_MB = 200
"""Of a worker: what it has in hand, whatever waits with the brokers."""
TWO_HOURS = 2 * 3600 * MICROSECONDS
SOON = 3.0
"""Seconds after which a frame is too old where the brokers stamp it themselves."""
ROUNDS, STREAMS_A_ROUND = 10, 8

Place = tuple[int, int]
"""Partition and offset of a frame."""


def filmed(begin: int, streams: int, seconds: int) -> list[FrameSampled]:
    """Frames of ``streams`` streams side by side, one of them an attack, from ``begin`` on."""
    footage = Footage.of(Mode.JPEG)
    clips = [
        ("attack", footage.attack[-4:]),
        *((f"calm-{number}", footage.ordinary) for number in range(streams - 1)),
    ]
    return [
        renamed(
            clip[turn % len(clip)],
            name,
            turn,
            begin + turn * MICROSECONDS // RATE,
            drill=name == "attack",
        )
        for turn in range(seconds * RATE)
        for name, clip in clips
    ]


def put(bootstrap: str, frames: Sequence[FrameSampled], taken_at: int | None = None) -> None:
    """Produce ``frames``, with the time ``taken_at`` to those brokers that keep a record's own."""
    records = [(it.stream_id.encode(), CODEC.encode(it)) for it in frames]
    produce(bootstrap, topics.FRAME_SAMPLES, records, taken_at)


@dataclass
class Watching:
    """What is told of frames from the beginning of the topics."""

    detections: Reader
    shedding: Reader
    takedowns: Reader

    @classmethod
    @contextmanager
    def on(cls, bootstrap: str) -> Iterator[Watching]:
        kinds = (DetectionsMade, FramesShed, TakedownRequested)
        with ExitStack() as reading:
            yield cls(*(reading.enter_context(Reader(bootstrap, kind)) for kind in kinds))

    def judged(self) -> dict[Place, tuple[str, int]]:
        """Of which stream each frame judged is, and when it was captured."""
        return {
            (batch.frame_partition, item.offset): (item.stream_id, item.captured_at)
            for batch in self.detections.events()
            for item in batch.detections
        }

    def told(self) -> list[tuple[FramesShed, StreamShed]]:
        return [(told, stream) for told in self.shedding.events() for stream in told.streams]

    def shed(self) -> set[Place]:
        return {
            (told.frame_partition, offset)
            for told, stream in self.told()
            for offset in stream.offsets
        }

    def await_all(self, frames: int, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait until so many are judged or shed."""

        def done() -> bool:
            meanwhile()
            return len(self.judged()) + len(self.shed()) >= frames

        wait_until(done, LIMIT, about=lambda: (len(self.judged()), len(self.shed())))

    def assert_thinned_out(self, frames: int, streams: int, stack: Stack) -> None:
        """Each frame is judged or told and counted as shed, and each stream is watched."""
        judged, shed = self.judged(), self.shed()
        assert not judged.keys() & shed
        assert len(judged) + len(shed) == frames
        assert len(shed) > frames / 4
        times = defaultdict(list)
        for stream, at in judged.values():
            times[stream].append(at)
        assert len(times) == streams
        for found in times.values():
            gaps = [later - earlier for earlier, later in pairwise(sorted(found))]
            assert max(gaps) <= KEEP_EVERY
        # Two frames a second are what they have.
        assert not [stream for _, stream in self.told() if stream.at_risk]
        counts = get(f"{stack.fleet.web_urls[Role.DETECTION]}/api/v1/worker")["counts"]
        assert sum(n for what, n in counts.items() if what.endswith(" shed")) == len(shed)
        wait_until(lambda: len(self.takedowns.events()) > 0, LIMIT)
        assert {it.stream_id for it in self.takedowns.events()} == {"attack"}

    def assert_all_judged(self, stack: Stack, clip: Sequence[FrameSampled]) -> None:
        """Frames that come as fast as they are judged are judged, and none is shed any more."""
        before, shed = len(self.judged()), self.shed()
        for number in range(ROUNDS):
            at = time.time_ns() // 1000
            frames = [
                renamed(clip[number], f"calm-{stream}", 1000 + number, at, drill=False)
                for stream in range(STREAMS_A_ROUND)
            ]
            put(stack.bootstrap, frames)
            self.await_all(before + len(shed) + (number + 1) * STREAMS_A_ROUND)
        assert self.shed() == shed
        assert len(self.judged()) == before + ROUNDS * STREAMS_A_ROUND


class Growth:
    """How much more memory each worker has had than when this was made, at most, in MB."""

    def __init__(self, stack: Stack) -> None:
        self._workers = {role: psutil.Process(pid) for role, pid in stack.fleet.pids.items()}
        self._before = {role: it.memory_info().rss for role, it in self._workers.items()}
        self.most = dict.fromkeys(self._workers, 0.0)

    def look(self) -> None:
        for role, worker in self._workers.items():
            grown = (worker.memory_info().rss - self._before[role]) / 1e6
            self.most[role] = max(self.most[role], grown)


def test_a_burst_is_thinned_out_and_an_attack_in_it_is_still_stopped(
    tmp_path: Path, broker_kind: BrokerKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4,800 frames at once are some 25 seconds of work for two cores; workers hold a few of them,
    and once they are done with them they judge whatever comes."""
    # The embedded broker (Tansu 0.6.0) tells readers of less than there is.
    monkeypatch.setenv("FIREBREAK_SHED_BACKLOG", "2")
    streams, seconds = 60, 40
    begin = time.time_ns() // 1000 - seconds * MICROSECONDS
    frames = [replace(it, payload=it.payload + TAIL) for it in filmed(begin, streams, seconds)]
    assert sum(len(it.payload) for it in frames) > 1.5e6 * GROWTH_MB
    with running_stack(tmp_path, broker_kind) as stack, Watching.on(stack.bootstrap) as watching:
        growth = Growth(stack)
        put(stack.bootstrap, frames)
        watching.await_all(len(frames), growth.look)
        watching.assert_thinned_out(len(frames), streams, stack)
        assert max(growth.most.values()) < GROWTH_MB, growth.most
        watching.assert_all_judged(stack, Footage.of(Mode.JPEG).ordinary)


def test_what_lay_too_long_is_thinned_out_and_an_attack_in_it_is_still_stopped(
    tmp_path: Path, broker_kind: BrokerKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers come back after two hours, and little enough waits to judge all of it."""
    monkeypatch.setenv("FIREBREAK_SHED_BACKLOG", "1000")
    if broker_kind == "kafka":
        monkeypatch.setenv("FIREBREAK_SHED_AGE", str(SOON))
    streams, seconds = 20, 40
    begin = time.time_ns() // 1000 - TWO_HOURS
    frames = filmed(begin, streams, seconds)
    with running_broker(broker_kind, tmp_path) as bootstrap:
        apply_topics(Settings(runtime_dir=tmp_path), bootstrap)
        put(bootstrap, frames, taken_at=begin)
        produced = time.monotonic()
        wait_until(lambda: time.monotonic() - produced > SOON, LIMIT)
        with (
            running_stack(tmp_path, bootstrap=bootstrap) as stack,
            Watching.on(bootstrap) as watching,
        ):
            watching.await_all(len(frames))
            watching.assert_thinned_out(len(frames), streams, stack)
            assert {told.reason for told, _ in watching.told()} == {"too-old"}
            if broker_kind == "embedded":
                watching.assert_all_judged(stack, Footage.of(Mode.JPEG).ordinary)
