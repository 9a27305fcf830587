"""Reading back what a partition held, with a consumer of its own that belongs to no group."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from confluent_kafka import Consumer, KafkaException, TopicPartition

from agents.publishing import ProcessUnfit

from .reading import messages

_OFFSET_LOOKUP_SECONDS = 10.0
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
            at = TopicPartition(topic, partition, since // 1000)
            (start,) = consumer.offsets_for_times([at], timeout=_OFFSET_LOOKUP_SECONDS)
            if start.error is not None:
                raise KafkaException(start.error)
            if not 0 <= start.offset < until_offset:
                # -1 (librdkafka's OFFSET_END): nothing as new as that is in the partition.
                return []
            consumer.assign([TopicPartition(topic, partition, start.offset)])
            return _read_until(consumer, until_offset)
        except KafkaException as error:
            raise HistoryUnreadable(
                f"{topic}/{partition} before {until_offset}: {error}"
            ) from error
        finally:
            consumer.close()


def _read_until(consumer: Consumer, until_offset: int) -> list[tuple[int, bytes]]:
    records: list[tuple[int, bytes]] = []
    for message in messages(consumer, _GIVE_UP_SECONDS):
        offset = cast(int, message.offset())
        if offset < until_offset:
            records.append((offset, message.value() or b""))
        if offset >= until_offset - 1:
            return records
    raise HistoryUnreadable(f"no answer in {_GIVE_UP_SECONDS:g} s")
