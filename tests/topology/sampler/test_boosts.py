"""Sampling faster where it is asked for: when, by how much, for how long, and of what."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from confluent_kafka import Producer

from schemas import Codec, FrameSampled, SamplingBoostRequested, topics
from tests.waiting import wait_until
from topology.cli.sample import sample
from topology.sampler import (
    BoostFeed,
    Boosts,
    FrameProducer,
    Mode,
    Pace,
    SampleOptions,
    SourceSpec,
    run,
)
from topology.sampler.boosts import MAX_LASTS
from topology.sampler.cadence import Cadence

from .support import NOON, FakeClock, evenly, media_times, read_topic, write_video

LIMIT = 20.0
"""Seconds within which anything here must have happened."""
SECOND = 1_000_000
OWN = Fraction(2)
REALTIME = SampleOptions(pace=Pace.REALTIME)


def boost(fps: float = 8.0, lasts: int = 60 * SECOND, **given: Any) -> SamplingBoostRequested:
    defaults: dict[str, Any] = {
        "boost_id": "boost-1",
        "incident_id": "incident-1",
        "stream_id": "one",
        "session_id": "session-1",
        "requested_at": NOON,
        "frames_per_second": fps,
        "until": NOON + lasts,
        "rule": "firearm-seen",
        "explanation": "1 of 4 frames over 10 s",
        "cause_id": "risk-1",
        "policy": "test/1",
        "policy_digest": "c" * 64,
    }
    return SamplingBoostRequested(**{**defaults, **given})


def boosted(*asked: SamplingBoostRequested) -> Boosts:
    boosts = Boosts(["one"])
    for each in asked:
        boosts.take(each, NOON)
    return boosts


def test_a_boost_holds_until_its_time_is_over() -> None:
    """The end is exclusive."""
    boosts = boosted(boost(8.0, lasts=SECOND))
    rates = [boosts.rate("one", OWN, NOON + after) for after in (0, SECOND - 1, SECOND)]
    assert rates == [8, 8, 2]


def test_a_stream_is_never_sampled_below_its_own_rate() -> None:
    assert boosted(boost(0.5)).rate("one", OWN, NOON) == OWN


def test_the_newest_word_counts() -> None:
    """A longer, a shorter, a slower one: what was asked for last is what is wanted."""
    boosts = boosted(boost(8.0), boost(4.0, lasts=SECOND))
    rates = [boosts.rate("one", OWN, NOON + after) for after in (0, SECOND)]
    assert rates == [4, 2]


@pytest.mark.parametrize(
    "asked",
    [
        boost(stream_id="another"),
        boost(lasts=0),
        boost(float("nan")),
        boost(float("inf")),
        boost(0.0),
        boost(-8.0),
    ],
    ids=["another's stream", "over", "no number", "infinite", "zero", "negative"],
)
def test_what_can_not_be_obeyed_changes_nothing(asked: SamplingBoostRequested) -> None:
    boosts = Boosts(["one"])
    assert not boosts.take(asked, NOON)
    assert boosts.rate("one", OWN, NOON) == boosts.rate("another", OWN, NOON) == OWN


def test_a_boost_that_asks_for_far_too_much_is_bounded() -> None:
    """In rate and in time: it may come of a clock that is wrong."""
    boosts = boosted(boost(1e12, lasts=10**18))
    rates = [boosts.rate("one", OWN, NOON + after) for after in (0, MAX_LASTS)]
    assert rates == [1000, 2]


def test_when_the_rate_changes_no_period_is_sampled_twice() -> None:
    """Ten frames a second: two samples a second, from 0.7 s four, from 1.6 s two again.

    time     0    .5  .75     1.0  1.25  1.5      2.0
    rate     2         4                     2
    """
    cadence = Cadence(OWN)
    taken = []
    for tenth in range(22):
        cadence.change(Fraction(4) if 7 <= tenth < 16 else OWN)
        if cadence.takes(Fraction(tenth, 10)):
            taken.append(tenth)
    assert taken == [0, 5, 8, 10, 13, 15, 20]


@dataclass
class Sampled:
    """Samples a film of three seconds at ten frames a second, by a clock that its waits move."""

    kafka: dict[str, str]
    film: Path

    def times(self, boosts: Boosts, options: SampleOptions = REALTIME) -> list[float]:
        with FrameProducer(self.kafka, max_payload_bytes=1_000_000) as producer:
            source = SourceSpec(str(self.film), "one")
            run([source], options, producer, boosts=boosts, clock=FakeClock())
        messages = read_topic(self.kafka, topics.FRAME_SAMPLES)
        return media_times([Codec().decode(it.value(), FrameSampled) for it in messages])


@pytest.fixture
def sampled(kafka: dict[str, str], tmp_path: Path) -> Sampled:
    return Sampled(kafka, write_video(tmp_path / "v.mp4", evenly(30)))


def test_a_live_stream_is_sampled_faster_and_then_as_before(sampled: Sampled) -> None:
    """Five a second until 1 s of the sampler's clock, then two again."""
    times = sampled.times(boosted(boost(5.0, lasts=SECOND)))
    assert times == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 2.5])


