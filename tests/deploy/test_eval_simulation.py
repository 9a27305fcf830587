"""Sessions made by re-sampling, and what the topology's cores make of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from agents.aggregation.windows import WindowSpec
from agents.decision.policy_file import parse_policy
from deploy.eval.sessions import (
    RATES,
    Drill,
    RecordedClip,
    Session,
    cadence,
    compose_attack,
    compose_session,
    session_lengths,
)
from deploy.eval.simulation import Cores, play

POLICY = """
name = "test"
version = "1"
[[rule]]
name = "four-of-ten"
grade = "takedown"
all = [
  { measure = "firearm.hits", window = 10, at_least = 4 },
  { measure = "firearm.share", window = 10, at_least = 0.4 },
  { measure = "fictional.mean", window = 10, at_most = 0.5 },
]
[[rule]]
name = "two-of-three"
grade = "escalate"
all = [
  { measure = "firearm.hits", window = 3, at_least = 2 },
  { measure = "firearm.share", window = 3, at_least = 0.5 },
]
"""
CORES = Cores("test/1", "b" * 64, ("firearm",), WindowSpec(), parse_policy(POLICY))


def session(scores: list[float], fps: float = 1.0) -> Session:
    times = np.arange(len(scores)) / fps
    column = np.array(scores, np.float32)[:, None]
    numbers = np.zeros(len(scores), np.int64)
    return Session(len(scores) / fps, times, column, numbers, times)


def clip(name: str, scores: list[float]) -> RecordedClip:
    times = np.arange(len(scores)) / 10
    column = np.array(scores, np.float32)[:, None]
    return RecordedClip(name, len(scores) / 10, times, {"as-sampled": column})


def noise(seed: int, frames: int, share: float) -> list[float]:
    rng = np.random.default_rng(seed)
    return [0.9 if hit else 0.01 for hit in rng.random(frames) < share]


def test_a_run_of_hits_is_escalated_at_its_second_and_taken_down_at_its_fourth() -> None:
    #   second  0 ... 59  60  61  62  63 ...
    #   hit               x   x   x   x
    outcome = play(session([0.0] * 60 + [0.9] * 8), CORES)
    assert outcome.escalated is not None
    assert outcome.taken_down is not None
    assert (outcome.escalated.at, outcome.taken_down.at) == (61.0, 63.0)
    assert outcome.escalated.place == 61.0
    assert (outcome.escalated.rule, outcome.taken_down.rule) == ("two-of-three", "four-of-ten")
    assert (outcome.seconds_to_escalation, outcome.seconds_to_takedown) == (61.0, 63.0)


def test_a_session_without_hits_runs_to_its_end() -> None:
    outcome = play(session([0.1] * 600), CORES)
    assert outcome.escalated is None
    assert outcome.taken_down is None
    assert outcome.seconds_to_takedown == 600.0


def test_hits_far_apart_are_neither_escalated_nor_taken_down() -> None:
    outcome = play(session(([0.9] + [0.0] * 11) * 40), CORES)
    assert outcome.escalated is None


def test_a_drill_among_fiction_is_escalated_and_not_taken_down() -> None:
    cores = dataclasses.replace(CORES, signals=("firearm", "fictional"))
    real = session([0.0] * 60 + [0.9] * 8)
    for fictional, expected in ((0.4, True), (0.6, False)):
        column = np.full_like(real.scores, fictional)
        both = dataclasses.replace(real, scores=np.hstack([real.scores, column]))
        outcome = play(both, cores)
        assert outcome.escalated is not None
        assert (outcome.taken_down is not None) == expected


def test_the_cadence_takes_the_first_frame_of_each_period() -> None:
    times = np.arange(20) / 10
    assert times[cadence(times, 2.0, 0.0)].tolist() == [0.0, 0.5, 1.0, 1.5]
    assert times[cadence(times, 2.0, 0.25)].tolist() == [0.0, 0.3, 0.8, 1.3, 1.8]
    assert cadence(np.empty(0), 2.0, 0.0).tolist() == []


def test_sessions_last_ten_minutes_to_two_hours_and_make_the_hours_asked_for() -> None:
    lengths = session_lengths(np.random.default_rng(1), 50.0)
    assert sum(lengths) == pytest.approx(50 * 3600)
    assert all(600 <= seconds <= 7200 for seconds in lengths[:-1])


def test_the_same_seed_gives_the_same_session_and_another_seed_another() -> None:
    clips = [clip("a", noise(1, 300, 0.1)), clip("b", noise(2, 500, 0.1))]
    first, again, other = (
        compose_session(np.random.default_rng(seed), clips, 600.0) for seed in (7, 7, 8)
    )
    assert np.array_equal(first.times, again.times)
    assert np.array_equal(first.scores, again.scores)
    assert play(first, CORES) == play(again, CORES)
    assert not np.array_equal(first.places[:50], other.places[:50])


def test_a_session_is_sampled_at_one_rate_and_its_frames_are_those_of_its_clips() -> None:
    clips = [clip("a", [0.1] * 300), clip("b", [0.2] * 450)]
    for seed in range(20):
        made = compose_session(np.random.default_rng(seed), clips, 900.0)
        steps = np.diff(made.times)
        assert min(abs(np.median(1 / steps) - rate) for rate in RATES) < 0.5
        assert made.times[0] >= 0
        assert made.times[-1] < made.seconds == 900.0
        assert steps.min() > 0
        expected = np.where(made.clips == 0, np.float32(0.1), np.float32(0.2))
        assert np.array_equal(made.scores[:, 0], expected)


def test_every_moment_of_a_clip_gets_into_sessions() -> None:
    clips = [clip("a", [0.0] * 100), clip("b", [0.0] * 100)]
    rng = np.random.default_rng(3)
    made = [compose_session(rng, clips, 600.0) for _ in range(20)]
    for number in (0, 1):
        places = np.concatenate([one.places[one.clips == number] for one in made])
        assert len(np.unique(np.round(places, 1))) == 100


def test_a_session_is_in_one_encoding_that_all_its_clips_have() -> None:
    times = np.arange(100) / 10
    scores = {
        name: np.full((100, 1), value, np.float32)
        for name, value in [("fine", 0.1), ("coarse", 0.2), ("odd", 0.9)]
    }
    first = RecordedClip("a", 10.0, times, scores)
    second = RecordedClip("b", 10.0, times, {k: v for k, v in scores.items() if k != "odd"})
    seen = set()
    for seed in range(30):
        made = compose_session(np.random.default_rng(seed), [first, second], 600.0)
        assert len(set(made.scores[:, 0].tolist())) == 1
        seen.add(round(float(made.scores[0, 0]), 3))
    assert seen == {0.1, 0.2}


def test_the_onset_stays_on_the_first_frame_with_a_firearm_however_a_drill_is_resampled() -> None:
    drill = Drill(clip("drill", [0.0] * 70 + [0.9] * 130), onset=7.0)
    ordinary = [clip("a", [0.0] * 200), clip("b", [0.0] * 3000)]
    for seed in range(50):
        attack = compose_attack(np.random.default_rng(seed), ordinary, drill)
        made = attack.session
        firearm = made.scores[:, 0] > 0.5
        assert (made.clips[firearm] == len(ordinary)).all()
        assert attack.onset - 1e-6 <= made.times[firearm][0] <= attack.onset + 1.1
        assert made.times[~firearm][-1] < attack.onset
        assert 30 <= attack.onset <= 127
        outcome = play(made, CORES)
        assert outcome.taken_down is not None
        assert attack.onset < outcome.taken_down.at < attack.onset + 6


def test_a_drill_stands_alone_where_there_is_no_ordinary_footage() -> None:
    drill = Drill(clip("drill", [0.0] * 70 + [0.9] * 130), onset=7.0)
    attack = compose_attack(np.random.default_rng(1), [], drill)
    assert attack.onset <= 7.0
    assert attack.session.seconds == pytest.approx(13 + attack.onset)
