"""Which incidents are open, from escalations and closures. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from schemas import EscalationRaised, IncidentClosed

_GRAVEST_FIRST = ("critical", "high", "elevated")


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that nobody has closed since it was last raised. Times are in microseconds."""

    incident_id: str
    stream_id: str
    severity: str
    """The gravest it was raised with."""
    opened_at: int
    raised_at: int
    """When it was raised last."""
    times: int
    """How often it was raised."""
    rule: str
    explanation: str
    """Of the last time."""
    drill: bool


def open_incidents(
    escalations: Iterable[EscalationRaised], closures: Iterable[IncidentClosed]
) -> list[OpenIncident]:
    """The open ones, gravest first, then oldest; whatever order the events come in."""
    closed: dict[str, int] = {}
    for closure in closures:
        closed[closure.incident_id] = max(
            closure.closed_at, closed.get(closure.incident_id, closure.closed_at)
        )
    raised: dict[str, dict[str, EscalationRaised]] = {}
    for event in escalations:
        raised.setdefault(event.incident_id, {})[event.escalation_id] = event
    found = [_incident(list(events.values())) for events in raised.values()]
    # Closed in the moment in which it was raised is closed.
    is_open = (
        each
        for each in found
        if each.incident_id not in closed or each.raised_at > closed[each.incident_id]
    )
    return sorted(
        is_open, key=lambda each: (_rank(each.severity), each.opened_at, each.incident_id)
    )


def _incident(events: list[EscalationRaised]) -> OpenIncident:
    ordered = sorted(events, key=lambda event: (event.raised_at, event.escalation_id))
    first, last = ordered[0], ordered[-1]
    return OpenIncident(
        incident_id=last.incident_id,
        stream_id=last.stream_id,
        severity=min((event.severity for event in ordered), key=_rank),
        opened_at=first.raised_at,
        raised_at=last.raised_at,
        times=len(ordered),
        rule=last.rule,
        explanation=last.explanation,
        drill=all(event.drill for event in ordered),
    )


def _rank(severity: str) -> int:
    """A severity of another version counts as the gravest: somebody must look."""
    return _GRAVEST_FIRST.index(severity) if severity in _GRAVEST_FIRST else -1