def test_a_source_gives_no_more_frames_than_it_has(sampled: Sampled) -> None:
    times = sampled.times(boosted(boost(60.0)))
    assert times == pytest.approx([n / 10 for n in range(30)])


def test_more_key_frames_can_not_be_had_than_there_are(sampled: Sampled) -> None:
    """Every fifth frame is one."""
    options = SampleOptions(pace=Pace.REALTIME, mode=Mode.KEYFRAME, fps=1)
    times = sampled.times(boosted(boost(60.0)), options)
    assert times == pytest.approx([0, 0.5, 1.0, 1.5, 2.0, 2.5])


def test_a_recording_is_sampled_as_asked(sampled: Sampled) -> None:
    """It is not live, and must come out the same however fast it is read."""
    times = sampled.times(boosted(boost(8.0)), SampleOptions(pace=Pace.FAST))
    assert times == pytest.approx([n / 2 for n in range(6)])


@pytest.fixture
def ask(kafka: dict[str, str]) -> Callable[[bytes], None]:
    """Writes to several partitions of the topic, which the mock cluster makes with the first."""
    producer = Producer(kafka)

    def write(value: bytes) -> None:
        producer.produce(topics.SAMPLING, value, partition=len(value) % 2)
        assert producer.flush(LIMIT) == 0

    return write


def test_a_boost_is_heard_from_kafka(
    kafka: dict[str, str], ask: Callable[[bytes], None], caplog: pytest.LogCaptureFixture
) -> None:
    """From every partition, past a record that is none, and none of what was there before."""
    codec, boosts = Codec(), Boosts(["one", "two", "three"])
    ask(codec.encode(boost(stream_id="one")))
    with BoostFeed(kafka, boosts, now_us=lambda: NOON):
        ask(b"rubbish")
        ask(codec.encode(boost(stream_id="two")))
        ask(codec.encode(boost(stream_id="three")))

        def rates() -> list[Fraction]:
            return [boosts.rate(name, OWN, NOON) for name in ("one", "two", "three")]

        wait_until(lambda: rates() == [2, 8, 8], LIMIT, rates)
    assert "unknown framing" in caplog.text


def test_without_kafka_streams_keep_their_rate(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing listens on port 1 of the loopback: that is told, and nobody waits for it."""
    boosts = Boosts(["one"])
    with (
        caplog.at_level(logging.WARNING),
        BoostFeed({"bootstrap.servers": "127.0.0.1:1", "log_level": 0}, boosts),
    ):
        assert boosts.rate("one", OWN, NOON) == OWN
    assert "boosts are not heard" in caplog.text


@pytest.mark.parametrize(("arguments", "told"), [([], True), (["--no-boost"], False)])
def test_a_sampler_may_be_told_not_to_listen(
    kafka: dict[str, str],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    arguments: list[str],
    told: bool,
) -> None:
    """In real time it listens, which is seen here by what it says where there is no such topic."""
    film = write_video(tmp_path / "v.mp4", evenly(1))
    env = {"FIREBREAK_BOOTSTRAP_SERVERS": kafka["bootstrap.servers"]}
    result = CliRunner().invoke(sample, [str(film), "--realtime", *arguments], env=env)
    assert result.exit_code == 0, result.output
    assert ("boosts are not heard" in caplog.text) is told
