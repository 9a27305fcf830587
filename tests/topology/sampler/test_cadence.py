"""Choosing frames by presentation time."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topology.sampler.cadence import MAX_FORWARD, Cadence, Timeline

rates = st.builds(Fraction, st.integers(1, 60_000), st.integers(1, 1001))
seconds = st.fractions(min_value=0, max_value=100_000, max_denominator=90_000)
disorderly_times = st.lists(st.none() | seconds, max_size=60)
STEP = Fraction(1, 25)


@given(rates, st.lists(seconds, max_size=60))
def test_at_most_one_frame_of_each_period_is_taken(fps: Fraction, times: list[Fraction]) -> None:
    """However the times come, the periods of the frames taken rise strictly."""
    cadence = Cadence(fps)
    periods = [floor(at * fps) for at in times if cadence.takes(at)]
    assert periods == sorted(set(periods))


@given(rates, st.lists(seconds, max_size=60))
def test_in_order_the_first_frame_of_every_period_is_taken(
    fps: Fraction, times: list[Fraction]
) -> None:
    """Sample n is the first frame at or after n/fps, whatever was taken before."""
    cadence = Cadence(fps)
    taken: list[Fraction] = []
    firsts: dict[int, Fraction] = {}
    for at in sorted(times):
        firsts.setdefault(floor(at * fps), at)
        if cadence.takes(at):
            taken.append(at)
    assert taken == list(firsts.values())


@given(rates, st.integers(0, 10**9))
def test_boundaries_never_drift(fps: Fraction, number: int) -> None:
    """A frame exactly at n/fps is in period n, also after years."""
    cadence = Cadence(fps)
    assert cadence.takes(number / fps)
    assert not cadence.takes((number + 1) / fps - Fraction(1, 10**12))
    assert cadence.takes((number + 1) / fps)


def test_a_pause_moves_nothing() -> None:
    """Two samples a second of frames that pause:

    time     0  .1  .4 .5      1.9 2.0 2.1
    taken    x         x        x   x
    """
    cadence = Cadence(Fraction(2))
    times = [Fraction(t, 10) for t in (0, 1, 4, 5, 19, 20, 21)]
    assert [float(t) for t in times if cadence.takes(t)] == [0, 0.5, 1.9, 2.0]


@given(disorderly_times)
def test_a_timeline_starts_at_zero_and_never_runs_away(times: list[Fraction | None]) -> None:
    """Each frame is within a second before and a minute after the latest before it."""
    timeline = Timeline(STEP)
    placed = [timeline.place(pts) for pts in times]
    latest = Fraction(0)
    for at in placed:
        assert latest - 1 <= at <= latest + MAX_FORWARD
        latest = max(latest, at)
    assert placed[:1] in ([], [0])


@given(seconds, st.lists(st.fractions(0, 1, max_denominator=1000), max_size=40))
def test_an_orderly_timeline_keeps_every_distance(start: Fraction, gaps: list[Fraction]) -> None:
    """Whatever the first presentation time is, the others are placed relative to it, exactly."""
    timeline = Timeline(STEP)
    times = [start]
    for gap in gaps:
        times.append(times[-1] + gap)
    assert [timeline.place(pts) for pts in times] == [pts - start for pts in times]


def test_frames_without_times_follow_at_the_usual_distance() -> None:
    timeline = Timeline(STEP)
    times = [None, None, Fraction(7), None, Fraction(7) + 2 * STEP]
    assert [timeline.place(pts) / STEP for pts in times] == [0, 1, 2, 3, 4]


def test_a_small_step_back_is_disorder_and_nothing_is_sampled_twice() -> None:
    """pts 5.0 5.6 5.2 5.9 6.0: the third is placed before the second, and is not taken."""
    timeline, cadence = Timeline(STEP), Cadence(Fraction(2))
    placed = [timeline.place(Fraction(pts, 10)) for pts in (50, 56, 52, 59, 60)]
    assert [float(at) for at in placed] == [0, 0.6, 0.2, 0.9, 1.0]
    assert [cadence.takes(at) for at in placed] == [True, True, False, False, True]


@pytest.mark.parametrize("restarted_at", [0, 5_000])
def test_an_encoder_that_starts_anew_continues_the_timeline(restarted_at: int) -> None:
    """A jump back by over a second, or ahead by over a minute, is closed up by one step."""
    timeline = Timeline(STEP)
    timeline.place(Fraction(100))
    timeline.place(Fraction(110))
    assert timeline.place(Fraction(restarted_at)) == 10 + STEP
    assert timeline.place(Fraction(restarted_at + 3)) == 13 + STEP


def test_rates_and_steps_must_be_positive() -> None:
    with pytest.raises(ValueError, match="fps"):
        Cadence(Fraction(0))
    with pytest.raises(ValueError, match="step"):
        Timeline(Fraction(0))
