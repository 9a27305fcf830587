"""What holds of any course of events: of risks, news, answers, orders and time."""

from __future__ import annotations

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agents.decision.partition import PartitionDecisions
from agents.decision.session import Session
from agents.decision.states import State
from schemas import (
    EscalationRaised,
    Event,
    IncidentClosed,
    RiskAssessed,
    StreamsCounted,
    StreamUnwatched,
    TakedownAcknowledged,
    TakedownRequested,
    derive_id,
)
from tests.decision.timeline import Timeline, at, heard, order, risk, update

STREAMS = ("a", "b")
ORDERS = (
    "takedown",
    "release",
    "suppress",
    "resume",
    "verdict-true",
    "verdict-false",
    "acknowledge",
    "assign",
    "escalate",
)

HAPPENINGS = st.one_of(
    st.tuples(
        st.just("risk"),
        st.sampled_from(STREAMS),
        st.sampled_from([0, 1, 3, 8]),
        st.sampled_from([0.0, 0.7, 0.99]),
        st.sampled_from([0, 0, 0, 1]),
    ),
    st.tuples(st.just("order"), st.sampled_from(STREAMS), st.sampled_from(ORDERS)),
    st.tuples(
        st.just("news"),
        st.sampled_from(STREAMS),
        st.sampled_from(["started", "updated", "reported", "ended"]),
    ),
    st.tuples(st.just("answer"), st.sampled_from(["stopped", "failed"])),
    st.tuples(st.just("tick"), st.booleans()),
)
COURSES = st.lists(st.tuples(HAPPENINGS, st.integers(1, 40)), max_size=40)
"""What happens, and how many seconds later."""
Course = list[tuple[tuple[object, ...], int]]


def unfold(course: Course, timeline: Timeline, restart: bool = False) -> Timeline:
    """Play ``course``; with ``restart`` another worker takes over after each event."""
    now = 0.0
    for number, (what, later) in enumerate(course):
        now += later
        for event in _events(what, now, number, timeline):
            timeline.play(event)
            if restart:
                kept = msgspec.json.encode(list(timeline.decisions.sessions.items()))
                read = msgspec.json.decode(kept, type=list[tuple[tuple[str, str], Session]])
                time = timeline.decisions.now
                timeline.decisions = PartitionDecisions(dict(read))
                # A tick comes before anything else that rests on time.
                timeline.decisions.pass_time(time, timeline.policies)
    return timeline


def _events(what: tuple[object, ...], now: float, number: int, timeline: Timeline) -> list[Event]:
    match what:
        case ("risk", str(stream), int(hits), float(fictional), int(known)):
            return [risk(now, hits, fictional=fictional, known=known, stream=stream)]
        case ("order", str(stream), str(command)):
            until = now + 60 if command == "suppress" else 0
            return [order(now, command, until, stream=stream, command_id=f"order {number}")]
        case ("news", str(stream), str(change)):
            return [update(now, change, stream=stream, viewers=number)]
        case ("tick", bool(frames)):
            seen = [(stream, "session-1", now) for stream in STREAMS] if frames else []
            return [heard(now, *seen)]
        case ("answer", str(outcome)):
            asked = timeline.all(TakedownRequested)
            if asked:
                last = asked[-1]
                answer_id = derive_id("answer", number)
                about = (last.takedown_id, last.stream_id, last.session_id)
                return [TakedownAcknowledged(answer_id, *about, outcome, "", "service", at(now))]
    return []


def decided(timeline: Timeline) -> list[tuple[str, str]]:
    """Effects on streams, by name and id."""
    told = (it for it in timeline.effects if not isinstance(it, StreamsCounted | StreamUnwatched))
    return [(type(it).__name__, it.id) for it in told]


@given(course=COURSES)
@settings(max_examples=500)
def test_the_same_events_give_the_same_effects_to_the_byte(course: Course) -> None:
    one, other = unfold(course, Timeline()), unfold(course, Timeline())
    assert list(map(msgspec.json.encode, one.effects)) == list(
        map(msgspec.json.encode, other.effects)
    )


@given(course=COURSES)
@settings(max_examples=500)
def test_a_worker_that_takes_over_at_any_point_decides_as_the_first_would_have(
    course: Course,
) -> None:
    """Of streams that the platform said it has; of others a worker knows once they are heard."""
    started: Course = [(("news", stream, "started"), 1) for stream in STREAMS]
    begun: Course = [(("tick", False), 1), *started, *course]
    assert decided(unfold(begun, Timeline(), restart=True)) == decided(unfold(begun, Timeline()))


@given(course=COURSES)
@example(
    # People are told at one tick that nobody confirmed and, then, that nobody answered.
    course=[
        (("risk", "a", 0, 0.0, 1), 1),
        (("answer", "failed"), 55),
        (("order", "a", "takedown"), 25),
        (("tick", False), 40),
        (("answer", "failed"), 12),
        (("tick", False), 108),
    ]
)
@settings(max_examples=500)
def test_one_id_has_one_content(course: Course) -> None:
    contents: dict[str, bytes] = {}
    for effect in unfold(course, Timeline()).effects:
        if not isinstance(effect, StreamsCounted):
            encoded = msgspec.json.encode(effect)
            assert contents.setdefault(effect.id, encoded) == encoded


class Watched(Timeline):
    """Looks at each step that is taken."""

    def play(self, *events: Event) -> list[Event]:
        before = {stream: self.state(stream) for stream in STREAMS}
        effects = super().play(*events)
        (event,) = events
        if isinstance(event, RiskAssessed):
            self._look(event, before[event.stream_id], effects)
        return effects

    def _look(self, event: RiskAssessed, before: State, effects: list[Event]) -> None:
        kinds = {type(it) for it in effects}
        # Whatever is taken down is put before people, and has frames to look at.
        for takedown in (it for it in effects if isinstance(it, TakedownRequested)):
            assert takedown.evidence
            assert EscalationRaised in kinds or before is State.ESCALATED
        # A person's word holds against everything, or against all but more than they saw.
        if before is State.SUPPRESSED:
            assert kinds <= {StreamsCounted}
        # The machine closes nothing.
        assert IncidentClosed not in kinds
        if before in (State.ESCALATED, State.TAKEDOWN_REQUESTED, State.STOPPED):
            assert self.state(event.stream_id) not in (State.CLEAR, State.WATCHING)


@given(course=COURSES)
@settings(max_examples=500)
def test_people_are_told_and_their_word_holds(course: Course) -> None:
    unfold(course, Watched())


@given(course=COURSES, hits=st.sampled_from([3, 8]), later=st.integers(1, 300))
@settings(max_examples=1000)
def test_no_evidence_of_the_same_grade_takes_down_what_a_person_released(
    course: Course, hits: int, later: int
) -> None:
    timeline = unfold(course, Timeline())
    now = 41.0 * 41
    timeline.play(risk(now, 8, stream="a"), order(now + 1, "release", stream="a"))
    if timeline.state("a") is not State.RELEASED:
        return
    effects = timeline.play(risk(now + 1 + later, hits, stream="a"))
    assert not any(isinstance(it, TakedownRequested) for it in effects)
