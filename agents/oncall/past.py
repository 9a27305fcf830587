"""A stream's past as its page shows it: what was read of Kafka, and what the worker keeps."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aiohttp import web

from schemas import MICROSECONDS, Event

from .desk import Desk
from .handles import INCIDENT
from .ports import History, Span, Unavailable
from .routing import Visit
from .sessions import NEVER, Session
from .streams import Stream

LONG = 10 * 60 * MICROSECONDS
"""How much of its frames, up to the newest, is shown."""
_AFTER = 60 * MICROSECONDS
"""What is read behind the newest frame: it is judged, and told of, a little later."""
_DECIDED = 24 * 3600 * MICROSECONDS
_GONE = "The session of this incident is not kept by this worker. Its export has it from Kafka."


@dataclass(frozen=True, slots=True)
class Past:
    """``missing`` says why there is no history, in words; empty where there is one."""

    stream_id: str
    session: Session
    """The newest, or that of the incident that was asked for."""
    span: Span
    history: History
    missing: str = ""

    @property
    def events(self) -> tuple[Event, ...]:
        """Decisions and answers: those read, or else those that the worker keeps."""
        known = {(type(it), it.id) for it in self.history.events}
        kept = [it for it in _kept(self.session) if (type(it), it.id) not in known]
        return tuple(sorted([*self.history.events, *kept], key=lambda it: it.time))

    @property
    def grounds(self) -> tuple[Event, ...]:
        """What points at frames: the decisions, and the risk."""
        return (*self.events, *self.history.risks)


def stream_at(desk: Desk, visit: Visit) -> Stream:
    """The stream whose handle is in the path. Raises ``HTTPNotFound``."""
    found = desk.read_model.stream_of(visit.path("handle"))
    if found is None:
        raise web.HTTPNotFound(text="No such stream is known to this worker.")
    return found


def incident_at(visit: Visit) -> str:
    """The incident that the address asks for; empty where it asks for the newest session."""
    return visit.request.query.get(INCIDENT, "")


def session_at(visit: Visit, stream: Stream) -> Session | None:
    """The session of the incident that the address asks for; ``None`` where it asks for the newest.
    Raises ``HTTPNotFound`` where it is not kept."""
    if not (asked := incident_at(visit)):
        return None
    found = stream.session_of(asked)
    if found is None:
        raise web.HTTPNotFound(text=_GONE)
    return found


async def read_past(desk: Desk, stream: Stream, now: int, asked: Session | None = None) -> Past:
    """What can be had of it: of the session that is ``asked`` for and of no other; without one, of
    the minutes to the newest frame, whatever sessions they had."""
    session = stream.newest() if asked is None else asked
    span = span_of(session, now)
    if asked is not None:
        span = replace(span, session_id=session.session_id)
    try:
        history = await desk.sources.history(stream.stream_id, span)
    except Unavailable as error:
        return Past(stream.stream_id, session, span, History(), str(error))
    return Past(stream.stream_id, session, span, history)


def span_of(session: Session, now: int) -> Span:
    """The minutes before the newest frame; and all that was decided of the session in a day."""
    newest = session.newest_appended_at
    until = now if newest == NEVER else min(now, newest + _AFTER)
    since = until - LONG
    began = since if session.began_at == NEVER else session.began_at - _AFTER
    return Span(since, until, max(min(since, began), now - _DECIDED))


def _kept(session: Session) -> list[Event]:
    seen = (
        session.takedown,
        session.escalation,
        session.raised,
        session.stop,
        session.failure,
        session.reversal,
        session.closure,
    )
    found: dict[str, Event] = {it.event.id: it.event for it in seen if it is not None}
    return list(found.values())
