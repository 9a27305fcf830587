"""Reads what the topology writes, as any outside consumer would, and knows when it is done."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, cast

from confluent_kafka import OFFSET_END, Consumer, KafkaException, TopicPartition

from deploy.demo.tally import Tally
from schemas import EVENT_TYPES, Codec, EventUnreadable, topics

_OBSERVED = (
    "DetectionsMade",
    "RiskAssessed",
    "EscalationRaised",
    "TakedownRequested",
    "TakedownAcknowledged",
    "EventDeadLettered",
)
_EVENT_OF = {topics.TOPIC_OF[name]: EVENT_TYPES[name] for name in _OBSERVED}
_JUDGED_TOPICS = (topics.DETECTIONS, topics.RISK)
_METADATA_SECONDS = 15.0
_POLL_SECONDS = 0.2
_QUIET_SECONDS = 1.5
"""Longer than the workers' commit interval."""


class Observer:
    """A consumer from now on, folding into ``tally`` on a thread of its own.

    ``group`` is the consumer group of the workers whose progress says when all is decided.
    """

    def __init__(self, config: Mapping[str, Any], codec: Codec, group: str) -> None:
        self.tally = Tally()
        self.lock = threading.Lock()
        self._codec = codec
        self._config = dict(config)
        self._group = group
        self._consumer = Consumer(
            {"group.id": "firebreak-demo", "enable.auto.commit": False, **config}
        )
        self._positions: dict[tuple[str, int], int] = {}
        self._last_record = time.monotonic()
        self._stopping = threading.Event()
        self._partitions = self._find_partitions()
        self._consumer.assign([TopicPartition(*place, OFFSET_END) for place in self._partitions])
        self._thread = threading.Thread(target=self._read, name="observer", daemon=True)

    def __enter__(self) -> Observer:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._consumer.close()

    def all_decided(self, frames: int) -> bool:
        """Whether ``frames`` frames are settled and what followed is over, takedowns answered."""
        with self.lock:
            if self.tally.settled < frames or self.tally.unanswered:
                return False
            positions = dict(self._positions)
            quiet = time.monotonic() - self._last_record
        if quiet < _QUIET_SECONDS:
            return False
        committed = self._committed()
        return all(
            committed[place] >= position
            for place, position in positions.items()
            if place in committed
        )

    def _committed(self) -> dict[tuple[str, int], int]:
        # A consumer of the workers' group that never joins it: it only asks.
        asking = Consumer({**self._config, "group.id": self._group, "enable.auto.commit": False})
        try:
            judged = [place for place in self._partitions if place[0] in _JUDGED_TOPICS]
            wanted = [TopicPartition(*place) for place in judged]
            found = asking.committed(wanted, timeout=_METADATA_SECONDS)
            return {(tp.topic, tp.partition): tp.offset for tp in found}
        finally:
            asking.close()

    def _find_partitions(self) -> list[tuple[str, int]]:
        cluster = self._consumer.list_topics(timeout=_METADATA_SECONDS)
        return [
            (name, partition) for name in _EVENT_OF for partition in cluster.topics[name].partitions
        ]

    def _read(self) -> None:
        while not self._stopping.is_set():
            message = self._consumer.poll(_POLL_SECONDS)
            if message is None:
                continue
            if (error := message.error()) is not None:
                raise KafkaException(error)
            # Only an error leaves these empty.
            topic, partition = cast(str, message.topic()), cast(int, message.partition())
            offset = cast(int, message.offset())
            try:
                event = self._codec.decode(message.value(), _EVENT_OF[topic])
            except EventUnreadable:
                continue
            with self.lock:
                self.tally.apply(event, message.timestamp()[1] * 1000)
                self._positions[topic, partition] = offset + 1
                self._last_record = time.monotonic()
