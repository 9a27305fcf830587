"""How a session stands: what was decided of it, done about it and ordered by people. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from schemas import CommandAnswered, DecisionReversed, OperatorCommanded

from .sessions import NEVER, STOPPED, Seen, Session


class StreamState(StrEnum):
    """Where a stream stands, gravest first. The values are what pages and the API say."""

    TAKEDOWN_REQUESTED = "takedown requested"
    ESCALATED = "escalated"
    STOPPED = "stopped"
    """A takedown service confirmed it."""
    WATCHING = "watching"
    """Something was seen, or it is sampled faster to see more."""
    SUPPRESSED = "suppressed"
    RELEASED = "released"
    CLEAR = "clear"
    ENDED = "ended"
    """Ended with nothing decided that stands."""


_SHOWN = {"released": StreamState.RELEASED, "suppressed": StreamState.SUPPRESSED}
"""States of the decision's machine that a person ordered; the other quiet ones are clear."""


SILENT = "not-judged"
"""No frame was judged for long, and nobody said so."""


class Rest(NamedTuple):
    """From when on nothing that was decided before stands, and as what the stream stands then."""

    at: int
    state: StreamState
    order: CommandAnswered | DecisionReversed | None = None
    """The person's word that it rests on."""


@dataclass(frozen=True, slots=True)
class Unwatched:
    """A live stream's frames are not judged in time."""

    reason: str
    """As the judgement told, or ``SILENT``."""
    since: int
    viewers: int | None = None
    """Where it was told and is known."""


def rest_of(
    session: Session,
    suppressions: Mapping[str, Seen[OperatorCommanded]],
    inherited: Rest | None,
    now: int,
) -> Rest | None:
    """What put an end to what was decided of ``session`` before; ``None`` where nothing did.

    ``suppressions`` are those that were ordered, by the command's id: they say when they lapse.
    ``inherited`` is a person's word on the session before.
    """
    order, reversal, closure = session.order, session.reversal, session.closure
    if order is None and reversal is None and closure is None:
        return inherited
    rests = [] if inherited is None else [inherited]
    if order is not None:
        state = _SHOWN.get(order.event.state_after, StreamState.CLEAR)
        ordered = suppressions.get(order.event.command_id)
        if state is StreamState.SUPPRESSED and ordered and ordered.event.until <= now:
            state = StreamState.CLEAR
        rests.append(Rest(order.at, state, order.event))
    # What a command led to is told by its answer.
    if reversal and not (order and order.event.command_id == reversal.event.cause_id):
        rests.append(Rest(reversal.at, StreamState.RELEASED, reversal.event))
    if closure and closure.event.outcome == "unanswered":
        rests.append(Rest(closure.at, StreamState.CLEAR))
    return max(rests, key=lambda it: (it.at, it.state), default=None)


def state_of(session: Session, rest: Rest | None, now: int) -> StreamState:
    """Where ``session`` stands at ``now``, given what put an end to earlier decisions."""
    since = NEVER if rest is None else rest.at
    takedown, raised, boost = session.takedown, session.raised, session.boost
    if takedown and takedown.at > since:
        answer = session.answer_of_takedown
        done = answer is not None and answer.outcome == STOPPED
        return StreamState.STOPPED if done else StreamState.TAKEDOWN_REQUESTED
    if raised and raised.at > since:
        return StreamState.ESCALATED
    if rest and rest.state is not StreamState.CLEAR:
        return rest.state
    if session.ended:
        return StreamState.ENDED
    boosted = boost is not None and boost.event.until > now
    return StreamState.WATCHING if session.stirs or boosted else StreamState.CLEAR


def unwatched_of(
    session: Session, state: StreamState, now: int, late_after: int | None
) -> Unwatched | None:
    """Why ``session`` is unwatched; ``None`` where it is watched, or nothing is to be watched.

    The judgement tells, and tells when it is over. Should it fall silent itself, so that nobody
    tells anything, it shows here: by how long ago Kafka had the newest judged frame that was told
    of, from ``late_after`` on (microseconds, exclusive; ``None`` where that can't be known).
    """
    if session.ended or state is StreamState.STOPPED:
        return None
    if session.notice and not session.notice.event.watched_again:
        notice = session.notice.event
        return Unwatched(
            notice.reason, notice.since, notice.viewers if notice.viewers >= 0 else None
        )
    since = session.began_at if session.newest_appended_at == NEVER else session.newest_appended_at
    expected = session.live and state is not StreamState.TAKEDOWN_REQUESTED
    if not expected or late_after is None or now - since <= late_after:
        return None
    return Unwatched(SILENT, since)
