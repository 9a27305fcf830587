"""What on-call people are told of streams, whatever the order in which it was heard."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.oncall.read_model import ReadModel
from agents.oncall.streams import StreamRow, StreamState
from schemas import Event
from tests.builders import SECOND, START, detection, detections_made, risk_assessed

from .events import (
    NOW,
    dead_lettered,
    escalation_raised,
    stream_updated,
    takedown_requested,
)

WATCH_THRESHOLD = 0.3


def told(events: Sequence[Event], max_streams: int = 100) -> ReadModel:
    model = ReadModel(WATCH_THRESHOLD, max_streams)
    for event in events:
        model.apply(event, START)
    return model


def only_row(*events: Event) -> StreamRow:
    (row,) = told(events).rows(NOW)
    return row


def ended(**given: object) -> Event:
    return stream_updated("ended", updated_at=START + 9 * SECOND, **given)


@pytest.mark.parametrize(
    ("events", "state", "live"),
    [
        ([stream_updated()], StreamState.CLEAR, True),
        ([risk_assessed(risk=0.29)], StreamState.CLEAR, True),
        ([risk_assessed(risk=0.3)], StreamState.WATCHING, True),
        ([risk_assessed(risk=0.3), escalation_raised()], StreamState.ESCALATED, True),
        ([escalation_raised(), takedown_requested()], StreamState.TAKEDOWN_REQUESTED, True),
        ([takedown_requested(), escalation_raised()], StreamState.TAKEDOWN_REQUESTED, True),
        ([risk_assessed(risk=0.9), ended()], StreamState.ENDED, False),
        ([escalation_raised(), ended()], StreamState.ESCALATED, False),
        ([takedown_requested(), ended()], StreamState.TAKEDOWN_REQUESTED, False),
    ],
)
def test_the_state_is_the_gravest_that_the_session_reached(
    events: list[Event], state: StreamState, live: bool
) -> None:
    """A decision stands for the session, its end included; risk counts only as it is now."""
    row = only_row(*events)

    assert (row.state, row.live) == (state, live)


def test_an_escalation_after_a_takedown_takes_nothing_back() -> None:
    """The rule that is shown stays the takedown's, however late a person is asked as well."""
    later = escalation_raised(raised_at=START + SECOND, rule="brief")

    row = only_row(takedown_requested(rule="sustained"), later)

    assert (row.rule, row.state) == ("sustained", StreamState.TAKEDOWN_REQUESTED)


def test_a_batch_counts_each_streams_frames_and_keeps_the_newest() -> None:
    """A micro-batch of several streams tells each stream its own."""
    batch = detections_made(
        detection(0), detection(1, stream_id="stream-2"), detection(2), bundle="b/2"
    )

    one, two = sorted(told([batch]).rows(START + 2 * SECOND), key=lambda row: row.stream_id)

    assert (one.frames, one.newest_captured_at, one.frame_age) == (2, START + SECOND, 1.0)
    assert (two.frames, two.frame_age, two.bundle) == (1, 1.5, "b/2")


def test_a_frame_that_was_captured_earlier_makes_nothing_older() -> None:
    """Disorder adds to the count and leaves the newest frame."""
    late = detections_made(detection(5, offset=9, captured_at=START - SECOND), bundle="old")

    row = only_row(detections_made(detection(0, offset=8)), late)

    assert (row.frames, row.newest_captured_at, row.bundle) == (2, START, "test/1")


def test_an_older_assessment_does_not_bring_its_risk_back() -> None:
    """Risk follows event time, not the order of reading."""
    newer = risk_assessed(risk=0.1, assessed_at=START + SECOND)

    assert only_row(newer, risk_assessed(risk=0.9)).risk == 0.1


def test_a_new_session_starts_over_and_the_old_one_stays_past() -> None:
    """A restarted stream carries neither decision nor frames of before, and keeps dead letters."""
    before: list[Event] = [detections_made(detection(0)), takedown_requested(), dead_lettered()]
    restart = stream_updated(session_id="session-2", updated_at=START + 20 * SECOND)
    belated = stream_updated("ended", updated_at=START + 30 * SECOND)

    row = only_row(*before, restart, belated, escalation_raised(raised_at=START + 40 * SECOND))

    assert (row.session_id, row.state, row.live) == ("session-2", StreamState.CLEAR, True)
    assert (row.frames, row.rule, row.dead_letters) == (0, "", 1)


def test_a_stream_is_a_drill_only_while_everything_says_so() -> None:
    """One real frame among drill frames makes the stream real to those who watch."""
    drill = detections_made(detection(0, drill=True))
    real = detections_made(detection(1))

    assert only_row(drill).drill
    assert not only_row(drill, real).drill


def test_a_stream_of_which_only_dead_letters_are_known_is_shown() -> None:
    """A stream that nobody could read is a stream that nobody watches."""
    row = only_row(dead_lettered(), dead_lettered(dead_letter_id="d-2"))

    assert (row.dead_letters, row.session_id, row.drill, row.frame_age) == (2, "", False, None)


