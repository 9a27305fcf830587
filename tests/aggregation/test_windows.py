"""Sliding windows over one stream. Timelines are drawn in half seconds; x is a hit, . is none."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import chain
from math import nan
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


def test_a_jump_of_the_number_neither_refuses_what_comes_after_nor_lets_a_frame_in_twice() -> None:
    windows = SessionWindows(SPEC)
    numbers = (0, 10**18, 2**62, 5, 4)
    assert [observe(windows, Frame(at * 400), number) for at, number in enumerate(numbers)] == (
        [None] * 5
    )
    again = [observe(windows, Frame(at * 400), number) for at, number in enumerate(numbers)]
    assert again == [FrameRefused.DUPLICATE] * 5


def test_a_number_is_free_again_in_a_half_second_that_was_passed_over() -> None:
    windows = SessionWindows(SPEC)
    for at in (0, 4500, 4000):
        assert observe(windows, Frame(at), number=5) is None


@pytest.mark.parametrize("stride", [1, 2, 64, 1000, 33_333, 2**20])
def test_frames_numbered_in_strides_are_told_apart(stride: int) -> None:
    windows = SessionWindows(SPEC)
    assert [observe(windows, Frame(8 * at), at * stride) for at in range(60)] == [None] * 60


def test_more_frames_than_a_slot_holds_are_refused() -> None:
    windows = SessionWindows(SPEC)
    refused = [observe(windows, Frame(at, 1.0), at) for at in range(FRAMES_A_SLOT + 3)]
    assert refused == [None] * FRAMES_A_SLOT + [FrameRefused.CROWDED] * 3
    assert summaries(windows)[0].mean == 1.0


@pytest.mark.parametrize(
    ("scores", "at", "number", "reason"),
    [
        ([-0.1], 1000, 3, FrameRefused.MALFORMED),
        ([1.1], 1000, 3, FrameRefused.MALFORMED),
        ([nan], 1000, 3, FrameRefused.MALFORMED),
        ([0.9, 0.9], 1000, 3, FrameRefused.MALFORMED),
        ([], 1000, 3, FrameRefused.MALFORMED),
        ([0.9], -2000, 3, FrameRefused.LATE),
        ([0.9], 500, 1, FrameRefused.DUPLICATE),
    ],
)
def test_a_refused_frame_changes_nothing(
    scores: list[float], at: int, number: int, reason: FrameRefused
) -> None:
    windows = timeline("xx")
    before = pack(windows)
    assert windows.observe(START + at * MILLISECOND, 9, number, scores) is reason
    assert pack(windows) == before


@pytest.mark.parametrize(
    ("lengths", "grace"),
    [((), 0), ((700,), 0), ((0,), 0), ((33_000,), 0), ((3_000,), 4_000)],
)
def test_windows_that_the_ring_can_not_hold_are_refused(
    lengths: tuple[int, ...], grace: int
) -> None:
    with pytest.raises(ValueError, match="windows of"):
        WindowSpec(tuple(length * MILLISECOND for length in lengths), grace * MILLISECOND)


def test_evidence_is_the_highest_hits_of_the_longest_window() -> None:
    windows = SessionWindows(SPEC)
    for second, score in enumerate([0.1, 0.6, 0.9, 0.7, 0.8, 0.2]):
        observe(windows, Frame(second * 1000, score))
    evidence = best_frames(windows, "frames", 3)
    assert [ref.score for ref in evidence] == [0.9, 0.8, 0.7]
    best = evidence[0]
    assert (best.topic, best.partition, best.offset) == ("frames", 3, 2000)
    assert best.captured_at == START + 2 * SECOND


def test_a_frame_of_known_content_is_better_evidence_than_any_firearm() -> None:
    windows = SessionWindows(SPEC, ("firearm", "known_content"))
    for number, scores in enumerate([(0.9, 0.0), (0.2, 1.0), (1.0, 0.0), (0.8, 0.0)]):
        windows.observe(START + number * SECOND // 4, number, number, scores)
    # Two frames a slot: the better of each.
    found = [(ref.offset, ref.score) for ref in best_frames(windows, "frames", 3)]
    assert found == [(1, 0.2), (2, 1.0)]
    assert summaries(windows)[0].peak == 1.0


def test_a_silence_empties_the_windows() -> None:
    windows = timeline("xxxx")
    observe(windows, Frame(60_000))
    assert [(it.frames, it.hits) for it in summaries(windows)] == [(1, 0)] * 3
    assert best_frames(windows, "frames", 3) == []
    assert windows.clear


@pytest.mark.parametrize("offsets", [(7, 8), (8, 7)])
def test_of_frames_that_are_as_good_the_first_one_is_the_evidence(offsets: tuple[int, int]) -> None:
    windows = SessionWindows(SPEC)
    for offset in offsets:
        windows.observe(START + offset, offset, offset, [0.9])
    assert [ref.offset for ref in best_frames(windows, "frames", 3)] == [7]


def test_what_evidence_takes_is_given_back_once_a_stream_is_clear_again() -> None:
    windows = timeline("." * 8)
    calm = len(pack(windows))
    observe(windows, Frame(4000, 0.9))
    assert len(pack(windows)) > calm
    observe(windows, Frame(36_000))
    assert len(pack(windows)) == calm


def test_a_stream_is_clear_once_the_longest_window_has_no_hit() -> None:
    windows = timeline("x")
    observe(windows, Frame(29_999))
    assert not windows.clear
    observe(windows, Frame(30_000))
    assert windows.clear


def test_one_real_frame_makes_a_drill_real_for_as_long_as_it_is_kept() -> None:
    windows = SessionWindows(SPEC)
    drills = []
    for at, drill in ((0, True), (1000, False), (2000, True), (32_500, True), (33_000, True)):
        observe(windows, Frame(at, drill=drill))
        drills.append(windows.drill)
    assert drills == [True, False, False, False, True]


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
    """Against slots that hold the frames themselves."""
    windows = SessionWindows(SPEC, ("firearm", "fictional"))
    slots: dict[int, list[Frame]] = defaultdict(list)
    for frame in (*frames, *frames):
        if observe(windows, frame) is None:
            slots[(START + frame.at * MILLISECOND) // SLOT].append(frame)
    assert sum(map(len, slots.values())) <= len(frames)
    for summary in summaries(windows) if slots else ():
        length = round(summary.seconds * 2)
        covers = range(max(slots) - length + 1, max(slots) + 1)
        held = [slots[slot] for slot in covers if slot in slots]
        inside = list(chain.from_iterable(held))
        assert summary.frames == len(inside)
        assert summary.hits == sum(frame.firearm >= SPEC.hit for frame in inside)
        assert summary.observed == len(held)
        assert (
            summary.coverage == sum(slot in slots or slot + 1 in slots for slot in covers) / length
        )
        firearm, fictional = summary.signals
        assert firearm.on == sum(any(it.firearm >= SPEC.hit for it in slot) for slot in held)
        assert fictional.on == sum(any(it.fictional >= SPEC.hit for it in slot) for slot in held)
        assert summary.mean == approx(sum(frame.firearm for frame in inside) / len(inside))
        assert summary.fictional == approx(sum(frame.fictional for frame in inside) / len(inside))
        assert summary.peak == approx(max(it.firearm for it in inside))


@given(frames=FRAMES)
def test_the_best_frames_are_those_that_frames_kept_whole_would_give(frames: list[Frame]) -> None:
    windows = straight(frames)
    if not frames:
        return
    best: dict[int, tuple[int, int]] = {}
    for frame in frames:
        slot = (START + frame.at * MILLISECOND) // SLOT
        late = frame.at < max(it.at for it in frames[: frames.index(frame) + 1]) - 2000
        if frame.firearm >= SPEC.hit and not late and slot > windows.newest - 60:
            offered = (-int(frame.firearm * 1000 + 0.5), frame.at)
            best[slot] = min(best.get(slot, offered), offered)
    ranked = sorted((score, slot, at) for slot, (score, at) in best.items())[:3]
    found = [(ref.offset, ref.captured_at) for ref in best_frames(windows, "frames", 0)]
    assert found == [(at, START + at * MILLISECOND) for _, _, at in ranked]


def approx(expected: float) -> object:
    """Scores are kept in thousandths."""
    return pytest.approx(expected, abs=0.0006)


def test_a_session_is_at_most_two_kilobytes_whatever_it_holds() -> None:
    windows = SessionWindows(SPEC, KNOWN_SIGNALS)
    for number in range(5000):
        windows.observe(START + number * 10_000, 2**60 + number, number, [1.0] * 4)
    assert len(pack(windows)) <= 2048


@pytest.mark.parametrize("changed", [b"", b"something else"])
def test_a_snapshot_of_something_else_is_refused(changed: bytes) -> None:
    packed = pack(timeline("xx"))
    for other in (changed, packed + b"\0", packed[:-1]):
        with pytest.raises(ValueError, match="are no session's windows"):
            unpack(other, SPEC)
