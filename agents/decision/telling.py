"""What is told of a partition's streams as such: who is not watched, how many are at risk. Pure."""

from __future__ import annotations

from schemas import MICROSECONDS, StreamsCounted, StreamsHeard, StreamUnwatched, derive_id

from .session import Session
from .situation import Situation
from .states import State
from .watching import Key

_COUNTED_EVERY = 10 * MICROSECONDS
_AT_RISK = (State.ESCALATED, State.TAKEDOWN_REQUESTED, State.STOPPED)


def count(situation: Situation, heard: StreamsHeard, within: int) -> StreamsCounted | None:
    """The streams of the partition, where that is news or was not told for a while.

    At risk are those whose incident opened within ``within`` (microseconds) of now: what stays
    open because nobody answers does not keep the breaker open.
    """
    at_risk = unwatched = 0
    for key, session in situation.sessions.items():
        unwatched += bool(session.unwatched)
        if session.state in _AT_RISK and session.incident and not session.drill:
            at_risk += key in situation.watch.live and _lately(session, situation.now - within)
    told_at, *told = situation.counted
    counts = (len(situation.watch.live), at_risk, unwatched)
    if tuple(told) == counts and situation.now - told_at < _COUNTED_EVERY:
        return None
    situation.counted = (situation.now, *counts)
    return StreamsCounted(heard.partition, situation.now, *counts)


def unwatched(
    key: Key, session: Session, at: int, since: int, again: bool = False
) -> StreamUnwatched:
    """The notice that a stream is not watched, for the reason that ``session`` has, or is again."""
    return StreamUnwatched(
        notice_id=derive_id("unwatched", *key, since, int(again)),
        stream_id=key[0],
        session_id=key[1],
        noticed_at=at,
        watched_again=again,
        reason=session.unwatched,
        since=since,
        state=session.state,
        viewers=session.facts.viewers,
        drill=session.drill,
    )


def _lately(session: Session, since: int) -> bool:
    return session.incident is not None and session.incident.opened_at >= since
