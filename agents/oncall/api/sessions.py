"""Which session of a stream an operation is about."""

from __future__ import annotations

from msgspec import UNSET

from ..desk import Desk
from ..sessions import Session
from ..streams import Stream
from .problems import not_found
from .words import OfSession


def asked_of(desk: Desk, asked: OfSession) -> tuple[Stream, Session | None]:
    """The stream, and the session of the incident where one is named. Raises ``Refused``."""
    stream = desk.read_model.stream_of(asked.handle)
    if stream is None:
        raise not_found("stream")
    if asked.incident_id is UNSET:
        return stream, None
    session = stream.session_of(asked.incident_id)
    if session is None:
        raise not_found("incident of the stream")
    return stream, session
