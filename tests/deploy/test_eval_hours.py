"""What is said of stream-hours and of times from onset."""

from __future__ import annotations

import math

import numpy as np
import pytest

from agents.aggregation.windows import WindowSpec
from agents.decision.policy_file import parse_policy
from deploy.eval.hours import (
    Played,
    play_attacks,
    play_hours,
    seconds_from_onset,
    summarise_hours,
    summarise_seconds,
)
from deploy.eval.sessions import Drill, RecordedClip
from deploy.eval.simulation import Cores, Moment, Outcome
from tests.deploy.test_eval_simulation import POLICY

CORES = Cores("test/1", "b" * 64, ("firearm",), WindowSpec(), parse_policy(POLICY))


def clip(name: str, scores: list[float]) -> RecordedClip:
    times = np.arange(len(scores)) / 10
    return RecordedClip(
        name,
        len(scores) / 10,
        times,
        {"as-sampled": np.array(scores, np.float32)[:, None]},
    )


QUIET = clip("quiet", [0.01] * 600)
ALARMING = clip("alarming", [0.01] * 300 + [0.9] * 25 + [0.01] * 275)
"""A minute with two and a half seconds of hits: enough to escalate, too little to take down."""


def moment(at: float, place: float = 0.0) -> Moment:
    return Moment(at, 0, place, "rule")


def test_hours_of_quiet_footage_pass_without_effect_and_are_all_counted() -> None:
    groups = {"quiet": [QUIET]}
    found = summarise_hours(list(play_hours("ordinary", groups, 30.0, CORES, seed=1)), groups)
    assert found["hours"] == pytest.approx(30.0)
    assert (found["escalations"], found["takedowns"]) == (0, 0)
    low, high = found["takedowns_per_1000_hours_ci95"]
    assert low == 0
    assert high == pytest.approx(3.689 / 30 * 1000, rel=1e-3)  # -ln 0.025 events


def test_no_number_of_hours_narrows_the_interval_over_distinct_footage() -> None:
    groups = {"quiet": [QUIET, clip("also-quiet", [0.01] * 600)]}
    short, long = (
        summarise_hours(list(play_hours("ordinary", groups, hours, CORES, seed=1)), groups)
        for hours in (2.0, 40.0)
    )
    assert short["distinct"] == long["distinct"]
    assert short["distinct"]["minutes"] == pytest.approx(2.0)
    assert short["distinct"]["takedowns_per_1000_hours_ci95"][1] == pytest.approx(
        3.689 / (2 / 60) * 1000, rel=1e-3
    )


def test_one_alarming_place_escalates_many_sessions_and_counts_once_over_distinct_footage() -> None:
    groups = {"a": [QUIET], "b": [QUIET, ALARMING]}
    played = list(play_hours("game", groups, 40.0, CORES, seed=2))
    found = summarise_hours(played, groups)
    assert found["escalations"] > 10
    assert found["takedowns"] == 0
    assert found["by_source"]["a"]["escalations"] == 0
    assert found["by_source"]["b"]["escalations"] == found["escalations"]
    assert found["by_encoding"]["as-sampled"]["escalations"] == found["escalations"]
    assert found["escalated_in"] == {"alarming": found["escalations"]}
    assert found["distinct"]["places_escalated"] == 1


def test_the_rate_of_escalations_is_over_the_hours_before_them() -> None:
    groups = {"b": [ALARMING]}
    found = summarise_hours(
        [
            Played("b", "as-sampled", Outcome(3600, 100, moment(900.0), None)),
            Played("b", "as-sampled", Outcome(3600, 100)),
        ],
        groups,
    )
    assert found["hours"] == 2.0
    assert found["escalations_per_1000_hours"] == pytest.approx(1000 / 1.25)


def test_the_same_seed_plays_the_same_hours() -> None:
    groups = {"a": [QUIET, ALARMING]}
    first, again = (list(play_hours("game", groups, 10.0, CORES, seed=3)) for _ in range(2))
    other = list(play_hours("game", groups, 10.0, CORES, seed=4))
    assert first == again
    assert first != other


def test_every_drill_is_taken_down_within_seconds_of_its_onset() -> None:
    drill = Drill(clip("drill", [0.01] * 70 + [0.9] * 130), onset=7.0)
    attacks = list(play_attacks([drill], [QUIET], 50, CORES, seed=5))
    times = seconds_from_onset((onset, one.taken_down) for onset, one in attacks)
    assert len(times) == 50
    assert 3 <= times[0] <= times[-1] <= 6


def test_an_effect_before_the_onset_gives_no_time_and_none_at_all_is_a_miss() -> None:
    times = seconds_from_onset([(10.0, moment(12.0)), (10.0, moment(9.0)), (10.0, None)])
    assert times == [2.0, math.inf]
    found = summarise_seconds(times, attacks=3, sequences=1)
    assert (found["n"], found["missed"], found["before_onset"]) == (2, 1, 1)
    assert found["p95"] is None


def test_percentiles_of_seconds_are_times_that_occurred() -> None:
    found = summarise_seconds([1.0, 2.0, 3.0, 10.0], attacks=4, sequences=1)
    assert (found["median"], found["p95"]) == (3.0, 10.0)
