"""Whatever the order in which topics are read, and however often, people are told the same."""

from __future__ import annotations

import random
from itertools import chain
from typing import Any, NamedTuple
from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st

from agents.oncall.audit import Search
from agents.oncall.audit_entries import Entry
from agents.oncall.incidents import Incident, Wanted
from agents.oncall.read_model import Counters, ReadModel
from agents.oncall.rows import StreamRow
from schemas import AlertRaised, Event
from tests.builders import SECOND, START, risk_assessed, window

from .events import (
    NOW,
    acknowledged,
    alert_raised,
    answered,
    boost_requested,
    commanded,
    dead_lettered,
    escalation_raised,
    heard,
    incident_closed,
    reversed_decision,
    stream_updated,
    takedown_requested,
    unwatched,
)
from .folding import told


def _session(stream_id: str, number: int, draw: random.Random) -> list[list[Event]]:
    """One session's events, a list a topic, each in the topic's order."""
    start = START + number * 1000 * SECOND
    who: dict[str, Any] = {"stream_id": stream_id, "session_id": f"session-{number}"}
    times = [start + second * SECOND for second in range(draw.randint(1, 6))]
    updates: list[Event] = [
        stream_updated(updated_at=start, viewers=draw.randint(-1, 9), region="NZ", **who),
        stream_updated("updated", updated_at=start + draw.randint(-1, 1), viewers=7, **who),
    ]
    if draw.random() < 0.5:
        # A shard may report an end long after the next session began.
        end = start + draw.choice([10, 1500]) * SECOND
        updates.append(stream_updated("ended", updated_at=end, **who))
    # The records of a partition are told apart by their times: no two streams share one here.
    partition = crc32(f"{stream_id}/{number}".encode()) % 2**31
    judged: list[Event] = [
        heard(2, heard_at=at, partition=partition, captured_at=at, appended_at=at, **who)
        for at in times
    ]
    risks: list[Event] = [
        risk_assessed(
            window(10.0, draw.randint(0, 2)),
            risk=draw.random(),
            assessed_at=at,
            risk_id=f"{stream_id}{at}",
            **who,
        )
        for at in times
    ]
    decided: list[Event] = []
    answers: list[Event] = []
    if draw.random() < 0.5:
        decided = [
            takedown_requested(takedown_id=f"takedown-{number}", requested_at=times[-1], **who)
        ]
        answers = [
            acknowledged(
                takedown_id=f"takedown-{number}",
                acknowledgement_id=f"ack-{number}-{outcome}",
                outcome=outcome,
                acknowledged_at=times[-1] + after * SECOND,
                **who,
            )
            for after, outcome in enumerate(draw.sample(["failed", "stopped"], draw.randint(0, 2)))
        ]
    raised: list[Event] = []
    if draw.random() < 0.5:
        raised = [
            escalation_raised(
                escalation_id=f"escalation-{number}-{n}",
                raised_at=times[0] + n * 5 * SECOND,
                change=change,
                cause_id=f"cause-{n}",
                **who,
            )
            for n, change in enumerate(["opened", "updated", "repeated"][: draw.randint(1, 3)])
        ]
    orders: list[Event] = []
    answers_to_people: list[Event] = []
    for n in range(draw.randint(0, 3)):
        command, at = draw.choice(["release", "suppress", "resume", "acknowledge"]), start + n
        orders.append(
            commanded(
                command,
                command_id=f"command-{number}-{n}",
                stream_id=stream_id,
                # Some have lapsed by then.
                until=NOW + draw.choice([-1, 1]) if command == "suppress" else 0,
                issued_at=at,
            )
        )
        answers_to_people.append(
            answered(
                command,
                command_id=f"command-{number}-{n}",
                applied=draw.random() < 0.8,
                state_after=draw.choice(["released", "suppressed", "clear", "escalated"]),
                answered_at=at + draw.randint(0, 20) * SECOND,
                **who,
            )
        )
    boosts: list[Event] = []
    if draw.random() < 0.5:
        until = NOW + draw.choice([-1, 1])
        boosts = [boost_requested(boost_id=f"boost-{number}", until=until, **who)]
    buried: list[Event] = [
        dead_lettered(dead_letter_id=f"dead-{number}-{n}", stream_id=stream_id)
        for n in range(draw.randint(0, 2))
    ]
    reversals: list[Event] = []
    if draw.random() < 0.3:
        reversals = [
            reversed_decision(
                reversal_id=f"reversal-{number}",
                cause_id=f"command-{number}-0",
                reversed_at=start + draw.randint(0, 20) * SECOND,
                **who,
            )
        ]
    closures: list[Event] = []
    if draw.random() < 0.3:
        closures = [
            incident_closed(closure_id=f"closure-{number}", closed_at=start + 20 * SECOND, **who)
        ]
    notices: list[Event] = [
        unwatched(
            notice_id=f"notice-{number}-{n}",
            watched_again=n % 2 == 1,
            noticed_at=start + n * SECOND,
            **who,
        )
        for n in range(draw.randint(0, 3))
    ]
    alerts: list[Event] = [
        alert_raised(
            alert_id=f"alert-{number}-{n}",
            kind=draw.choice(["policy-broken", "policy-mended"]),
            source=draw.choice(["a.toml", "b.toml"]),
            raised_at=start + n * SECOND,
        )
        for n in range(draw.randint(0, 3))
    ]
    effects = [decided, raised, reversals, closures, boosts, notices, alerts]
    return [updates, judged, risks, buried, answers, orders, answers_to_people, *effects]


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


class Shown(NamedTuple):
    rows: list[StreamRow]
    incidents: list[Incident]
    closed: list[Incident]
    audit: list[Entry]
    alerts: list[AlertRaised]
    counters: Counters


def _shown(model: ReadModel) -> Shown:
    return Shown(
        model.rows(NOW),
        model.incidents(Wanted(), NOW),
        model.incidents(Wanted(closed=True), NOW),
        model.audit.search(Search(per_page=1_000), NOW).entries,
        model.alerts(),
        model.counters(),
    )


@given(st.randoms(use_true_random=False), st.data())
def test_reading_any_prefix_again_changes_nothing(draw: random.Random, data: st.DataObject) -> None:
    """At-least-once delivery shows and counts everything once."""
    events = _interleaved(_topics(draw), draw)
    again = events[: data.draw(st.integers(0, len(events)))]

    once, twice = told(events), told([*events, *again])

    assert _shown(twice) == _shown(once)


@given(st.randoms(use_true_random=False))
def test_the_order_in_which_topics_are_read_does_not_matter(draw: random.Random) -> None:
    """However the topics interleave, the last session's facts are the same in the end."""
    topics = _topics(draw)

    one, other = told(_interleaved(topics, draw)), told(list(chain.from_iterable(topics)))

    assert _shown(one) == _shown(other)
