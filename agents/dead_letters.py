"""Events that cannot be processed: the causes, and the dead letter that says which it was."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import msgspec

from schemas import EventDeadLettered, ReadHeaders, derive_id, read_attempt, read_traceparent

from .publishing import Outgoing

_DETAIL_LIMIT = 500
_KEY_LIMIT = 1024


class DeadLetterCause(StrEnum):
    """Why an event could not be processed."""

    UNREADABLE_EVENT = "unreadable-event"
    UNKNOWN_SCHEMA = "unknown-schema"
    INVALID_ID = "invalid-id"
    EMPTY_PAYLOAD = "empty-payload"
    PAYLOAD_TOO_LARGE = "payload-too-large"
    PAYLOAD_REFUSED = "payload-refused"
    PAYLOAD_UNAVAILABLE = "payload-unavailable"
    UNKNOWN_CODEC = "unknown-codec"
    UNDECODABLE_PAYLOAD = "undecodable-payload"
    TOO_MANY_PIXELS = "too-many-pixels"
    DECODE_TOO_SLOW = "decode-too-slow"
    DECODER_CRASHED = "decoder-crashed"
    EVENT_TOO_LARGE = "event-too-large"
    OUTPUT_TOO_LARGE = "output-too-large"
    """What comes of it is more than the brokers take."""
    EVENT_TIME_OUT_OF_RANGE = "event-time-out-of-range"
    INFERENCE_FAILED = "inference-failed"
    INTERNAL_ERROR = "internal-error"


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why one event is dead-lettered; ``stream_id`` is empty where it is not known."""

    cause: DeadLetterCause
    detail: str
    stream_id: str = ""


class Headed(Protocol):
    """What has a record's headers."""

    @property
    def headers(self) -> ReadHeaders: ...


class Coordinates(msgspec.Struct, frozen=True):
    """One Kafka record. ``appended_at`` is microseconds since the epoch, -1 where unknown."""

    topic: str
    partition: int
    offset: int
    appended_at: int
    key: bytes
    record: Headed | None = None

    @property
    def attempt(self) -> int:
        return 1 if self.record is None else read_attempt(self.record.headers)

    @property
    def traceparent(self) -> str | None:
        """Looked up when asked for: most records cause nothing by themselves."""
        return None if self.record is None else read_traceparent(self.record.headers)


def dead_letter(agent: str, source: Coordinates, rejection: Rejection) -> Outgoing:
    """The dead letter of the record at ``source``; the same record gives the same id."""
    place = (source.topic, source.partition, source.offset)
    event = EventDeadLettered(
        dead_letter_id=derive_id("dead-letter", agent, *place),
        topic=source.topic,
        partition=source.partition,
        offset=source.offset,
        appended_at=source.appended_at,
        agent=agent,
        cause=rejection.cause,
        detail=rejection.detail[:_DETAIL_LIMIT],
        key=source.key[:_KEY_LIMIT],
        stream_id=rejection.stream_id,
        attempt=source.attempt,
    )
    return Outgoing(
        event=event,
        id=event.dead_letter_id,
        time=max(source.appended_at, 0),
        key="/".join(map(str, place)).encode(),
        cause_traceparent=source.traceparent,
    )
