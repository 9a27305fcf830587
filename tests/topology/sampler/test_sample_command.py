"""The command ``firebreak sample``."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from schemas import Codec, FrameSampled, StreamUpdated, topics
from topology.cli.sample import sample, stopped_by_signals

from .support import evenly, read_topic, write_video


def invoke(kafka: dict[str, str], *arguments: object) -> Result:
    env = {"FIREBREAK_BOOTSTRAP_SERVERS": kafka["bootstrap.servers"]}
    return CliRunner().invoke(sample, [str(argument) for argument in arguments], env=env)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_video(tmp_path / "film.mp4", evenly(20))


def test_a_film_is_sampled_and_counted(film: Path, kafka: dict[str, str]) -> None:
    result = invoke(kafka, film, "--fps", 4, "--drill", "--shard", "ingest-7")
    assert result.exit_code == 0, result.output
    messages = read_topic(kafka, topics.FRAME_SAMPLES)
    samples = [Codec().decode(message.value(), FrameSampled) for message in messages]
    assert {(s.stream_id, s.shard_id, s.drill) for s in samples} == {("film", "ingest-7", True)}
    assert f"{len(samples)} frames" in result.stdout.splitlines()[-1]
    assert len(samples) == 8


def test_what_the_platform_knows_is_passed_on(film: Path, kafka: dict[str, str]) -> None:
    arguments = ["--account", "a-1", "--category", "irl", "--region", "NZ", "--viewers", 0]
    result = invoke(kafka, film, *arguments)
    assert result.exit_code == 0, result.output
    started = Codec().decode(read_topic(kafka, topics.STREAM_UPDATES)[0].value(), StreamUpdated)
    known = (started.account_id, started.category, started.region, started.viewers)
    assert known == ("a-1", "irl", "NZ", 0)


def test_a_failed_source_is_named_and_exits_with_1(
    film: Path, tmp_path: Path, kafka: dict[str, str]
) -> None:
    """The good one is sampled all the same, and no stream key is shown."""
    url = "rtmp://user:hidden@127.0.0.1:1/live/hidden"
    result = invoke(kafka, film, tmp_path / "none.mp4", url, "--fast")
    assert result.exit_code == 1
    assert "none (" in result.stderr
    assert "No such file" in result.stderr
    assert "rtmp://127.0.0.1:1/live/***" in result.stderr
    assert "hidden" not in result.output
    last = result.stdout.splitlines()[-1]
    assert last.startswith("4 frames")
    assert last.endswith("2 failed")


def test_the_recording_time_is_the_first_frames(film: Path, kafka: dict[str, str]) -> None:
    result = invoke(kafka, film, "--recorded-at", "2019-03-15T13:40:00+13:00")
    assert result.exit_code == 0, result.output
    first = read_topic(kafka, topics.FRAME_SAMPLES)[0]
    assert Codec().decode(first.value(), FrameSampled).captured_at == 1_552_610_400_000_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.mp4", "b.mp4", "--stream-id", "s"], "2 sources"),
        (["a.mp4", "--recorded-at", "2019-03-15T13:40:00"], "offset"),
        (["a.mp4", "--recorded-at", "9999-01-01T00:00:00Z"], "future"),
        (["a.mp4", "--recorded-at", "yesterday"], "ISO 8601"),
        (["a.mp4", "--region", "nz"], "two capital letters"),
        (["a.mp4", "--recorded-at", "2019-03-15T00:00:00Z", "--realtime"], "real time"),
        ([], "SOURCE"),
    ],
)
def test_contradictory_arguments_are_usage_errors(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(sample, arguments)
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_stops_and_the_second_is_as_before(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stopped_by_signals() as stop:
        assert signal.getsignal(number) is not before
        signal.raise_signal(number)
        assert stop.is_set()
        assert signal.getsignal(number) is before
