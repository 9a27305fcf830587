"""The queue of incidents: what waits for an answer, and who has it in hand. Pure.

An incident is of one session of a stream, so it is shown as long as that is kept: open ones go last
(``Stream.eviction_order``), and four sessions of a stream are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from schemas import MICROSECONDS

from .handles import handle_of, page_of
from .rows import viewers_of
from .sessions import NEVER, Session
from .standing import StreamState, state_of
from .streams import Stream

SEVERITIES = ("critical", "high", "elevated")
"""Gravest first."""
_KEPT = 7 * 24 * 3600 * MICROSECONDS
_WITHOUT_LIMIT = float("inf")


@dataclass(frozen=True, slots=True)
class Incident:
    """What was decided about one session of a stream. Times are microseconds since the epoch."""

    incident_id: str
    handle: str
    stream_id: str
    session_id: str
    severity: str
    """Empty while the escalation has not been read."""
    state: StreamState
    opened_at: int
    """When Kafka had it that the incident was opened, or reopened, last."""
    raised: int
    """How often it was put before people."""
    answer_by: int | None
    """When it is raised again unless somebody answers; ``None`` where nothing is waited for."""
    held_by: str
    routes: tuple[str, ...]
    rule: str
    explanation: str
    drill: bool
    viewers: int | None
    region: str
    closed_at: int | None
    outcome: str
    """``confirmed``, ``rejected`` or ``unanswered`` where it is closed."""
    page: str
    """The stream's page, of the incident's session: where that is, on this worker."""

    def age(self, now: int) -> float:
        """Seconds since it was opened."""
        return max(now - self.opened_at, 0) / MICROSECONDS

    def left(self, now: int) -> float | None:
        """Seconds left to answer, below 0 where it is overdue."""
        return None if self.answer_by is None else (self.answer_by - now) / MICROSECONDS


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which incidents; what is not said does not matter."""

    closed: bool = False
    """Those that were closed in the last 7 days, instead of the open ones."""
    severity: str = ""
    held_by: str | None = None
    """By whom; empty for those that nobody has in hand."""
    drill: bool | None = None


def list_incidents(streams: Iterable[Stream], wanted: Wanted, now: int) -> list[Incident]:
    """Open ones by severity, then by the time left to answer; closed ones newest first."""
    every = (it for stream in streams for it in incidents_of(stream, now))
    found = choose(every, wanted, now)
    if wanted.closed:
        return sorted(found, key=lambda it: (-(it.closed_at or 0), it.incident_id))
    return sorted(found, key=_urgency)


def count_open(streams: Iterable[Stream]) -> int:
    """How many ``list_incidents`` finds where nothing else is wanted; that is not a matter of time,
    and cheap enough for every page."""
    return sum(
        not session.settled
        for stream in streams
        for session in stream.sessions.values()
        if session.raised is not None or session.takedown is not None
    )


def choose(incidents: Iterable[Incident], wanted: Wanted, now: int) -> list[Incident]:
    """Those of ``incidents`` that are ``wanted``, in the order that they come in."""
    return [it for it in incidents if _is_wanted(it, wanted, now)]


def incidents_of(stream: Stream, now: int) -> Iterator[Incident]:
    """Those of the stream's sessions that are kept."""
    for session, rest in stream.rests(now):
        if session.raised is None and session.takedown is None:
            continue
        yield _incident(stream, session, state_of(session, rest, now))


def _incident(stream: Stream, session: Session, state: StreamState) -> Incident:
    raised, takedown, closure = session.raised, session.takedown, session.closure
    # What says why: the newest that is not only that nobody answered.
    why = session.escalation or takedown or raised
    assert why is not None  # noqa: S101  # whoever calls has seen one of them
    severity = raised.event.severity if raised else ""
    handle = handle_of(stream.stream_id)
    closed = closure if session.settled else None
    return Incident(
        incident_id=session.incident_id,
        handle=handle,
        stream_id=stream.stream_id,
        session_id=session.session_id,
        severity=severity,
        state=state,
        opened_at=why.at if session.opened_at == NEVER else session.opened_at,
        raised=session.raises,
        answer_by=None if closed else session.answer_by,
        held_by=session.holder,
        routes=tuple(raised.event.routes) if raised else (),
        rule=why.event.rule,
        explanation=why.event.explanation,
        drill=bool(session.drill),
        viewers=viewers_of(session),
        region=session.region or (raised.event.region if raised else ""),
        closed_at=closed.at if closed else None,
        outcome=closed.event.outcome if closed else "",
        page=page_of(handle, session.incident_id),
    )


def _is_wanted(it: Incident, wanted: Wanted, now: int) -> bool:
    if wanted.closed is not (it.closed_at is not None):
        return False
    if it.closed_at is not None and now - it.closed_at > _KEPT:
        return False
    if wanted.severity and it.severity != wanted.severity:
        return False
    if wanted.held_by is not None and it.held_by != wanted.held_by:
        return False
    return wanted.drill is None or it.drill is wanted.drill


def _urgency(it: Incident) -> tuple[int, float, int, str]:
    grave = SEVERITIES.index(it.severity) if it.severity in SEVERITIES else len(SEVERITIES)
    limit = _WITHOUT_LIMIT if it.answer_by is None else it.answer_by
    return grave, limit, it.opened_at, it.incident_id
