"""What is shed, and what never is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.aggregation.risk import PartitionWindows
from agents.aggregation.windows import WindowSpec
from agents.decision.controls import Controls
from agents.decision.defaults import default_policy
from agents.decision.partition import PartitionDecisions
from agents.decision.policies import Policies
from agents.detection.shedding import (
    AT_RISK_LATER,
    KEEP_AT_RISK,
    RISK_LASTS,
    Pressed,
    Risky,
    Shedder,
    ShedLimits,
    ShedReason,
)
from schemas import Event, FrameSampled, TakedownRequested
from tests.builders import SECOND, START, detection, detections_made, frame_sampled

LIMITS = ShedLimits(backlog=5.0, keep_every=2 * SECOND, patience=2.0, age=120 * SECOND)
NONE, LITTLE, MUCH, FAR_TOO_MUCH = 0.0, 5.0, 5.1, 5.0 * AT_RISK_LATER + 0.1
NEW, OLD = LIMITS.age, LIMITS.age + 1


def frame(stream: str, at: int) -> FrameSampled:
    return frame_sampled(stream_id=stream, captured_at=START + at)


def shedder(*at_risk: str) -> Shedder:
    risky = Risky(0.1)
    for stream in at_risk:
        risky.take((stream, frame(stream, 0).session_id), 0.5, START)
    return Shedder(LIMITS, risky)


def kept(
    shedder: Shedder, frames: list[FrameSampled], pressure: float, age: int = NEW
) -> list[FrameSampled]:
    return [it for it in frames if shedder.sheds(it, pressure, age) is None]


def test_what_waits_presses_once_it_has_been_too_much_for_a_while() -> None:
    pressed = Pressed(LIMITS)
    looks = [(LITTLE, 0), (MUCH, 1), (MUCH, 2.9), (MUCH, 3), (MUCH, 9), (LITTLE, 10), (MUCH, 10.1)]
    assert [pressed.by(*look) for look in looks] == [NONE] * 3 + [MUCH] * 2 + [NONE] * 2


@pytest.mark.parametrize(
    ("pressure", "age", "why"),
    [
        (NONE, NEW, None),
        (LITTLE, NEW, None),
        (MUCH, NEW, ShedReason.BACKLOG),
        (NONE, OLD, ShedReason.TOO_OLD),
        (MUCH, OLD, ShedReason.TOO_OLD),
        # The brokers' clock may be behind what they stamped a moment ago.
        (NONE, -SECOND, None),
    ],
)
def test_a_frame_is_shed_for_what_waits_or_for_its_age(
    pressure: float, age: int, why: ShedReason | None
) -> None:
    asked = shedder()
    assert asked.sheds(frame("a", 0), pressure, age) is None
    assert asked.sheds(frame("a", SECOND), pressure, age) is why


def test_what_is_new_is_judged_again_once_what_is_old_is_done_with() -> None:
    asked = shedder()
    looks = [(0, OLD), (1, OLD), (2, OLD), (3, OLD), (3.5, NEW), (4, NEW), (4.5, NEW)]
    told = [asked.sheds(frame("a", int(at * SECOND)), NONE, age) for at, age in looks]
    old = ShedReason.TOO_OLD
    assert told == [None, old, None, old, None, None, None]


frames = st.lists(
    st.builds(frame, st.sampled_from("abc"), st.integers(-5 * SECOND, 60 * SECOND)), max_size=60
)
moments = st.lists(
    st.tuples(
        st.builds(frame, st.sampled_from("abc"), st.integers(-5 * SECOND, 60 * SECOND)),
        st.sampled_from([NONE, MUCH, FAR_TOO_MUCH]),
        st.sampled_from([NEW, OLD]),
    ),
    max_size=60,
)


@given(moments)
def test_every_stream_keeps_a_frame_in_so_many_seconds(
    moments: list[tuple[FrameSampled, float, int]],
) -> None:
    """A frame is shed only where one of the same stream is judged that was captured just before,
    of a stream at risk just half a second."""
    asked, judged = shedder("a"), list[FrameSampled]()
    for it, pressure, age in moments:
        every = KEEP_AT_RISK if it.stream_id == "a" else LIMITS.keep_every
        if asked.sheds(it, pressure, age) is None:
            judged.append(it)
        else:
            assert any(
                other.stream_id == it.stream_id and 0 < it.captured_at - other.captured_at < every
                for other in judged
            )


@given(frames)
def test_of_a_stream_at_risk_nothing_is_shed_before_it_is_far_too_much(
    frames: list[FrameSampled],
) -> None:
    at_risk = [it for it in frames if it.stream_id == "a"]
    assert kept(shedder("a"), at_risk, MUCH) == at_risk


@pytest.mark.parametrize(("pressure", "age"), [(FAR_TOO_MUCH, NEW), (NONE, OLD)])
def test_far_too_much_and_too_old_leave_a_stream_at_risk_two_frames_a_second(
    pressure: float, age: int
) -> None:
    sampled = [frame("a", number * SECOND // 10) for number in range(100)]
    judged = kept(shedder("a"), sampled, pressure, age)
    assert [it.captured_at for it in judged] == [START + n * KEEP_AT_RISK for n in range(20)]


@pytest.mark.parametrize(("pressure", "age"), [(MUCH, NEW), (NONE, OLD)])
def test_calm_streams_are_thinned_out_to_one_frame_in_two_seconds(
    pressure: float, age: int
) -> None:
    sampled = [frame("b", number * SECOND // 2) for number in range(40)]
    judged = kept(shedder("a"), sampled, pressure, age)
    assert [it.captured_at for it in judged] == [START + n * LIMITS.keep_every for n in range(10)]


def test_a_new_session_is_judged_at_once() -> None:
    asked = shedder()
    restarted = frame_sampled(stream_id="b", session_id="another", captured_at=START + SECOND)
    sampled = [frame("b", 0), frame("b", SECOND), restarted]
    assert kept(asked, sampled, MUCH) == [sampled[0], restarted]


def test_frames_that_come_again_are_judged_again() -> None:
    """The worker that was to judge them the first time may have been lost before it did."""
    asked, sampled = shedder(), [frame("b", number * SECOND) for number in range(5)]
    (first, second, last) = kept(asked, sampled, NONE, OLD)
    assert {first.id, second.id, last.id} <= {it.id for it in kept(asked, sampled, NONE, OLD)}


def test_an_attack_in_an_old_backlog_is_decided_from_what_is_judged_of_it() -> None:
    """A minute of it at five frames a second, and no word of its risk before all of it is read."""
    asked, begin = shedder(), 20
    windows, decisions = PartitionWindows(WindowSpec()), PartitionDecisions()
    judged, effects = 0, list[Event]()
    for number in range(300):
        it = frame("b", number * SECOND // 5)
        if asked.sheds(it, NONE, 2 * 3600 * SECOND) is not None:
            continue
        judged += 1
        score = 0.9 if it.captured_at >= START + begin * SECOND else 0.02
        seen = detection(
            number,
            stream_id="b",
            captured_at=it.captured_at,
            scores=[score, 0.02],
        )
        batch = detections_made(seen, signals=["firearm", "fictional"])
        for risk in windows.observe(batch, number):
            outcome = decisions.take(risk, Policies(default_policy()), Controls())
            effects += outcome.effects
    assert judged == 30
    (takedown,) = [it for it in effects if isinstance(it, TakedownRequested)]
    assert takedown.requested_at <= START + (begin + 10) * SECOND


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
