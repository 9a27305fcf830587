"""Ending single streams of a run from outside."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from schemas import Codec, FrameSampled, StreamUpdated, topics
from tests.waiting import wait_until
from topology.sampler import (
    FrameProducer,
    Pace,
    RunReport,
    SampleOptions,
    SourceProgress,
    SourceSpec,
    StopOutcome,
    Stops,
    run,
)
from topology.sampler.stops import Carried

from .support import FakeClock, evenly, read_topic, serving, write_video

LIMIT = 20.0
"""Seconds within which anything here must have happened."""
LONG = 600
"""Frames of a film that no test waits to the end of: a minute."""


@dataclass
class Run:
    """A run in real time, on a thread of its own."""

    kafka: dict[str, str]
    ending: Future[RunReport]
    stops: Stops = field(default_factory=Stops)

    def session_of(self, stream_id: str) -> str:
        """Known once a frame of the stream has come."""
        found: list[str] = []

        def came() -> bool:
            messages = read_topic(self.kafka, topics.FRAME_SAMPLES)
            frames = (Codec().decode(it.value(), FrameSampled) for it in messages)
            found.extend(it.session_id for it in frames if it.stream_id == stream_id)
            return bool(found)

        wait_until(came, LIMIT)
        return found[0]

    def ended(self) -> list[str]:
        messages = read_topic(self.kafka, topics.STREAM_UPDATES)
        updates = [Codec().decode(it.value(), StreamUpdated) for it in messages]
        return [it.stream_id for it in updates if it.change == "ended"]


@pytest.fixture
def running(tmp_path: Path, kafka: dict[str, str]) -> Iterator[Run]:
    """Two streams: a long one from a server, which is live, and a short one from a file."""
    long = write_video(tmp_path / "long.ts", evenly(LONG)).read_bytes()
    short = write_video(tmp_path / "short.mp4", evenly(20))
    stops = Stops()
    with (
        FrameProducer(kafka, max_payload_bytes=1_000_000) as producer,
        serving(long) as url,
        ThreadPoolExecutor(1) as pool,
    ):
        # A topic is there with its first record, and read by tests from then on.
        producer.send(frame_of_nothing())
        assert producer.flush(LIMIT) == 0
        sources = [SourceSpec(url, "long"), SourceSpec(str(short), "short")]
        options = SampleOptions(pace=Pace.REALTIME)
        yield Run(kafka, pool.submit(run, sources, options, producer, stops=stops), stops)


def frame_of_nothing() -> FrameSampled:
    return FrameSampled("nothing", "s", "test", 0, 0, "jpeg", 1, 1, b"")


def test_a_stopped_stream_ends_and_the_others_go_on(running: Run) -> None:
    """It is over when ``stop`` says so; unlike one that is only left, it has ended, live or not."""
    session = running.session_of("long")

    assert running.stops.stop("long", session, LIMIT) is StopOutcome.STOPPED

    long, short = running.ending.result(LIMIT).sources
    assert (long.failure, long.undelivered, short.failure) == (None, 0, None)
    assert 0 < long.frames < LONG
    assert short.frames == 4
    assert sorted(running.ended()) == ["long", "short"]


def test_a_stream_that_is_over_is_stopped_already(running: Run) -> None:
    session = running.session_of("short")
    wait_until(lambda: "short" in running.ended(), LIMIT)

    assert running.stops.stop("short", session, 0) is StopOutcome.STOPPED

    running.stops.stop("long", running.session_of("long"), LIMIT)


def test_another_session_of_a_stream_is_not_stopped(running: Run) -> None:
    """A takedown is of one session: the account's next stream is not stopped by it."""
    session = running.session_of("long")

    assert running.stops.stop("long", "earlier", LIMIT) is StopOutcome.NOT_CARRIED
    assert running.stops.stop("another", session, LIMIT) is StopOutcome.NOT_CARRIED

    assert not running.ending.done()
    running.stops.stop("long", session, LIMIT)


def test_what_does_not_end_in_time_is_said_to_run_on() -> None:
    stops = Stops()
    stops.carry("one", "session")

    assert stops.stop("one", "session", 0) is StopOutcome.STILL_RUNNING


class Noting(Stops):
    """Tells which sessions it carries."""

    def __init__(self) -> None:
        super().__init__()
        self.sessions: list[tuple[str, str]] = []

    def carry(self, stream_id: str, session_id: str) -> Carried:
        self.sessions.append((stream_id, session_id))
        return super().carry(stream_id, session_id)


def test_a_stream_that_was_stopped_before_it_began_gives_no_frame(
    tmp_path: Path, kafka: dict[str, str]
) -> None:
    """While it waits for a thread it is stopped like any other."""
    film = str(write_video(tmp_path / "v.mp4", evenly(20)))
    stops = Noting()

    def stop_the_second(_: SourceProgress) -> None:
        stops.stop(*stops.sessions[1], 0)

    with FrameProducer(kafka, max_payload_bytes=1_000_000) as producer:
        report = run(
            [SourceSpec(film, "one"), SourceSpec(film, "two")],
            SampleOptions(),
            producer,
            stop_the_second,
            stops=stops,
            clock=FakeClock(),
            max_threads=1,
        )
    assert [it.frames for it in report.sources] == [4, 0]
    assert stops.stop(*stops.sessions[1], 0) is StopOutcome.STOPPED


def test_a_live_stream_that_was_stopped_has_ended_though_the_run_ends_too(
    tmp_path: Path, kafka: dict[str, str]
) -> None:
    """Of the others nothing is known; of this one it is."""
    content = write_video(tmp_path / "v.ts", evenly(20)).read_bytes()
    stops, stop = Noting(), threading.Event()

    def stop_both(_: SourceProgress) -> None:
        stops.stop(*stops.sessions[0], 0)
        stop.set()

    with FrameProducer(kafka, max_payload_bytes=1_000_000) as producer, serving(content) as url:
        sources = [SourceSpec(url, "one")]
        run(
            sources, SampleOptions(), producer, stop_both, stop=stop, stops=stops, clock=FakeClock()
        )
    messages = read_topic(kafka, topics.STREAM_UPDATES)
    changes = [Codec().decode(it.value(), StreamUpdated).change for it in messages]
    assert changes == ["started", "ended"]
