"""What belongs to drills, whatever event it is told by: not each carries the mark. Pure."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

from schemas import DrillOrdered, Event

from .audit_entries import Entry

K = TypeVar("K", bound=Hashable)
_KEPT = 10_000


class DrillMarks:
    """The incidents and sessions that marked events are of, and the streams of ordered drills.

    A stream may be a drill in one session and none in the next: what says no session, and is of no
    incident, is a drill's where the stream was made up for one. Of each the newest 10,000 are kept.
    """

    def __init__(self) -> None:
        self._incidents: dict[str, None] = {}
        self._sessions: dict[tuple[str, str], None] = {}
        self._streams: dict[str, None] = {}

    def take(self, event: Event) -> None:
        """Take in ``event``; one that has no mark changes nothing."""
        if isinstance(event, DrillOrdered):
            _keep(self._streams, event.stream_id)
        elif getattr(event, "drill", False):
            session = getattr(event, "stream_id", ""), getattr(event, "session_id", "")
            _keep(self._sessions, session)
            if incident_id := getattr(event, "incident_id", ""):
                _keep(self._incidents, incident_id)

    def __contains__(self, entry: Entry) -> bool:
        return (
            entry.drill
            or entry.stream_id in self._streams
            or (entry.stream_id, entry.session_id) in self._sessions
            or entry.incident_id in self._incidents
        )


def _keep(known: dict[K, None], key: K) -> None:
    known[key] = None
    if len(known) > _KEPT:
        del known[next(iter(known))]
