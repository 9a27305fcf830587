"""What is known of one stream: its last sessions, and how each of them stands. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas import OperatorCommanded

from .sessions import NEVER, Seen, Session, newer
from .standing import Rest, StreamState, rest_of, state_of

SESSIONS_KEPT = 4
_ORDERS_KEPT = 8
_ORDERED = (StreamState.RELEASED, StreamState.SUPPRESSED)
_UNKNOWN = Session("")
_GRAVITY = {state: rank for rank, state in enumerate(StreamState)}


class Waiting(NamedTuple):
    """A session before the newest, whose incident is open."""

    session: Session
    state: StreamState


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
        """The session that is shown unless another is asked for; one without an id while none is
        known."""
        if len(self.sessions) > 1:
            return max(self.sessions.values(), key=_begun)
        return next(iter(self.sessions.values()), _UNKNOWN)

    def session_of(self, incident_id: str) -> Session | None:
        """The session that the incident is of; ``None`` where it is not kept, or of no stream."""
        if not incident_id:
            return None
        return next((it for it in self.sessions.values() if it.incident_id == incident_id), None)

    def standing(
        self, now: int, session_id: str | None = None
    ) -> tuple[Session, Rest | None, StreamState]:
        """The session of that id at ``now``, or the newest where none is given or it is not kept;
        what put an end to what was decided of it before; and its state."""
        if not self.sessions:
            return _UNKNOWN, None, state_of(_UNKNOWN, None, now)
        *earlier, (session, rest) = self.rests(now)
        if session_id is not None:
            asked = (it for it in earlier if it[0].session_id == session_id)
            session, rest = next(asked, (session, rest))
        return session, rest, state_of(session, rest, now)

    def waiting(self, now: int) -> Sequence[Waiting]:
        """The sessions before the newest whose incidents are open, the gravest first: whoever was
        told of one is waited for, though the stream began anew."""
        # Few streams have any, and all are asked for each page.
        if len(self.sessions) == 1 or not any(it.waits for it in self.sessions.values()):
            return ()
        *earlier, _ = self.rests(now)
        found = [Waiting(it, state_of(it, rest, now)) for it, rest in earlier if it.waits]
        return sorted(found, key=lambda it: (_GRAVITY[it.state], -it.session.decided_at))

    def rests(self, now: int) -> Iterator[tuple[Session, Rest | None]]:
        """The sessions in the order in which they began, each with what put an end to what was
        decided of it before."""
        inherited = None
        in_order: Iterable[Session] = self.sessions.values()
        if len(self.sessions) > 1:
            in_order = sorted(in_order, key=_begun)
        for session in in_order:
            if inherited is not None and not _is_before(inherited, session):
                inherited = None
            rest = rest_of(session, self.suppressions, inherited, now)
            yield session, rest
            # A restart does not end a person's word; whatever else was decided it does.
            inherited = rest if state_of(session, rest, now) in _ORDERED else None

    def eviction_order(self) -> tuple[bool, bool, int, str]:
        """Sorts streams by how much is lost with them: what goes first comes first."""
        newest = self.newest()
        decided = newest.order is not None or any(it.waits for it in self.sessions.values())
        return not newest.ended, decided, self.appended_at, self.stream_id


def gravity(
    stream_id: str,
    session: Session,
    state: StreamState,
    watched: bool,
    waiting: Sequence[Waiting] = (),
) -> tuple[bool, int, bool, float, str]:
    """Sorts streams: unwatched ones first, then the gravest, live ones, by risk, by id.

    Stopped and settled is as good as ended. What is ``waiting`` of a stream counts as what its
    newest session does, so that a restart does not hide it among those that are clear.
    """
    done = state is StreamState.STOPPED and session.settled
    rank = _GRAVITY[StreamState.ENDED if done else state]
    if waiting:
        rank = min(rank, *(_GRAVITY[it.state] for it in waiting))
    return watched, rank, not session.live, -(session.risk or 0.0), stream_id


def _is_before(word: Rest, session: Session) -> bool:
    """Whether ``word`` was given before ``session`` began. What is ordered of a session later, when
    another runs, is of the one that it names alone: so the decision has it."""
    return session.began_at == NEVER or word.at <= session.began_at


def _begun(session: Session) -> tuple[int, int, str]:
    return session.began_at, session.decided_at, session.session_id


def _dispensable(session: Session) -> tuple[bool, bool, int, int, str]:
    """Sorts sessions by how much is lost with them: what somebody is waited for goes last, and a
    person's word may outlive many restarts."""
    told = session.decided_at != NEVER or session.order is not None or session.reversal is not None
    return session.waits, told, *_begun(session)
