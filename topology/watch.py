"""Reading decisions as any outside consumer would: a plain consumer, the schemas, nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
    AlertRaised,
    BreakerTripped,
    BundlesDisagreed,
    Codec,
    CommandAnswered,
    DecisionReversed,
    DetectionsMade,
    DrillOrdered,
    EscalationRaised,
    Event,
    EventDeadLettered,
    EventRedriven,
    EventUnreadable,
    EvidenceViewed,
    FramesShed,
    IncidentClosed,
    OperatorCommanded,
    PoliciesDisagreed,
    ReferralPrepared,
    RiskAssessed,
    SamplingBoostRequested,
    StreamUnwatched,
    TakedownAcknowledged,
    TakedownRequested,
    WorkerReported,
    read_header,
    topics,
)
from schemas.headers import ReadHeaders
from schemas.signatures import SIGNED, NotIssued, Verifier

from .errors import OperatorError

WATCHED: dict[str, type[Event]] = {
    "takedowns": TakedownRequested,
    "escalations": EscalationRaised,
    "acknowledgements": TakedownAcknowledged,
    "reversals": DecisionReversed,
    "closures": IncidentClosed,
    "referrals": ReferralPrepared,
    "sampling": SamplingBoostRequested,
    "commands": OperatorCommanded,
    "answers": CommandAnswered,
    "unwatched": StreamUnwatched,
    "breaker": BreakerTripped,
    "alerts": AlertRaised,
    "shed": FramesShed,
    "dead-letters": EventDeadLettered,
    "redrives": EventRedriven,
    "views": EvidenceViewed,
    "workers": WorkerReported,
    "drills": DrillOrdered,
    "risk": RiskAssessed,
    "detections": DetectionsMade,
    "disagreements": BundlesDisagreed,
    "policy-disagreements": PoliciesDisagreed,
}
"""What can be watched, by the name that people give it."""

_METADATA_SECONDS = 10.0
_POLL_SECONDS = 0.2


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
    """A record that is not the event that its topic carries, or that nobody trusted has signed."""

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
    verifier: Verifier | None = None,
) -> Iterator[Watched | Unreadable]:
    """Yield what comes on the topic of ``name`` until ``timeout`` seconds have passed.

    ``config`` is librdkafka's, ``name`` a key of ``WATCHED``. With a ``verifier`` a decision that
    bears no signature of a trusted key is unreadable. Nothing is committed and no group is joined.
    Raises ``TopicUnavailable``.
    """
    expected = WATCHED[name]
    topic = topics.TOPIC_OF[expected.__name__]
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
                yield _read(codec, message, expected, verifier)
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


def _read(
    codec: Codec, message: Message, expected: type[Event], verifier: Verifier | None
) -> Watched | Unreadable:
    if (error := message.error()) is not None:
        raise KafkaException(error)
    # Given for every message that is not an error.
    topic = cast(str, message.topic())
    partition, offset = cast(int, message.partition()), cast(int, message.offset())
    headers = cast(ReadHeaders, message.headers())
    try:
        if verifier is not None and expected in SIGNED:
            verifier.verify(expected, message.value(), headers)
        event = codec.decode(message.value(), expected)
    except (NotIssued, EventUnreadable) as unreadable:
        return Unreadable(topic, partition, offset, reason=str(unreadable))
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


def printable(text: str) -> str:
    """``text`` with whatever is not printable escaped: ids come from outside, and terminals obey.

    Line breaks, escape sequences and marks that turn the direction of writing are among these.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
