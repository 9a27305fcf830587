"""The rows that people see of streams. Times are microseconds since the epoch. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from schemas import MICROSECONDS, CommandAnswered, EscalationRaised, TakedownRequested

from .grounds import in_words
from .handles import handle_of, page_of
from .sessions import NEVER, Seen, Session
from .standing import Rest, StreamState, Unwatched, unwatched_of
from .streams import Stream, Waiting
from .trend import Direction, direction


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision that stands of a session, or the one that a person's word is about."""

    incident_id: str
    severity: str
    """Empty while the escalation has not been read."""
    rule: str
    explanation: str
    decided_at: int
    """In event time."""
    ordered_by: str
    """Empty where the policy decided."""
    news: str
    """What was raised since, such as that nobody answered in time; empty once somebody did."""
    held_by: str
    """Who acknowledged the incident or confirmed it."""
    answer: str
    """What a takedown service said: ``stopped``, ``failed``, or nothing yet."""
    answer_detail: str
    answer_service: str
    """Which service said it; empty where none did."""
    closed: str
    """The incident's outcome where it is closed."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """A person's word that stands: the stream was released, or is suppressed."""

    operator: str
    reason: str
    until: int | None
    """When a suppression lapses at the latest; the policy may bound it further."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """An open incident of a session before the newest."""

    incident_id: str
    session_id: str
    state: StreamState
    severity: str
    """Empty while the escalation has not been read."""
    held_by: str
    """Empty while it is unanswered."""
    page: str
    """The stream's page, of that session."""


@dataclass(frozen=True, slots=True)
class StreamRow:
    """One session of a stream: the newest, unless another was asked for."""

    handle: str
    """Names the stream in addresses."""
    stream_id: str
    session_id: str
    """Empty while only dead letters, or orders, are known of the stream."""
    newest: bool
    """Whether no later session of the stream is known."""
    state: StreamState
    live: bool
    """Whether it is heard of, has not ended, and no later session has begun."""
    ended: bool
    risk: float | None
    change: float | None
    """By how much the risk was higher at the end of its newest minute than at its beginning: -1 to
    1. ``None`` where fewer than 3 points of that minute are known, and once the stream has been
    stopped or has ended."""
    direction: Direction | None
    """The change in a word: ``steady`` where it is less than 0.05. ``None`` where there is none."""
    trend: tuple[float | None, ...]
    """The risk in each of the last spans (``trend.SPAN``), oldest first; empty where none was."""
    grounds: str
    """What the risk rests on, in words; empty where no signal is on."""
    viewers: int | None
    region: str
    category: str
    frames: int
    """Frames judged, as far back as the topics were read, as of when they were told of last."""
    newest_captured_at: int | None
    frame_age: float | None
    """Seconds since Kafka had the newest judged frame that was told of: up to 6 more than since the
    newest, as each session is told of every 5 at ticks a second apart."""
    bundle: str
    """Of the newest risk: while a stream is clear none is told, whatever judges it by now. Empty
    where none was told within what was read."""
    drill: bool
    incident_id: str
    """Of the session's incident, open or not; empty while nothing was decided of it."""
    decision: Decided | None
    order: Ordered | None
    unwatched: Unwatched | None
    dead_letters: int
    """Of the stream, whatever the session."""
    earlier: tuple[Earlier, ...]
    """Of the stream, whatever the session: what waits for an answer though it began anew, the
    gravest first."""


