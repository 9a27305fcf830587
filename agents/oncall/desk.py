"""What every page and operation works with: one place that says what the on-call view needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from agents.following import Progress
from schemas import MICROSECONDS

from .consequences import Subject, newest_session, session_of
from .drills import RunDrills
from .giving import GiveOrder, nowhere
from .incidents import incidents_of
from .policies import PolicyTold, ReadPolicies
from .read_model import ReadModel
from .redriving import DeadLetterOffice, NoOffice
from .rows import StreamRow, row_of
from .sources import Sources
from .sources import nowhere as no_sources

LATE_AFTER = 30 * MICROSECONDS
"""From when on a stream that is not judged shows as unwatched though the judgement is silent.

The newest frame of a stream that is judged in time is told of every 5 seconds, at ticks a second
apart: it is some 6 seconds old when the next is told, and older by how far its frames are apart.
"""

HeldBack = Callable[[], Mapping[str, Any]]
"""What holds takedowns back everywhere, as ``decision.controls.Controls.status`` says it."""


class FeedStatus(Protocol):
    """What the pages say of the feed; ``Feed`` is one."""

    progress: Progress
    last_error: str | None
    undecodable: int


@dataclass(frozen=True, slots=True)
class Desk:
    """The picture that people see, and what it is seen through."""

    read_model: ReadModel
    feed: FeedStatus
    held_back: HeldBack
    give_order: GiveOrder = nowhere
    policies: ReadPolicies = tuple
    """Empty where the worker decides nothing."""
    drills: RunDrills | None = None
    sources: Sources = field(default_factory=no_sources)
    """Of one stream's past and its evidence."""
    dead_letters: DeadLetterOffice = field(default_factory=NoOffice)

    def row(self, handle: str, now: int, session_id: str | None = None) -> StreamRow | None:
        """The stream that ``handle`` names in addresses, as it stands at ``now``: the session of
        that id, or the newest where none is given or it is not kept."""
        stream = self.read_model.stream_of(handle)
        return None if stream is None else row_of(stream, now, self.late_after, session_id)

    def subject(self, handle: str, incident_id: str, now: int) -> Subject | None:
        """What an order of the stream is of: the session of the incident, the newest without one.

        ``None`` where the stream, or the incident of it, is not known.
        """
        stream = self.read_model.stream_of(handle)
        if stream is None:
            return None
        if not incident_id:
            return newest_session(row_of(stream, now, self.late_after))
        found = (it for it in incidents_of(stream, now) if it.incident_id == incident_id)
        incident = next(found, None)
        if incident is None:
            return None
        session = stream.sessions[incident.session_id]
        return session_of(incident, session.ended, session is not stream.newest())

    @property
    def live_policy(self) -> PolicyTold | None:
        """What decides about most streams, as this worker has it."""
        return next(iter(self.policies()), None)

    @property
    def late_after(self) -> int | None:
        """As ``ReadModel.rows`` takes it: while the past is being read, nothing is known of how
        late the judgement is."""
        return LATE_AFTER if self.feed.progress is Progress.FOLLOWING else None
