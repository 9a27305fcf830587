"""Reading decisions as any outside consumer would: a plain consumer, the schemas, nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec
from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaException,
    Message,
    TopicPartition,
)

from schemas import (
    BundlesDisagreed,
    Codec,
    DetectionsMade,
    EscalationRaised,
    Event,
    EventUnreadable,
    RiskAssessed,
    TakedownRequested,
    read_header,
    topics,
)
from schemas.headers import ReadHeaders

from .errors import OperatorError

WATCHED: dict[str, tuple[str, type[Event]]] = {
    "takedowns": (topics.TAKEDOWNS, TakedownRequested),
    "escalations": (topics.ESCALATIONS, EscalationRaised),
    "detections": (topics.DETECTIONS, DetectionsMade),
    "risk": (topics.RISK, RiskAssessed),
    "disagreements": (topics.DISAGREEMENTS, BundlesDisagreed),
}
"""What can be watched, by the name that people give it."""

_METADATA_SECONDS = 10.0
_POLL_SECONDS = 0.2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TopicUnavailable(OperatorError):
    """The topic can't be read: start Kafka, create the topic or grant access to it."""


@dataclass(frozen=True, slots=True)
class Watched:
    """An event that was read, and where it lies. ``ce_id`` is its CloudEvents id, if it has one."""

    event: Event
    topic: str
    partition: int
    offset: int
    ce_id: str | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that is not the event that its topic carries."""

    topic: str
    partition: int
    offset: int
    reason: str


def watch(
    config: Mapping[str, Any],
    codec: Codec,
    name: str,
    *,
    from_beginning: bool = False,
    timeout: float | None = None,
) -> Iterator[Watched | Unreadable]:
    """Yield what comes on the topic of ``name`` until ``timeout`` seconds have passed.

    ``config`` is librdkafka's, ``name`` a key of ``WATCHED``. Nothing is committed and no group
    is joined. Raises ``TopicUnavailable``.
    """
    topic, expected = WATCHED[name]
    deadline = None if timeout is None else time.monotonic() + timeout
    consumer = Consumer(
        {
            **config,
            # Required by librdkafka even where partitions are assigned by hand.
            "group.id": "firebreak-watch",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    try:
        consumer.assign(_partitions(consumer, topic, from_beginning))
        while deadline is None or time.monotonic() < deadline:
            message = consumer.poll(_POLL_SECONDS)
            if message is not None:
                yield _read(codec, message, expected)
    except KafkaException as error:
        raise TopicUnavailable(f"{topic}: {error.args[0].str()}") from error
    finally:
        consumer.close()


def _partitions(consumer: Consumer, topic: str, from_beginning: bool) -> list[TopicPartition]:
    found = consumer.list_topics(topic, timeout=_METADATA_SECONDS).topics[topic]
    if found.error is not None:
        raise KafkaException(found.error)
    start = OFFSET_BEGINNING if from_beginning else OFFSET_END
    return [TopicPartition(topic, number, start) for number in found.partitions]


def _read(codec: Codec, message: Message, expected: type[Event]) -> Watched | Unreadable:
    if (error := message.error()) is not None:
        raise KafkaException(error)
    # Given for every message that is not an error.
    topic = cast(str, message.topic())
    partition, offset = cast(int, message.partition()), cast(int, message.offset())
    try:
        event = codec.decode(message.value(), expected)
    except EventUnreadable as unreadable:
        return Unreadable(topic, partition, offset, reason=str(unreadable))
    headers = cast(ReadHeaders, message.headers())
    return Watched(event, topic, partition, offset, read_header(headers, "ce_id"))


def to_json(watched: Watched) -> str:
    """One line of JSON, ASCII only: the event's fields, bytes as Base64, and where it lies."""
    fields = msgspec.to_builtins(watched.event)
    fields["_type"] = type(watched.event).__name__
    fields["_kafka"] = {
        "topic": watched.topic,
        "partition": watched.partition,
        "offset": watched.offset,
    }
    fields["_id"] = watched.ce_id
    return json.dumps(fields)


def to_lines(event: Event) -> Iterator[str]:
    """Lines for people: one an event, and one a frame for detections. Safe on a terminal."""
    match event:
        case TakedownRequested():
            yield _decision_line(event.requested_at, "TAKEDOWN", event)
        case EscalationRaised():
            yield _decision_line(event.raised_at, f"ESCALATION {event.severity}", event)
        case RiskAssessed():
            windows = ", ".join(f"{w.hits}/{w.frames} in {w.seconds:g} s" for w in event.windows)
            yield _line(
                event.assessed_at,
                "risk",
                event.stream_id,
                event.drill,
                f"{event.risk:.3f}",
                windows,
            )
        case DetectionsMade():
            for detection in event.detections:
                scores = zip(event.signals, detection.scores, strict=False)
                yield _line(
                    detection.captured_at,
                    "frame",
                    detection.stream_id,
                    detection.drill,
                    f"#{detection.sequence}",
                    ", ".join(f"{signal} {score:.3f}" for signal, score in scores),
                )


def _decision_line(at: int, what: str, event: TakedownRequested | EscalationRaised) -> str:
    why = f"{event.rule}: {event.explanation}"
    incident = f"incident {event.incident_id}"
    return _line(at, what, event.stream_id, event.drill, f"risk {event.risk:.2f}", why, incident)


def _line(at: int, what: str, stream_id: str, drill: bool, *rest: str) -> str:
    when = (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="milliseconds")
    parts = (when.replace("+00:00", "Z"), what, stream_id, *(["DRILL"] if drill else ()), *rest)
    return printable("  ".join(parts))


def printable(text: str) -> str:
    """``text`` with whatever is not printable escaped: ids come from outside, and terminals obey.

    Line breaks, escape sequences and marks that turn the direction of writing are among these.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
