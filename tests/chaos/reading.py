"""What lies on topics, read as brokers have it now."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaException,
    TopicPartition,
)

from schemas import Codec, DetectionsMade, Event, FramesShed, topics

E = TypeVar("E", bound=Event)
T = TypeVar("T")
CODEC = Codec()
_READ_SECONDS = 120.0
"""Longer than a partition is without a leader in any fault."""
_AT_ONCE = 2000
_WAIT_SECONDS = 0.1
_METADATA_SECONDS = 30.0
_AGAIN_SECONDS = 0.5
_READER = {
    "group.id": "chaos-reading",
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
}

Place = tuple[int, int]
"""Partition and offset."""


@dataclass(frozen=True, slots=True)
class Read:
    """One record: where it lies, when it was appended, its value."""

    partition: int
    offset: int
    milliseconds: int
    value: bytes

    @property
    def place(self) -> Place:
        return self.partition, self.offset

    @property
    def at(self) -> float:
        """In seconds."""
        return self.milliseconds / 1000


class Reader:
    """Reads one topic from its beginning, and each time only what is new."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._topic = topic
        self._consumer = Consumer({"bootstrap.servers": bootstrap, **_READER})
        self._numbers = _partitions(self._consumer, topic)
        self._next = dict.fromkeys(self._numbers, 0)
        self._consumer.assign([TopicPartition(topic, n, OFFSET_BEGINNING) for n in self._numbers])

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def read(self) -> list[Read]:
        """What the brokers have and has not been read yet, in order within a partition.

        Raises ``TimeoutError`` where they don't give it.
        """
        ends = _ends(self._consumer, self._topic, self._numbers)
        deadline = time.monotonic() + _READ_SECONDS
        found: list[Read] = []
        while any(self._next[number] < end for number, end in ends.items()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._topic}: at {self._next} of {ends}")
            # So many, or what has come in so long.
            messages: list[Any] = self._consumer.consume(_AT_ONCE, timeout=_WAIT_SECONDS)
            for message in messages:
                if message.error() is None:
                    place = message.partition(), message.offset()
                    _, at = message.timestamp()
                    found.append(Read(*place, at, message.value()))
                    self._next[place[0]] = place[1] + 1
        return found


class Progress:
    """Which frames have been judged, or shed and told of."""

    def __init__(self, bootstrap: str) -> None:
        self._detections = Reader(bootstrap, topics.DETECTIONS)
        self._shed = Reader(bootstrap, topics.SHED)
        self._done: set[Place] = set()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._detections.__exit__()
        self._shed.__exit__()

    def done(self) -> set[Place]:
        """Up to now; the same set each time."""
        self._done.update(judged_at(self._detections.read()))
        self._done.update(shed(self._shed.read()))
        return self._done


def read_topic(bootstrap: str, topic: str) -> list[Read]:
    """All that is on ``topic`` now, partition by partition in the order of offsets."""
    with Reader(bootstrap, topic) as reader:
        return sorted(reader.read(), key=lambda it: (it.partition, it.offset))


def events(bootstrap: str, event_type: type[E]) -> list[E]:
    """The events on their topic, in order within a partition."""
    found = read_topic(bootstrap, topics.TOPIC_OF[event_type.__name__])
    return [CODEC.decode(record.value, event_type) for record in found]


def end_offsets(bootstrap: str, topic: str) -> dict[int, int]:
    """Where each partition of ``topic`` ends now."""
    consumer = Consumer({"bootstrap.servers": bootstrap, **_READER})
    try:
        return _ends(consumer, topic, _partitions(consumer, topic))
    finally:
        consumer.close()


def uncommitted(bootstrap: str, group: str, names: Iterable[str]) -> int:
    """How many records of the topics ``names`` the ``group`` has not done with."""
    consumer = Consumer({"bootstrap.servers": bootstrap, **_READER, "group.id": group})
    try:
        left = 0
        for topic in names:
            ends = _ends(consumer, topic, _partitions(consumer, topic))
            places = [TopicPartition(topic, number) for number in ends]
            ask = partial(consumer.committed, places, timeout=_METADATA_SECONDS)
            for place in answered(ask):
                left += ends[place.partition] - max(place.offset, 0)
        return left
    finally:
        consumer.close()


def judged_at(detections: Iterable[Read]) -> dict[Place, list[float]]:
    """When each frame, by partition and offset, was judged; in seconds."""
    judged: dict[Place, list[float]] = defaultdict(list)
    for record in detections:
        batch = CODEC.decode(record.value, DetectionsMade)
        for item in batch.detections:
            judged[batch.frame_partition, item.offset].append(record.at)
    return judged


def shed(records: Iterable[Read]) -> set[Place]:
    """Which frames, by partition and offset, were left out and told of."""
    return {
        (told.frame_partition, offset)
        for told in (CODEC.decode(record.value, FramesShed) for record in records)
        for stream in told.streams
        for offset in stream.offsets
    }


def _partitions(consumer: Consumer, topic: str) -> list[int]:
    found = answered(partial(consumer.list_topics, topic, timeout=_METADATA_SECONDS))
    return list(found.topics[topic].partitions)


def _ends(consumer: Consumer, topic: str, numbers: Iterable[int]) -> dict[int, int]:
    def end(number: int) -> int:
        place = TopicPartition(topic, number, OFFSET_END)
        ask = partial(consumer.get_watermark_offsets, place, timeout=_METADATA_SECONDS)
        return int(answered(ask)[1])

    return {number: end(number) for number in numbers}


def answered(ask: Callable[[], T]) -> T:
    """What comes of ``ask``, again and again: a partition may have no leader, or another one.

    Raises ``KafkaException`` where that does not pass.
    """
    deadline = time.monotonic() + _READ_SECONDS
    while True:
        try:
            return ask()
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(_AGAIN_SECONDS)