def row_of(
    stream: Stream, now: int, late_after: int | None, session_id: str | None = None
) -> StreamRow:
    """The newest session of ``stream``, or the one of that id, as it stands at ``now``, by the wall
    clock; see ``standing.unwatched_of``."""
    session, rest, state = stream.standing(now, session_id)
    newest = session.session_id == stream.newest().session_id
    handle = handle_of(stream.stream_id)
    captured_at, appended_at = session.newest_captured_at, session.newest_appended_at
    trend = session.trend
    change = change_of(session, state)
    return StreamRow(
        handle=handle,
        stream_id=stream.stream_id,
        session_id=session.session_id,
        newest=newest,
        state=state,
        live=session.live and newest,
        ended=session.ended,
        risk=session.risk,
        change=change,
        direction=None if change is None else direction(change),
        trend=trend.values() if trend else (),
        grounds=in_words(session.grounds),
        viewers=viewers_of(session),
        region=session.region or _told_region(session),
        category=session.category,
        frames=session.frames,
        newest_captured_at=None if captured_at == NEVER else captured_at,
        frame_age=None if appended_at == NEVER else (now - appended_at) / MICROSECONDS,
        bundle=session.bundle,
        drill=bool(session.drill),
        incident_id=session.incident_id,
        decision=_decided(session, state),
        order=_ordered(stream, rest, state),
        # Of a session that another came after, nothing is to be watched any more.
        unwatched=unwatched_of(session, state, now, late_after) if newest else None,
        dead_letters=stream.dead_letters,
        earlier=tuple(_earlier(handle, it) for it in stream.waiting(now)),
    )


def _earlier(handle: str, waiting: Waiting) -> Earlier:
    session, state = waiting
    return Earlier(
        incident_id=session.incident_id,
        session_id=session.session_id,
        state=state,
        severity=session.raised.event.severity if session.raised else "",
        held_by=session.holder,
        page=page_of(handle, session.incident_id),
    )


def change_of(session: Session, state: StreamState) -> float | None:
    """By how much its risk changed within its newest minute, while that says where it goes."""
    if session.trend is None or session.ended or state is StreamState.STOPPED:
        return None
    return session.trend.change()


def viewers_of(session: Session) -> int | None:
    """As the shard told, or whoever decided or noticed; ``None`` where nobody knew."""
    told = [session.viewers]
    told += [session.raised.event.viewers] if session.raised else []
    told += [session.notice.event.viewers] if session.notice else []
    return next((it for it in told if it >= 0), None)


def _told_region(session: Session) -> str:
    return session.raised.event.region if session.raised else ""


def _decided(session: Session, state: StreamState) -> Decided | None:
    decision = _decision(session, state)
    if decision is None:
        return None
    at, event = decision
    raised, closure = session.raised, session.closure
    takedown = isinstance(event, TakedownRequested)
    answer = session.answer_of_takedown if takedown else None
    return Decided(
        incident_id=event.incident_id,
        severity=raised.event.severity if raised else "",
        rule=event.rule,
        explanation=event.explanation,
        decided_at=event.time,
        ordered_by=event.operator if isinstance(event, TakedownRequested) else "",
        news=_news(session, state, decision),
        held_by=session.holder,
        answer=answer.outcome if answer else "",
        answer_detail=answer.detail if answer else "",
        answer_service=answer.service if answer else "",
        closed=closure.event.outcome if closure and closure.at >= at else "",
    )


def _news(
    session: Session,
    state: StreamState,
    decision: Seen[TakedownRequested] | Seen[EscalationRaised],
) -> str:
    raised, stop, hold = session.raised, session.stop, session.hold
    # What is raised with a takedown says the same as that.
    if raised is None or raised.event.cause_id == decision.event.cause_id:
        return ""
    if state in (StreamState.RELEASED, StreamState.SUPPRESSED):
        return ""
    since = decision.at
    if stop and state is StreamState.STOPPED:
        since = max(since, stop.at)
    if hold and raised.event.change == "repeated":
        since = max(since, hold.at)
    return raised.event.explanation if raised.at >= since else ""


def _decision(
    session: Session, state: StreamState
) -> Seen[TakedownRequested] | Seen[EscalationRaised] | None:
    match state:
        case StreamState.TAKEDOWN_REQUESTED | StreamState.STOPPED:
            return session.takedown
        case StreamState.ESCALATED:
            return session.escalation or session.raised
        case StreamState.RELEASED | StreamState.SUPPRESSED:
            return session.takedown or session.escalation or session.raised
    return None


def _ordered(stream: Stream, rest: Rest | None, state: StreamState) -> Ordered | None:
    if rest is None or rest.order is None or rest.state is not state:
        return None
    order = rest.order
    if isinstance(order, CommandAnswered) and order.command_id in stream.suppressions:
        until = stream.suppressions[order.command_id].event.until
        return Ordered(order.operator, order.reason, until)
    return Ordered(order.operator, order.reason, None)
