"""What is known of one stream, and the row that people see of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from schemas import MICROSECONDS, EscalationRaised, TakedownRequested

NEVER = -1
Decision = EscalationRaised | TakedownRequested


class StreamState(StrEnum):
    """Where a stream stands. The values are what pages and the API say."""

    TAKEDOWN_REQUESTED = "takedown requested"
    ESCALATED = "escalated"
    WATCHING = "watching"
    CLEAR = "clear"
    ENDED = "ended"
    """Ended without a decision; with one, the state stays what was decided."""


SEVERITY = {state: rank for rank, state in enumerate(StreamState)}


@dataclass(frozen=True, slots=True)
class StreamRow:
    """One stream's newest session. Times are microseconds since the epoch, in event time."""

    stream_id: str
    session_id: str
    """Empty while only dead letters are known of the stream."""
    state: StreamState
    live: bool
    risk: float | None
    frames: int
    """Frames judged, as far back as the topics were read."""
    newest_captured_at: int | None
    frame_age: float | None
    """Seconds since the newest judged frame; negative where the shard's clock is ahead."""
    bundle: str
    drill: bool
    incident_id: str
    rule: str
    explanation: str
    decided_at: int | None
    dead_letters: int
    """Of the stream, whatever the session."""


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of one stream. ``…_at`` fields are event times, ``NEVER`` before any."""

    stream_id: str
    session_id: str = ""
    former_session_id: str = ""
    session_at: int = NEVER
    """Newest event of the session, its end aside: a shard may report an end long after it."""
    ended: bool = False
    updated_at: int = NEVER
    risk: float | None = None
    risk_at: tuple[int, int] = (NEVER, NEVER)
    """Watermark, and offset of the frame: a late frame moves the risk and not the watermark."""
    frames: int = 0
    newest_captured_at: int = NEVER
    bundle: str = ""
    drill: bool = True
    """Holds only as long as every event of the session says so."""
    decision: Decision | None = None
    dead_letters: int = 0
    appended_at: int = NEVER
    """Kafka's time of the newest record: eviction goes by it, as shards' clocks may be wrong."""

    def joined(self, session_id: str, at: int, drill: bool, ends: bool = False) -> Known | None:
        """This with an event of ``session_id`` at ``at``; ``None`` where that session is past."""
        if session_id == self.session_id:
            newest = self.session_at if ends else max(self.session_at, at)
            return replace(self, session_at=newest, drill=self.drill and drill)
        if self.session_id:
            known_until = self.updated_at if self.session_at == NEVER else self.session_at
            if ends or at <= known_until or session_id == self.former_session_id:
                return None
        return Known(
            self.stream_id,
            session_id,
            former_session_id=self.session_id,
            session_at=NEVER if ends else at,
            drill=drill,
            dead_letters=self.dead_letters,
            appended_at=self.appended_at,
        )

    def state(self, watch_threshold: float) -> StreamState:
        if isinstance(self.decision, TakedownRequested):
            return StreamState.TAKEDOWN_REQUESTED
        if self.decision is not None:
            return StreamState.ESCALATED
        if self.ended:
            return StreamState.ENDED
        if self.risk is not None and self.risk >= watch_threshold:
            return StreamState.WATCHING
        return StreamState.CLEAR

    def row(self, watch_threshold: float, now_us: int) -> StreamRow:
        newest, decision = self.newest_captured_at, self.decision
        return StreamRow(
            stream_id=self.stream_id,
            session_id=self.session_id,
            state=self.state(watch_threshold),
            live=not self.ended,
            risk=self.risk,
            frames=self.frames,
            newest_captured_at=None if newest == NEVER else newest,
            frame_age=None if newest == NEVER else (now_us - newest) / MICROSECONDS,
            bundle=self.bundle,
            drill=self.drill and bool(self.session_id),
            incident_id=decision.incident_id if decision else "",
            rule=decision.rule if decision else "",
            explanation=decision.explanation if decision else "",
            decided_at=decided_at(decision) if decision else None,
            dead_letters=self.dead_letters,
        )


def decided_at(decision: Decision) -> int:
    """Event time of ``decision``."""
    if isinstance(decision, TakedownRequested):
        return decision.requested_at
    return decision.raised_at


def decision_order(decision: Decision) -> tuple[bool, int, str]:
    """What makes a decision the one that stands: a takedown, then the latest, then the id."""
    if isinstance(decision, TakedownRequested):
        return True, decision.requested_at, decision.takedown_id
    return False, decision.raised_at, decision.escalation_id
