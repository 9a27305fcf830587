"""Reading back what a partition held, with a consumer of its own that belongs to no group."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, cast

from confluent_kafka import Consumer, KafkaException, TopicPartition

from agents.publishing import ProcessUnfit

from .reading import messages

_OFFSET_LOOKUP_SECONDS = 2.0
_RETRY_SECONDS = 0.1
_GIVE_UP_SECONDS = 60.0


class HistoryUnreadable(ProcessUnfit):
    """The brokers did not give back a partition's past; without it windows would be wrong."""


class KafkaHistory:
    """A ``History`` on librdkafka. ``config`` is librdkafka's."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = {
            "group.id": "firebreak-history",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            **config,
        }

    async def read(
        self, topic: str, partition: int, since: int, until_offset: int
    ) -> list[tuple[int, bytes]]:
        if until_offset == 0:
            return []
        return await asyncio.to_thread(self._read, topic, partition, since, until_offset)

    def _read(
        self, topic: str, partition: int, since: int, until_offset: int
    ) -> list[tuple[int, bytes]]:
        consumer = Consumer(self._config)
        try:
            # Kafka's time index is in milliseconds; rounding down only reads more.
            start = _lookup(consumer, TopicPartition(topic, partition, since // 1000))
            if not 0 <= start < until_offset:
                # -1 (librdkafka's OFFSET_END): nothing as new as that is in the partition.
                return []
            consumer.assign([TopicPartition(topic, partition, start)])
            return _read_until(consumer, until_offset)
        except KafkaException as error:
            raise HistoryUnreadable(
                f"{topic}/{partition} before {until_offset}: {error}"
            ) from error
        finally:
            consumer.close()


def _lookup(consumer: Consumer, at: TopicPartition) -> int:
    """The offset of the first record as new as ``at`` says.

    Asked for again where it fails: unlike reading, librdkafka tries it once, and ends it where the
    broker that is asked dies, which is when partitions change hands. Raises the last error.
    """
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    while True:
        try:
            (found,) = consumer.offsets_for_times([at], timeout=_OFFSET_LOOKUP_SECONDS)
            if found.error is not None:
                raise KafkaException(found.error)
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return found.offset


def _read_until(consumer: Consumer, until_offset: int) -> list[tuple[int, bytes]]:
    records: list[tuple[int, bytes]] = []
    for message in messages(consumer, _GIVE_UP_SECONDS):
        offset = cast(int, message.offset())
        if offset < until_offset:
            records.append((offset, message.value() or b""))
        if offset >= until_offset - 1:
            return records
    raise HistoryUnreadable(f"no answer in {_GIVE_UP_SECONDS:g} s")
