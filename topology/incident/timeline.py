"""Every event of an incident in order of time: who did what, why, and by which version. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from schemas import RiskAssessed

from .records import IncidentRecord, Place, Recorded, utc
from .telling import tell

FORMAT = "firebreak-timeline/1"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. ``at`` is its own time, microseconds since the epoch; see ``records.in_order``."""

    at: int
    time: str
    event: str
    id: str
    who: str
    what: str
    why: str
    places: tuple[Place, ...]
    """Each time that it was written, oldest first."""
    fields: dict[str, Any]
    """All of the event, as it is on the wire."""

    @property
    def written_again(self) -> tuple[str, ...]:
        """When it was written after the first time, by Kafka's clock."""
        return tuple(utc(place.appended_at) for place in self.places[1:])


def entries(record: IncidentRecord) -> tuple[Entry, ...]:
    """All events of ``record``, in its order."""
    return tuple(_entry(found) for found in record.events)


def timeline(record: IncidentRecord) -> dict[str, Any]:
    """``timeline.json``."""
    return {
        "format": FORMAT,
        "incident_id": record.incident_id,
        "drill": record.drill,
        "sessions": [{"stream_id": s, "session_id": n} for s, n in record.sessions],
        "policies": [{"policy": name, "digest": digest} for name, digest in record.policies],
        "bundles": [{"bundle": name, "digest": digest} for name, digest in record.bundles],
        "entries": msgspec.to_builtins(entries(record)),
        "unreadable": msgspec.to_builtins(record.unreadable),
    }


def shown(record: IncidentRecord) -> tuple[Entry, ...]:
    """What a page shows: all but the assessments that nothing followed from.

    A stream at risk is assessed at least once a second. Shown are those that a decision names as
    its cause, the first, and those at which the risk was higher than ever before.
    """
    causes = {getattr(found.event, "cause_id", "") for found in record.events}
    highest = -1.0
    kept = []
    for found in record.events:
        event = found.event
        if isinstance(event, RiskAssessed):
            # In whole hundredths: a page is not the place to watch it creep up.
            risen = round(event.risk, 2) > highest
            highest = max(highest, round(event.risk, 2))
            if not risen and event.risk_id not in causes:
                continue
        kept.append(_entry(found))
    return tuple(kept)


def _entry(found: Recorded) -> Entry:
    event, told = found.event, tell(found.event)
    return Entry(
        at=event.time,
        time=utc(event.time),
        event=type(event).__name__,
        id=event.id,
        who=told.who,
        what=told.what,
        why=told.why,
        places=found.places,
        fields=msgspec.to_builtins(event),
    )
