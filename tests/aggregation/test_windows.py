"""Sliding windows over one stream. Timelines are drawn in half seconds; x is a hit, . is none."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.aggregation.evidence import signal_evidence
from agents.aggregation.snapshot import pack, unpack
from agents.aggregation.summary import best_frames, summaries
from agents.aggregation.windows import (
    FRAMES_A_SLOT,
    KNOWN_SIGNALS,
    SLOT,
    FrameRefused,
    SessionWindows,
    WindowSpec,
)
from tests.builders import SECOND, START

SPEC = WindowSpec()
MILLISECOND = 1000


class Frame(NamedTuple):
    """A frame at ``at`` milliseconds, of which ten are one number unless said otherwise."""

    at: int
    firearm: float = 0.0
    fictional: float = 0.0
    drill: bool = False


def observe(
    windows: SessionWindows, frame: Frame, number: int | None = None
) -> FrameRefused | None:
    captured_at = START + frame.at * MILLISECOND
    sequence = frame.at // 10 if number is None else number
    scores = [frame.firearm, frame.fictional][: len(windows.signals)]
    return windows.observe(captured_at, frame.at, sequence, scores, frame.drill)


def timeline(drawing: str, a_second: int = 2) -> SessionWindows:
    """``x`` scores 0.9, ``.`` scores 0, a space is no frame."""
    windows = SessionWindows(SPEC)
    for tick, mark in enumerate(drawing):
        if mark != " ":
            score = 0.9 if mark == "x" else 0.0
            assert observe(windows, Frame(tick * 1000 // a_second, score), tick) is None
    return windows


def told(windows: SessionWindows) -> tuple[object, ...]:
    """All that windows say."""
    return (
        summaries(windows),
        signal_evidence(windows),
        best_frames(windows, "frames", 0),
        windows.drill,
        windows.clear,
    )


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
    short = summaries(timeline(drawing))[0]
    assert (short.hits, short.frames) == (hits, frames)


@pytest.mark.parametrize(
    ("drawing", "a_second", "coverage", "observed"),
    [
        ("x" * 24, 8, 1.0, 6),
        ("xxxxxx", 2, 1.0, 6),
        ("x x x x", 2, 1.0, 3),  # one frame a second
        ("x     x", 2, 1 / 3, 1),  # of six half seconds, that of the frame and the one before
        ("      x", 2, 1 / 3, 1),
    ],
)
def test_coverage_is_watched_time_whatever_the_sampling_rate(
    drawing: str, a_second: int, coverage: float, observed: int
) -> None:
    short = summaries(timeline(drawing, a_second))[0]
    assert short.coverage == pytest.approx(coverage)
    assert short.observed == observed


def test_half_seconds_with_a_hit_mean_the_same_when_the_sampling_rate_changes() -> None:
    windows = SessionWindows(SPEC)
    times = [*range(0, 4000, 500), *range(4000, 8000, 125), *range(8000, 12000, 1000)]
    for at in times:
        observe(windows, Frame(at, 0.9))
    (firearm,) = summaries(windows)[1].signals
    # Of 1.5 to 11.5 s: five half seconds at 2 a second, eight at 8, and four at 1.
    assert (firearm.on, summaries(windows)[1].observed) == (17, 17)
    assert firearm.hits == 5 + 32 + 4


def test_a_frame_within_grace_counts_and_one_beyond_is_late() -> None:
    windows = timeline("......")  # watermark 2.5 s
    assert observe(windows, Frame(500), number=1) is FrameRefused.DUPLICATE
    fresh = SessionWindows(SPEC)
    observe(fresh, Frame(2500))
    assert observe(fresh, Frame(500)) is None
    assert observe(fresh, Frame(499), number=48) is FrameRefused.LATE


def test_a_frame_counts_once_however_often_it_comes() -> None:
    windows = SessionWindows(SPEC)
    for frame in (Frame(0, 0.9), Frame(500, 0.9), Frame(500, 0.9), Frame(0, 0.9)):
        observe(windows, frame)
    assert summaries(windows)[0].hits == 2


def test_a_shard_that_begins_to_count_anew_goes_on_being_watched() -> None:
    windows = timeline("." * 20)
    assert observe(windows, Frame(20_000, 0.9), number=0) is None
    assert observe(windows, Frame(20_500, 0.9), number=1) is None
    assert summaries(windows)[0].hits == 2


def test_a_jump_of_the_number_costs_no_memory() -> None:
    windows = SessionWindows(SPEC)
    for at, number in enumerate((0, 10**18, 2**62, 5)):
        assert observe(windows, Frame(at * 500), number) is None
    assert windows.numbers.bit_length() <= 256


def test_more_frames_than_a_slot_holds_are_refused() -> None:
    windows = SessionWindows(SPEC)
    refused = [observe(windows, Frame(at, 1.0), at) for at in range(FRAMES_A_SLOT + 3)]
    assert refused == [None] * FRAMES_A_SLOT + [FrameRefused.CROWDED] * 3
    assert summaries(windows)[0].mean == 1.0


@pytest.mark.parametrize("score", [-0.1, 1.1])
def test_a_score_that_is_none_changes_nothing(score: float) -> None:
    windows = timeline("xx")
    before = pack(windows)
    with pytest.raises(ValueError, match="outside 0 to 1"):
        observe(windows, Frame(1000, score))
    assert pack(windows) == before


def test_evidence_is_the_highest_hits_of_the_longest_window() -> None:
    windows = SessionWindows(SPEC)
    for second, score in enumerate([0.1, 0.6, 0.9, 0.7, 0.8, 0.2]):
        observe(windows, Frame(second * 1000, score))
    evidence = best_frames(windows, "frames", 3)
    assert [ref.score for ref in evidence] == [0.9, 0.8, 0.7]
    best = evidence[0]
    assert (best.topic, best.partition, best.offset) == ("frames", 3, 2000)
    assert best.captured_at == START + 2 * SECOND


def test_one_real_frame_makes_a_drill_real() -> None:
    windows = SessionWindows(SPEC)
    observe(windows, Frame(0, drill=True))
    assert windows.drill
    observe(windows, Frame(1000))
    assert not windows.drill


def test_a_bundle_that_says_other_signals_goes_on_with_what_both_say() -> None:
    windows = SessionWindows(SPEC, ("firearm", "fictional"))
    observe(windows, Frame(0, 0.9, 0.2))
    windows.keep_signals(("firearm", "known_content"))
    windows.observe(START + SECOND, 2, 2, [0.7, 1.0])
    firearm, known = summaries(windows)[0].signals
    assert (firearm.hits, known.hits) == (2, 1)


FRAMES = st.lists(
    st.builds(
        Frame,
        st.integers(0, 4_000).map(lambda tens: 10 * tens),
        st.floats(0, 1, width=32),
        st.floats(0, 1, width=32),
        st.booleans(),
    ),
    unique_by=lambda frame: frame.at,
    max_size=60,
)


def straight(frames: list[Frame]) -> SessionWindows:
    windows = SessionWindows(SPEC, ("firearm", "fictional"))
    for frame in frames:
        observe(windows, frame)
    return windows


@given(frames=FRAMES, chance=st.randoms(use_true_random=False))
def test_arrival_order_within_grace_changes_nothing(
    frames: list[Frame], chance: random.Random
) -> None:
    ordered = sorted(frames)
    jittered = sorted(ordered, key=lambda frame: frame.at + chance.uniform(0, 1990))
    if frames:
        assert told(straight(ordered)) == told(straight(jittered))


@given(frames=FRAMES, cut=st.integers(0, 60))
def test_a_replay_from_any_snapshot_equals_the_straight_run(frames: list[Frame], cut: int) -> None:
    first, second = frames[:cut], frames[cut:]
    taken_up = unpack(pack(straight(first)), SPEC)
    refused = [observe(taken_up, frame) for frame in second]
    whole = straight(first)
    assert [observe(whole, frame) for frame in second] == refused
    assert pack(taken_up) == pack(whole)


@given(frames=FRAMES)
def test_the_watermark_never_goes_back(frames: list[Frame]) -> None:
    windows = SessionWindows(SPEC, ("firearm", "fictional"))
    seen = 0
    for frame in frames:
        observe(windows, frame)
        assert windows.watermark >= seen
        seen = windows.watermark


@given(frames=FRAMES)
def test_each_frame_counts_once_in_each_window_that_covers_it(frames: list[Frame]) -> None:
    windows = SessionWindows(SPEC, ("firearm", "fictional"))
    slots: dict[int, list[Frame]] = defaultdict(list)
    for frame in (*frames, *frames):
        if observe(windows, frame) is None:
            slots[(START + frame.at * MILLISECOND) // SLOT].append(frame)
    assert sum(map(len, slots.values())) <= len(frames)
    for summary in summaries(windows) if slots else ():
        first = max(slots) - round(summary.seconds * 2) + 1
        inside = [frame for slot, held in slots.items() if slot >= first for frame in held]
        assert summary.frames == len(inside)
        assert summary.hits == sum(frame.firearm >= SPEC.hit for frame in inside)
        expected = sum(frame.firearm for frame in inside) / len(inside)
        assert summary.mean == pytest.approx(expected, abs=0.0006)
        assert summary.peak == pytest.approx(max(it.firearm for it in inside), abs=0.0006)


def test_a_session_is_at_most_two_kilobytes_whatever_it_holds() -> None:
    windows = SessionWindows(SPEC, KNOWN_SIGNALS)
    for number in range(5000):
        windows.observe(START + number * 10_000, 2**60 + number, number, [1.0] * 4)
    assert len(pack(windows)) <= 2048


def test_a_snapshot_of_something_else_is_refused() -> None:
    packed = pack(timeline("xx"))
    with pytest.raises(ValueError, match="are a session's windows"):
        unpack(packed + b"\0", SPEC)
