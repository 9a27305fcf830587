"""What is shed, and what never is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.detection.shedding import (
    AT_RISK_LATER,
    KEEP_AT_RISK,
    RISK_LASTS,
    Risky,
    Shedder,
    ShedLimits,
)
from schemas import FrameSampled
from tests.builders import SECOND, START, frame_sampled

LIMITS = ShedLimits(backlog=5.0, keep_every=2 * SECOND, patience=2.0)
LITTLE, MUCH, FAR_TOO_MUCH = 5.0, 5.1, 5.0 * AT_RISK_LATER + 0.1


def frame(stream: str, at: int) -> FrameSampled:
    return frame_sampled(stream_id=stream, captured_at=START + at)


def shedder(*at_risk: str) -> Shedder:
    risky = Risky(0.1)
    for stream in at_risk:
        risky.take((stream, frame(stream, 0).session_id), 0.5, START)
    return Shedder(LIMITS, risky)


def kept(shedder: Shedder, frames: list[FrameSampled], backlog: float) -> list[FrameSampled]:
    return [it for it in frames if shedder.keeps(it, backlog)]


def test_what_waits_presses_once_it_has_been_too_much_for_a_while() -> None:
    asked = shedder()
    looks = [(LITTLE, 0), (MUCH, 1), (MUCH, 2.9), (MUCH, 3), (MUCH, 9), (LITTLE, 10), (MUCH, 10.1)]
    assert [asked.presses(*look) for look in looks] == [False] * 3 + [True] * 2 + [False] * 2


def test_once_little_waits_what_was_kept_before_counts_no_more() -> None:
    asked = shedder()
    assert asked.keeps(frame("a", 0), MUCH)
    assert not asked.keeps(frame("a", SECOND), MUCH)
    asked.presses(LITTLE, 0)
    assert asked.keeps(frame("a", SECOND), MUCH)


frames = st.lists(
    st.builds(frame, st.sampled_from("abc"), st.integers(-5 * SECOND, 60 * SECOND)), max_size=60
)


@given(frames, st.sampled_from([MUCH, FAR_TOO_MUCH]))
def test_every_stream_keeps_a_frame_in_so_many_seconds(
    frames: list[FrameSampled], backlog: float
) -> None:
    """A frame is shed only where one of the same stream is judged that was captured just before."""
    asked, judged = shedder("a"), list[FrameSampled]()
    for it in frames:
        if asked.keeps(it, backlog):
            judged.append(it)
        else:
            assert any(
                other.stream_id == it.stream_id
                and 0 <= it.captured_at - other.captured_at < LIMITS.keep_every
                for other in judged
            )


@given(frames)
def test_of_a_stream_at_risk_nothing_is_shed_before_it_is_far_too_much(
    frames: list[FrameSampled],
) -> None:
    at_risk = [it for it in frames if it.stream_id == "a"]
    assert kept(shedder("a"), at_risk, MUCH) == at_risk


def test_far_too_much_leaves_a_stream_at_risk_two_frames_a_second() -> None:
    sampled = [frame("a", number * SECOND // 10) for number in range(100)]
    judged = kept(shedder("a"), sampled, FAR_TOO_MUCH)
    assert [it.captured_at for it in judged] == [START + n * KEEP_AT_RISK for n in range(20)]


def test_calm_streams_are_thinned_out_to_one_frame_in_two_seconds() -> None:
    sampled = [frame("b", number * SECOND // 2) for number in range(40)]
    judged = kept(shedder("a"), sampled, MUCH)
    assert [it.captured_at for it in judged] == [START + n * LIMITS.keep_every for n in range(10)]


def test_a_new_session_is_judged_at_once() -> None:
    asked = shedder()
    assert asked.keeps(frame("b", 0), MUCH)
    assert not asked.keeps(frame("b", SECOND), MUCH)
    restarted = frame_sampled(stream_id="b", session_id="another", captured_at=START + SECOND)
    assert asked.keeps(restarted, MUCH)


@pytest.mark.parametrize(("risk", "known"), [(0.09, False), (0.1, True), (1.0, True)])
def test_from_a_level_on_a_stream_is_at_risk(risk: float, known: bool) -> None:
    risky = Risky(0.1)
    risky.take(("s", "1"), risk, START)
    assert (("s", "1") in risky) is known


def test_a_stream_that_is_clear_again_is_not_at_risk() -> None:
    risky = Risky(0.1)
    risky.take(("s", "1"), 0.9, START)
    risky.take(("s", "1"), 0.01, START + SECOND)
    assert ("s", "1") not in risky


def test_what_was_told_long_ago_is_forgotten() -> None:
    risky = Risky(0.1)
    risky.take(("old", "1"), 0.9, START)
    risky.take(("again", "1"), 0.9, START)
    risky.take(("again", "1"), 0.9, START + RISK_LASTS)
    risky.take(("new", "1"), 0.9, START + RISK_LASTS + 1)
    assert ("old", "1") not in risky
    assert ("again", "1") in risky
