"""What is known of one stream: its last sessions, and how the newest of them stands. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from schemas import OperatorCommanded

from .sessions import NEVER, Seen, Session, newer
from .standing import Rest, StreamState, rest_of, state_of

SESSIONS_KEPT = 4
_ORDERS_KEPT = 8
_ORDERED = (StreamState.RELEASED, StreamState.SUPPRESSED)
_UNKNOWN = Session("")
_GRAVITY = {state: rank for rank, state in enumerate(StreamState)}


@dataclass(slots=True)
class Stream:
    """The last sessions to begin, and what is known of the stream as such."""

    stream_id: str
    sessions: dict[str, Session] = field(default_factory=dict)
    suppressions: dict[str, Seen[OperatorCommanded]] = field(default_factory=dict)
    """The newest that were ordered, by the command's id; whether they took effect is told apart."""
    dead_letters: int = 0
    appended_at: int = NEVER
    """Kafka's time of the newest record: eviction goes by it, as shards' clocks may be wrong."""

    def session(self, session_id: str) -> Session:
        """The session, which is known of from now on; an earlier one may go for it."""
        found = self.sessions.get(session_id)
        if found is None:
            if len(self.sessions) >= SESSIONS_KEPT:
                newest = self.newest()
                earlier = (it for it in self.sessions.values() if it is not newest)
                del self.sessions[min(earlier, key=_dispensable).session_id]
            found = self.sessions[session_id] = Session(session_id)
        return found

    def suppress(self, order: OperatorCommanded, at: int) -> None:
        """A suppression was ordered, which Kafka had ``at``."""
        known = self.suppressions
        known[order.command_id] = newer(known.get(order.command_id), order, at)
        if len(known) > _ORDERS_KEPT:
            del known[min(known, key=lambda it: (known[it].at, it))]

    def newest(self) -> Session:
        """The session that is shown; one without an id while none is known."""
        if len(self.sessions) > 1:
            return max(self.sessions.values(), key=_begun)
        return next(iter(self.sessions.values()), _UNKNOWN)

    def standing(self, now: int) -> tuple[Session, Rest | None, StreamState]:
        """The newest session at ``now``, what put an end to earlier decisions, and its state."""
        if not self.sessions:
            return _UNKNOWN, None, state_of(_UNKNOWN, None, now)
        *_, (session, rest) = self.rests(now)
        return session, rest, state_of(session, rest, now)

    def rests(self, now: int) -> Iterator[tuple[Session, Rest | None]]:
        """The sessions in the order in which they began, each with what put an end to what was
        decided of it before."""
        inherited = None
        in_order: Iterable[Session] = self.sessions.values()
        if len(self.sessions) > 1:
            in_order = sorted(in_order, key=_begun)
        for session in in_order:
            rest = rest_of(session, self.suppressions, inherited, now)
            yield session, rest
            # A restart does not end a person's word; whatever else was decided it does.
            inherited = rest if state_of(session, rest, now) in _ORDERED else None

    def eviction_order(self) -> tuple[bool, bool, int, str]:
        """Sorts streams by how much is lost with them: what goes first comes first."""
        newest = self.newest()
        decided = (newest.decided_at != NEVER and not newest.settled) or newest.order is not None
        return not newest.ended, decided, self.appended_at, self.stream_id


def gravity(
    stream_id: str, session: Session, state: StreamState, watched: bool
) -> tuple[bool, int, bool, float, str]:
    """Sorts streams: unwatched ones first, then the gravest, live ones, by risk, by id.

    Stopped and settled is as good as ended.
    """
    done = state is StreamState.STOPPED and session.settled
    rank = _GRAVITY[StreamState.ENDED if done else state]
    return watched, rank, not session.live, -(session.risk or 0.0), stream_id


def _begun(session: Session) -> tuple[int, int, str]:
    return session.began_at, session.decided_at, session.session_id


def _dispensable(session: Session) -> tuple[bool, int, int, str]:
    """Sorts sessions by how much is lost with them: a person's word may outlive many restarts."""
    told = session.decided_at != NEVER or session.order is not None or session.reversal is not None
    return told, *_begun(session)
