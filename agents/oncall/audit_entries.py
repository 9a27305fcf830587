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

from .fates import Known
from .handles import handle_of

_EVERYTHING = "all"
_BY_A_PERSON = "operator"
"""As ``BreakerTripped.cause`` says it."""


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
    """Tripped by the policy; an order is with the orders."""
    EVIDENCE = "evidence"
    """Somebody was given evidence to look at."""
    REDRIVE = "redrive"
    ALERT = "alert"
    DRILL = "drill"
    """Somebody started or stopped one, or it failed."""
    CHANGE = "change"
    """A worker goes by another policy or bundle, as its reports say."""


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
    """``all``, ``region:XX`` or ``policy:NAME``; empty where it is about none."""
    incident_id: str
    why: str
    outcome: str
    drill: bool = False
    until: int = 0
    """When it ends by itself; 0 where it does not, or has no time to last."""
    session_id: str = ""
    """Of the stream; empty where it was not said."""
    order_id: str = ""
    """The person's order that it is of; empty where it is of none."""


class _Told(NamedTuple):
    kind: Kind
    who: str
    what: str
    why: str
    outcome: str = ""
    scope: str = ""
    until: int = 0


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
    BreakerTripped: lambda it: _Told(
        Kind.BREAKER,
        it.policy,
        "trip-breaker",
        it.explanation,
        scope=_EVERYTHING,
        until=it.expires_at,
    ),
    EvidenceViewed: lambda it: _Told(Kind.EVIDENCE, it.operator, it.kind, it.reason, _seen_of(it)),
    EventRedriven: lambda it: _Told(
        Kind.REDRIVE, it.operator, "redrive", it.reason, f"put back {it.subject}"
    ),
    AlertRaised: lambda it: _Told(Kind.ALERT, it.source, it.kind, it.detail),
    DrillOrdered: lambda it: _Told(
        Kind.DRILL, it.operator, f"drill {it.change}", it.reason, until=it.until
    ),
}
AUDITED: tuple[type[Event], ...] = (*_TELLING, OperatorCommanded, CommandAnswered)
"""The events that entries are of; changes are of workers' reports."""


def _seen_of(view: EvidenceViewed) -> str:
    """Which frame was given out, by its coordinates."""
    if view.offset < 0:
        return "all frames of the incident that were still kept"
    return f"{view.topic}/{view.partition}/{view.offset}"


def entry_of(event: Event, at: int) -> Entry | None:
    """What the audit has of ``event``, which Kafka had ``at``; ``None`` where that is nothing.

    What a person ordered is with the order (``ordered``).
    """
    telling = _TELLING.get(type(event))
    if telling is None or _is_ordered(event):
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
        scope=told.scope,
        incident_id=getattr(event, "incident_id", ""),
        why=told.why,
        outcome=told.outcome,
        drill=told.kind is Kind.DRILL or getattr(event, "drill", False),
        until=told.until,
        session_id=getattr(event, "session_id", ""),
        order_id=getattr(event, "order_id", ""),
    )


def _is_ordered(event: Event) -> bool:
    if isinstance(event, TakedownRequested):
        return bool(event.operator)
    return isinstance(event, BreakerTripped) and event.cause == _BY_A_PERSON


def ordered(known: Known) -> Entry:
    """An order, and what became of it if that is known."""
    order, answer = known.order, known.answer
    said = min((it for it in (order, answer) if it), key=lambda it: it.at)
    outcome = "sent, not yet answered"
    if answer is not None and answer.event.applied:
        before, after = answer.event.state_before, answer.event.state_after
        outcome = f"applied {before} to {after}" if after else "applied"
    elif answer is not None:
        outcome = f"refused: {answer.event.refusal}"
    stream_id = said.event.stream_id
    session_id = order.event.session_id if order else ""
    return Entry(
        at=said.at,
        id=said.event.command_id,
        kind=Kind.ORDER,
        who=said.event.operator,
        what=said.event.command,
        stream_id=stream_id,
        handle=handle_of(stream_id) if stream_id else "",
        scope=said.event.scope,
        incident_id=answer.event.incident_id if answer else "",
        why=said.event.reason,
        outcome=outcome,
        until=order.event.until if order else 0,
        session_id=answer.event.session_id if answer else session_id,
        order_id=said.event.command_id,
    )
