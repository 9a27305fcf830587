"""Which records are an incident's, and the frames that it points at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import get_args
from uuid import UUID

from confluent_kafka import Message

from schemas import (
    MICROSECONDS,
    Codec,
    CommandAnswered,
    EscalationRaised,
    Event,
    EventUnreadable,
    FrameSampled,
    IncidentClosed,
    OperatorCommanded,
    RiskAssessed,
    StreamUnwatched,
    StreamUpdated,
    TakedownAcknowledged,
    topics,
)

from ..errors import OperatorError
from .evidence import Cited, Coordinates, foreign_topic, mismatch
from .listing import OpenIncident, open_incidents
from .log import TopicLog, place_of
from .records import Effect, IncidentRecord, Place, Session, Unreadable, in_order

_HOUR = 3600 * MICROSECONDS


def _by_topic(*types: type[Event]) -> dict[str, type[Event]]:
    return {topics.TOPIC_OF[each.__name__]: each for each in types}


_EFFECTS = _by_topic(*get_args(Effect))
_ABOUT = (
    (
        _by_topic(
            StreamUpdated,
            StreamUnwatched,
            OperatorCommanded,
            TakedownAcknowledged,
            CommandAnswered,
        ),
        24 * _HOUR,
    ),
    (_by_topic(RiskAssessed), _HOUR),
)
"""What is read besides, and from how long before the first effect on: the topics of news and of
risk hold millions of records of other streams."""


class IncidentUnknown(OperatorError):
    """There is no such incident, as far as the topics go back."""


def read_id(text: str) -> str:
    """An incident's id as it is written in records. Raises ``IncidentUnknown`` for no id at all."""
    try:
        return str(UUID(text))
    except ValueError:
        raise IncidentUnknown(
            f"{text!r} is not an incident's id, which looks like "
            "1f0e4c1a-6c3b-5f6e-9a54-0d8f3b1c2d7e; `firebreak incident list` shows those open"
        ) from None


class IncidentReader:
    """Reads incidents from ``log``. Everything raises ``RecordsUnreadable``."""

    def __init__(self, log: TopicLog, codec: Codec) -> None:
        self._log = log
        self._codec = codec

    def incident(self, incident_id: str) -> IncidentRecord:
        """All that the topics hold of the incident. Raises ``IncidentUnknown``."""
        found: list[tuple[Event, Place]] = []
        unreadable: list[Unreadable] = []
        marker = incident_id.encode()
        for message in self._log.read(_EFFECTS):
            # Avro writes a string as it is, so what does not hold the id need not be decoded.
            if marker in (message.value() or b""):
                self._take(message, _EFFECTS, found, unreadable)
        found = [(event, place) for event, place in found if _names(event, incident_id)]
        if not found:
            raise IncidentUnknown(
                f"no decision of incident {incident_id} is in the topics; they keep decisions for "
                "as long as their retention says, and `firebreak incident list` shows what is open"
            )
        sessions = IncidentRecord(incident_id, in_order(found)).sessions
        found += self._about(sessions, [place for _, place in found], unreadable)
        unreadable.sort(key=lambda each: each.place)
        return IncidentRecord(incident_id, in_order(found), tuple(unreadable))

    def frames(
        self, wanted: Sequence[Cited], sessions: Sequence[Session]
    ) -> dict[Coordinates, FrameSampled | str]:
        """Each frame that is still there, or why there is none."""
        return {each.coordinates: self._frame(each, sessions) for each in wanted}

    def open_incidents(self) -> tuple[list[OpenIncident], list[Unreadable]]:
        """See ``listing.open_incidents``; and what could not be read, of which some may be open."""
        found: list[tuple[Event, Place]] = []
        unreadable: list[Unreadable] = []
        kinds = _by_topic(EscalationRaised, IncidentClosed)
        for message in self._log.read(kinds):
            self._take(message, kinds, found, unreadable)
        raised = [event for event, _ in found if isinstance(event, EscalationRaised)]
        closed = [event for event, _ in found if isinstance(event, IncidentClosed)]
        return open_incidents(raised, closed), unreadable

    def _about(
        self, sessions: Sequence[Session], effects: Sequence[Place], unreadable: list[Unreadable]
    ) -> list[tuple[Event, Place]]:
        """What else is on record of ``sessions``.

        A stream is in the partition of the same number in every topic, so only those partitions
        are read that hold the ``effects``.
        """
        partitions = {place.partition for place in effects}
        first = min(place.appended_at for place in effects)
        keys = {stream_id.encode() for stream_id, _ in sessions}
        found: list[tuple[Event, Place]] = []
        for kinds, look_back in _ABOUT:
            for message in self._log.read(kinds, partitions, first - look_back):
                if message.key() in keys:
                    self._take(message, kinds, found, unreadable)
        answers = [event for event, _ in found if isinstance(event, CommandAnswered)]
        return [each for each in found if _is_of(each[0], sessions, answers)]

    def _take(
        self,
        message: Message,
        kinds: dict[str, type[Event]],
        found: list[tuple[Event, Place]],
        unreadable: list[Unreadable],
    ) -> None:
        place = place_of(message)
        try:
            found.append((self._codec.decode(message.value(), kinds[place.topic]), place))
        except EventUnreadable as error:
            unreadable.append(Unreadable(place, str(error)))

    def _frame(self, each: Cited, sessions: Sequence[Session]) -> FrameSampled | str:
        if reason := foreign_topic(each.ref):
            return reason
        message = self._log.at(*each.coordinates)
        if message is None:
            return "no longer kept"
        try:
            frame = self._codec.decode(message.value(), FrameSampled)
        except EventUnreadable as error:
            return f"what lies there can't be read: {error}"
        return mismatch(each.ref, frame, sessions) or frame


def _names(event: Event, incident_id: str) -> bool:
    return getattr(event, "incident_id", "") == incident_id


def _is_of(event: Event, sessions: Sequence[Session], answers: Iterable[CommandAnswered]) -> bool:
    """Whether ``event`` is about one of ``sessions``.

    An order may leave the session open: it is for the one that its answer names, and counts here
    as well as long as nothing answered it.
    """
    if isinstance(event, OperatorCommanded) and not event.session_id:
        meant = [(a.stream_id, a.session_id) for a in answers if a.command_id == event.command_id]
        return not meant or any(each in sessions for each in meant)
    session = getattr(event, "stream_id", ""), getattr(event, "session_id", "")
    return session in sessions
