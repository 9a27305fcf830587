"""What the audit has of each event: who did what, why, and what came of it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from schemas import (
    AlertRaised,
    BreakerTripped,
    CommandAnswered,
    DecisionReversed,
    DrillOrdered,
    Event,
    EventRedriven,
    EvidenceViewed,
    IncidentClosed,
    OperatorCommanded,
    TakedownAcknowledged,
    TakedownRequested,
)

from .handles import handle_of

_EVERYTHING = "all"


class Kind(StrEnum):
    """What an entry is about. The values are what pages and the API say."""

    ORDER = "order"
    """Of a person, with its answer."""
    TAKEDOWN = "takedown"
    """By the policy; one that a person ordered is with the order."""
    ANSWER = "takedown service"
    REVERSAL = "reversal"
    CLOSURE = "closure"
    BREAKER = "breaker"
    EVIDENCE = "evidence"
    """Somebody was given evidence to look at."""
    REDRIVE = "redrive"
    ALERT = "alert"
    DRILL = "drill"
    """Somebody started or stopped one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done."""

    at: int
    """When Kafka had it, in microseconds since the epoch."""
    id: str
    kind: Kind
    who: str
    """A person's pseudonym, a service, or the policy."""
    what: str
    stream_id: str
    """Empty where it is about no stream."""
    handle: str
    scope: str
    incident_id: str
    why: str
    outcome: str
    drill: bool = False


class _Told(NamedTuple):
    kind: Kind
    who: str
    what: str
    why: str
    outcome: str = ""


_TELLING: dict[type[Event], Callable[[Any], _Told]] = {
    TakedownRequested: lambda it: _Told(
        Kind.TAKEDOWN, it.policy, it.rule, it.explanation, "asked for"
    ),
    TakedownAcknowledged: lambda it: _Told(Kind.ANSWER, it.service, it.outcome, "", it.detail),
    DecisionReversed: lambda it: _Told(
        Kind.REVERSAL, it.operator, "takedown taken back", it.reason
    ),
    IncidentClosed: lambda it: _Told(
        Kind.CLOSURE, it.operator or it.policy, "closed", it.reason, it.outcome
    ),
    BreakerTripped: lambda it: _Told(Kind.BREAKER, it.policy, "trip-breaker", it.explanation),
    EvidenceViewed: lambda it: _Told(Kind.EVIDENCE, it.operator, it.kind, it.reason),
    EventRedriven: lambda it: _Told(
        Kind.REDRIVE, it.operator, "redrive", it.reason, f"put back {it.subject}"
    ),
    AlertRaised: lambda it: _Told(Kind.ALERT, it.source, it.kind, it.detail),
    DrillOrdered: lambda it: _Told(Kind.DRILL, it.operator, f"drill {it.change}", it.reason),
}


def entry_of(event: Event, at: int) -> Entry | None:
    """What the audit has of ``event``, which Kafka had ``at``; ``None`` where that is nothing.

    What a person ordered is with the order (``ordered``).
    """
    telling = _TELLING.get(type(event))
    if telling is None or (isinstance(event, TakedownRequested) and event.operator):
        return None
    told = telling(event)
    stream_id = getattr(event, "stream_id", "")
    return Entry(
        at=at,
        # A service's answers of one id may differ: it failed, and then it was done.
        id=event.id + (told.what if told.kind is Kind.ANSWER else ""),
        kind=told.kind,
        who=told.who,
        what=told.what,
        stream_id=stream_id,
        handle=handle_of(stream_id) if stream_id else "",
        scope="" if stream_id else _EVERYTHING,
        incident_id=getattr(event, "incident_id", ""),
        why=told.why,
        outcome=told.outcome,
        drill=told.kind is Kind.DRILL or getattr(event, "drill", False),
    )


def ordered(
    said: OperatorCommanded | CommandAnswered, answer: CommandAnswered | None, at: int
) -> Entry:
    """An order, as it was ``said`` first, and what became of it if that is known."""
    outcome = "sent, not yet answered"
    if answer is not None and answer.applied:
        led = f" {answer.state_before} to {answer.state_after}" if answer.state_after else ""
        outcome = f"applied{led}"
    elif answer is not None:
        outcome = f"refused: {answer.refusal}"
    return Entry(
        at=at,
        id=said.command_id,
        kind=Kind.ORDER,
        who=said.operator,
        what=said.command,
        stream_id=said.stream_id,
        handle=handle_of(said.stream_id) if said.stream_id else "",
        scope=said.scope,
        incident_id=answer.incident_id if answer else "",
        why=said.reason,
        outcome=outcome,
    )
