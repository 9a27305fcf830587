"""Sliding windows over one stream. Timelines are drawn in seconds; x is a hit, . is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.aggregation.windows import FrameRefused, Sample, SessionWindows, WindowSpec
from tests.builders import SECOND, START

SPEC = WindowSpec(
    lengths=(3 * SECOND, 10 * SECOND), grace=2 * SECOND, hold=SECOND, hit=0.5, samples=64
)


def sample(at: float, score: float = 0.0, number: int | None = None, drill: bool = False) -> Sample:
    """A frame ``at`` seconds; its number follows from the time unless given."""
    sequence = round(at * 1000) if number is None else number
    return Sample(START + round(at * SECOND), sequence, sequence, score, drill=drill)


def timeline(drawing: str, spec: WindowSpec = SPEC) -> SessionWindows:
    """One frame every half second: ``x`` scores 0.9, ``.`` scores 0, a space is no frame."""
    windows = SessionWindows(spec)
    for tick, mark in enumerate(drawing):
        if mark != " ":
            assert windows.observe(sample(tick / 2, 0.9 if mark == "x" else 0.0)) is None
    return windows


@pytest.mark.parametrize(
    ("drawing", "hits", "frames"),
    [
        #   0 1 2 3 4 5
        ("......", 0, 6),
        ("xxxxxx", 6, 6),
        ("xx........", 0, 6),  # the hits have left the window of three seconds
        ("....xx....", 2, 6),
        ("xxxxxxxxxx", 6, 6),
        ("x    x", 2, 2),
    ],
)
def test_the_short_window_counts_the_last_three_seconds(
    drawing: str, hits: int, frames: int
) -> None:
    short = timeline(drawing).summaries()[0]
    assert (short.hits, short.frames) == (hits, frames)


def test_a_window_is_open_at_its_start_and_closed_at_its_end() -> None:
    windows = SessionWindows(SPEC)
    windows.observe(sample(0.0, 0.9))
    windows.observe(sample(3.0, 0.9))
    assert windows.summaries()[0].hits == 1
    assert windows.summaries()[1].hits == 2


def test_coverage_is_watched_time_and_not_frames() -> None:
    sparse, dense = timeline("x x x x x x x"), timeline("xxxxxxxxxxxxx")
    assert sparse.summaries()[0].coverage == pytest.approx(1.0)
    assert dense.summaries()[0].coverage == pytest.approx(1.0)


def test_a_silence_longer_than_a_frame_vouches_for_is_not_covered() -> None:
    #                   0 1 2 3
    windows = timeline("x     x")
    # Of (0, 3] only the second before the frame at 3 is vouched for.
    assert windows.summaries()[0].coverage == pytest.approx(1 / 3)


def test_a_frame_within_grace_counts_and_one_beyond_is_late() -> None:
    windows = timeline("......")  # watermark 2.5
    assert windows.observe(sample(0.5, number=9000)) is FrameRefused.DUPLICATE
    assert windows.observe(sample(0.75)) is None
    assert windows.observe(sample(0.499)) is FrameRefused.LATE


def test_a_frame_counts_once_however_often_it_comes() -> None:
    windows = timeline("xx")
    assert windows.observe(sample(0.5, 0.9)) is FrameRefused.DUPLICATE
    assert windows.observe(sample(0.6, 0.9, number=500)) is FrameRefused.DUPLICATE
    assert windows.summaries()[0].hits == 2


def test_evidence_is_the_highest_hits_of_the_longest_window() -> None:
    windows = SessionWindows(SPEC)
    for at, score in enumerate([0.1, 0.6, 0.9, 0.7, 0.8, 0.2]):
        windows.observe(sample(at, score))
    evidence = windows.evidence("frames", 3)
    assert [ref.score for ref in evidence] == [0.9, 0.8, 0.7]
    assert (evidence[0].topic, evidence[0].partition, evidence[0].offset) == ("frames", 3, 2000)


def test_one_real_frame_makes_a_drill_real() -> None:
    windows = SessionWindows(SPEC)
    windows.observe(sample(0, drill=True))
    assert windows.drill
    windows.observe(sample(1, drill=False))
    assert not windows.drill


def test_state_is_bounded_at_any_sampling_rate() -> None:
    windows = SessionWindows(SPEC)
    for number in range(1000):
        windows.observe(sample(number / 100, number=number))
    assert len(windows.samples) == SPEC.samples


TIMES = st.lists(
    st.tuples(st.integers(0, 40_000), st.floats(0, 1)), unique_by=lambda pair: pair[0], max_size=40
)


@given(frames=TIMES, swaps=st.randoms(use_true_random=False))
def test_arrival_order_within_grace_changes_nothing(frames: list[tuple[int, float]], swaps) -> None:  # type: ignore[no-untyped-def]
    ordered = sorted(frames)
    jittered = sorted(ordered, key=lambda pair: pair[0] + swaps.uniform(0, 1999))
    straight, shuffled = SessionWindows(SPEC), SessionWindows(SPEC)
    for milliseconds, score in ordered:
        straight.observe(sample(milliseconds / 1000, score))
    for milliseconds, score in jittered:
        assert shuffled.observe(sample(milliseconds / 1000, score)) is None
    if frames:
        assert straight.summaries() == shuffled.summaries()
        assert straight.evidence("t", 0) == shuffled.evidence("t", 0)


@given(frames=TIMES)
def test_the_watermark_never_goes_back(frames: list[tuple[int, float]]) -> None:
    windows = SessionWindows(SPEC)
    seen = 0
    for milliseconds, score in frames:
        windows.observe(sample(milliseconds / 1000, score))
        assert windows.watermark >= seen
        seen = windows.watermark


@given(frames=TIMES)
def test_each_frame_counts_once_in_each_window_that_covers_it(
    frames: list[tuple[int, float]],
) -> None:
    windows = SessionWindows(SPEC)
    taken = [
        milliseconds
        for milliseconds, score in frames
        if windows.observe(sample(milliseconds / 1000, score)) is None
    ]
    for summary in windows.summaries() if taken else ():
        start = max(taken) - summary.seconds * 1000
        assert summary.frames == sum(milliseconds > start for milliseconds in taken)
