"""Many sources into one producer."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from schemas import Codec, FrameSampled, StreamUpdated, topics
from topology.sampler import (
    FrameProducer,
    Pace,
    SampleOptions,
    SourceProgress,
    SourceSpec,
    StreamFacts,
    TooManySources,
    run,
)

from .support import FakeClock, evenly, read_topic, serving, write_video

LIMIT = 1_000_000
HIDDEN = "a stream key"


def updates(kafka: dict[str, str]) -> list[StreamUpdated]:
    messages = read_topic(kafka, topics.STREAM_UPDATES)
    return [Codec().decode(message.value(), StreamUpdated) for message in messages]


def frames(kafka: dict[str, str]) -> list[FrameSampled]:
    messages = read_topic(kafka, topics.FRAME_SAMPLES)
    return [Codec().decode(message.value(), FrameSampled) for message in messages]


def test_a_bad_source_fails_alone(tmp_path: Path, kafka: dict[str, str]) -> None:
    """Of three sources one is missing; the other two arrive whole, and it is named."""
    film = str(write_video(tmp_path / "v.mp4", evenly(20)))
    sources = [
        SourceSpec(film, "one"),
        SourceSpec(str(tmp_path / "none.mp4"), "two"),
        SourceSpec(film, "three", drill=True),
    ]
    told: list[SourceProgress] = []
    with FrameProducer(kafka, max_payload_bytes=LIMIT) as producer:
        report = run(sources, SampleOptions(), producer, told.append)
    assert [(s.stream_id, s.frames, s.undelivered) for s in report.sources] == [
        ("one", 4, 0),
        ("two", 0, 0),
        ("three", 4, 0),
    ]
    assert [s.stream_id for s in report.failed] == ["two"]
    assert "No such file" in str(report.failed[0].failure)
    arrived = frames(kafka)
    assert report.frames == len(arrived) == 8
    assert report.bytes == sum(len(frame.payload) for frame in arrived)
    assert {frame.stream_id for frame in arrived if frame.drill} == {"three"}
    ends = {told_last.stream_id: told_last for told_last in told if told_last.done}
    assert {name: end.frames for name, end in ends.items()} == {"one": 4, "two": 0, "three": 4}
    assert ends["one"].position == pytest.approx(1.5)
    assert ends["one"].duration == pytest.approx(2.0)


def test_a_stream_starts_and_ends_with_its_first_and_last_frame(
    tmp_path: Path, kafka: dict[str, str]
) -> None:
    source = SourceSpec(str(write_video(tmp_path / "v.mp4", evenly(20))), "one", drill=True)
    with FrameProducer(kafka, max_payload_bytes=LIMIT) as producer:
        run([source], SampleOptions(recorded_at=0), producer)
    started, ended = updates(kafka)
    assert (started.change, started.updated_at) == ("started", 0)
    assert (ended.change, ended.updated_at) == ("ended", 1_500_000)
    assert started.drill
    assert {started.session_id, ended.session_id} == {f.session_id for f in frames(kafka)}


def test_what_is_known_of_a_stream_is_told_as_it_starts(
    tmp_path: Path, kafka: dict[str, str]
) -> None:
    """And not at its end, when it may no longer hold."""
    facts = StreamFacts(account_id="a-1", category="irl", region="NZ", viewers=7)
    source = SourceSpec(str(write_video(tmp_path / "v.mp4", evenly(1))), "one", facts=facts)
    with FrameProducer(kafka, max_payload_bytes=LIMIT) as producer:
        run([source], SampleOptions(), producer)
    known = [(it.account_id, it.category, it.region, it.viewers) for it in updates(kafka)]
    assert known == [("a-1", "irl", "NZ", 7), ("", "", "", -1)]


def test_frames_over_the_limit_are_refused_and_counted(
    tmp_path: Path, kafka: dict[str, str]
) -> None:
    source = SourceSpec(str(write_video(tmp_path / "v.mp4", evenly(20))), "one")
    with FrameProducer(kafka, max_payload_bytes=10) as producer:
        report = run([source], SampleOptions(), producer)
    (only,) = report.sources
    assert (only.frames, only.refused, only.undelivered) == (0, 4, 0)
    assert "one: frame 0" in str(only.failure)


def test_frames_that_no_broker_takes_are_undelivered(tmp_path: Path) -> None:
    """Nothing listens on port 1 of the loopback: three frames and two updates are lost."""
    config = {"bootstrap.servers": "127.0.0.1:1", "message.timeout.ms": 200, "log_level": 0}
    source = SourceSpec(str(write_video(tmp_path / "v.mp4", evenly(11))), "one")
    with FrameProducer(config, max_payload_bytes=LIMIT) as producer:
        report = run([source], SampleOptions(), producer)
    (only,) = report.sources
    assert (only.frames, only.undelivered) == (0, 5)
    assert str(only.failure).startswith("not delivered")


@pytest.mark.parametrize(
    ("stopped", "changes"), [(False, ["started", "ended"]), (True, ["started"])]
)
def test_a_live_stream_that_is_only_left_has_not_ended(
    tmp_path: Path, kafka: dict[str, str], stopped: bool, changes: list[str]
) -> None:
    """It ends when its source does; when the sampler is stopped it is live and unwatched."""
    stop = threading.Event()

    def after_first_frame(_: SourceProgress) -> None:
        if stopped:
            stop.set()

    content = write_video(tmp_path / "v.ts", evenly(20)).read_bytes()
    with FrameProducer(kafka, max_payload_bytes=LIMIT) as producer, serving(content) as url:
        sources = [SourceSpec(url, "one")]
        report = run(
            sources, SampleOptions(), producer, after_first_frame, stop=stop, clock=FakeClock()
        )
    assert report.failed == ()
    assert report.frames == (1 if stopped else 4)
    assert [update.change for update in updates(kafka)] == changes


def test_a_stopped_run_ends_with_what_was_sent(tmp_path: Path, kafka: dict[str, str]) -> None:
    """Stopped while it waits for its second frame: one frame is sent, and a file has ended."""
    stop = threading.Event()

    class StoppingClock(FakeClock):
        def sleep(self, seconds: float) -> None:
            stop.set()

    source = SourceSpec(str(write_video(tmp_path / "v.mp4", evenly(20))), "one")
    options = SampleOptions(pace=Pace.REALTIME)
    with FrameProducer(kafka, max_payload_bytes=LIMIT) as producer:
        report = run([source], options, producer, stop=stop, clock=StoppingClock())
    assert (report.frames, report.failed) == (1, ())
    assert [update.change for update in updates(kafka)] == ["started", "ended"]


def test_an_unforeseen_error_ends_one_source_and_hides_its_text(
    tmp_path: Path, kafka: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """The other source goes on, and the message, which may hold a secret, is not told."""

    class BrokenClock(FakeClock):
        def sleep(self, seconds: float) -> None:
            raise RuntimeError(HIDDEN)

    film = str(write_video(tmp_path / "v.mp4", evenly(20)))
    still = str(write_video(tmp_path / "still.mp4", evenly(1)))
    options = SampleOptions(pace=Pace.REALTIME)
    with FrameProducer(kafka, max_payload_bytes=LIMIT) as producer:
        sources = [SourceSpec(film, "one"), SourceSpec(still, "two")]
        report = run(sources, options, producer, clock=BrokenClock())
    one, two = report.sources
    assert (one.frames, one.failure) == (1, "unexpected RuntimeError")
    assert (two.frames, two.failure) == (1, None)
    assert HIDDEN not in caplog.text
    assert "in sleep" in caplog.text


def test_more_live_sources_than_threads_are_refused(kafka: dict[str, str]) -> None:
    """None is left to wait unwatched; recordings may wait."""
    sources = [SourceSpec(f"rtmp://127.0.0.1:1/{n}", str(n)) for n in range(3)]
    with FrameProducer(kafka, max_payload_bytes=LIMIT) as producer:
        with pytest.raises(TooManySources):
            run(sources, SampleOptions(), producer, max_threads=2)
        report = run(sources, SampleOptions(pace=Pace.FAST), producer, max_threads=2)
    assert len(report.failed) == 3