def test_dead_letters_are_counted_by_cause_with_the_stream_or_without() -> None:
    """A record that named no stream still counts."""
    model = told(
        [dead_lettered(), dead_lettered(dead_letter_id="d-2", stream_id="", cause="other")]
    )

    assert model.counters().dead_letters == {"undecodable-payload": 1, "other": 1}
    assert len(model) == 1


def test_the_gravest_streams_come_first_and_the_limit_cuts_the_rest() -> None:
    """State before risk, live before ended, risk before name."""
    events: list[Event] = [
        risk_assessed(stream_id="calm", risk=0.1),
        risk_assessed(stream_id="watched", risk=0.4),
        risk_assessed(stream_id="watched-more", risk=0.5),
        stream_updated("ended", stream_id="gone"),
        escalation_raised(stream_id="escalated", escalation_id="e-2"),
        takedown_requested(stream_id="stopped-and-gone", takedown_id="t-2"),
        ended(stream_id="stopped-and-gone"),
        takedown_requested(stream_id="stopped"),
    ]
    names = [row.stream_id for row in told(events).rows(NOW)]

    assert names == [
        "stopped", "stopped-and-gone", "escalated", "watched-more", "watched", "calm", "gone",
    ]  # fmt: skip
    assert [row.stream_id for row in told(events).rows(NOW, limit=2)] == names[:2]


def test_too_many_streams_cost_the_ended_then_the_longest_unheard_of() -> None:
    """Evictions are counted, and a flood of streams does not push out a decided one."""
    model = ReadModel(WATCH_THRESHOLD, max_streams=3)
    model.apply(escalation_raised(stream_id="escalated"), 0)
    model.apply(stream_updated("ended", stream_id="gone"), 5)
    model.apply(stream_updated(stream_id="old"), 1)
    model.apply(stream_updated(stream_id="new-1"), 2)
    assert {row.stream_id for row in model.rows(NOW)} == {"escalated", "old", "new-1"}

    model.apply(stream_updated(stream_id="new-2"), 3)

    assert {row.stream_id for row in model.rows(NOW)} == {"escalated", "new-1", "new-2"}
    assert model.counters().evicted == 2


def _session(stream_id: str, number: int, draw: random.Random) -> list[list[Event]]:
    """One session's events, a list a topic, each in the topic's order."""
    start = START + number * 1000 * SECOND
    who: dict[str, Any] = {"stream_id": stream_id, "session_id": f"session-{number}"}
    times = [start + second * SECOND for second in range(draw.randint(1, 6))]
    updates: list[Event] = [stream_updated(updated_at=start, **who)]
    if draw.random() < 0.5:
        # A shard may report an end long after the next session began.
        end = start + draw.choice([10, 1500]) * SECOND
        updates.append(stream_updated("ended", updated_at=end, **who))
    judged: list[Event] = [
        detections_made(detection(n, captured_at=at, offset=number * 100 + n, **who))
        for n, at in enumerate(times)
    ]
    risks: list[Event] = [
        risk_assessed(risk=draw.random(), assessed_at=at, risk_id=f"{stream_id}{at}", **who)
        for at in times
    ]
    decided: list[Event] = []
    if draw.random() < 0.5:
        decided = [
            takedown_requested(takedown_id=f"takedown-{number}", requested_at=times[-1], **who)
        ]
    raised: list[Event] = []
    if draw.random() < 0.5:
        raised = [
            escalation_raised(escalation_id=f"escalation-{number}", raised_at=times[0], **who)
        ]
    return [updates, judged, risks, decided, raised]


def _topics(draw: random.Random) -> list[list[Event]]:
    sessions = [_session("stream-1", number, draw) for number in range(draw.randint(1, 3))]
    return [list(chain.from_iterable(parts)) for parts in zip(*sessions, strict=True)]


def _interleaved(topics: list[list[Event]], draw: random.Random) -> list[Event]:
    left = [list(topic) for topic in topics if topic]
    events = []
    while left:
        topic = draw.choice(left)
        events.append(topic.pop(0))
        left = [topic for topic in left if topic]
    return events


@given(st.randoms(use_true_random=False), st.data())
def test_reading_any_prefix_again_changes_nothing(draw: random.Random, data: st.DataObject) -> None:
    """At-least-once delivery shows and counts everything once."""
    events = _interleaved(_topics(draw), draw)
    again = events[: data.draw(st.integers(0, len(events)))]

    once, twice = told(events), told([*events, *again])

    assert twice.rows(NOW) == once.rows(NOW)
    assert twice.counters() == once.counters()


@given(st.randoms(use_true_random=False))
def test_the_order_in_which_topics_are_read_does_not_matter(draw: random.Random) -> None:
    """However the topics interleave, the last session's facts are the same in the end."""
    topics = _topics(draw)

    one, other = told(_interleaved(topics, draw)), told(list(chain.from_iterable(topics)))

    assert one.rows(NOW) == other.rows(NOW)
    assert one.counters() == other.counters()
