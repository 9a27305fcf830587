"""The decision agent's memory on Kafka: a compacted topic, read whole when a partition is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from agents.publishing import ProcessUnfit
from schemas import topics

from .publisher import KafkaPublisher
from .reading import messages


class StateUnreadable(ProcessUnfit):
    """What was remembered did not come back: deciding without it could do the same again."""


class KafkaStateLog:
    """A ``StateLog`` on librdkafka. ``config`` is librdkafka's."""

    def __init__(
        self, config: Mapping[str, Any], publisher: KafkaPublisher, give_up_seconds: float = 60.0
    ) -> None:
        self._publisher = publisher
        self._give_up_seconds = give_up_seconds
        self._config = {
            "group.id": "firebreak-state-log",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 10,  # how long the brokers hold the answer that this was all
            **config,
        }

    async def read(self, partition: int) -> Mapping[bytes, bytes]:
        return await asyncio.to_thread(self._read, partition)

    async def write(self, partition: int, key: bytes, value: bytes | None) -> None:
        await self._publisher.put(topics.DECISION_STATES, partition, key, value)

    def _read(self, partition: int) -> dict[bytes, bytes]:
        consumer = Consumer(self._config)
        try:
            consumer.assign([TopicPartition(topics.DECISION_STATES, partition, OFFSET_BEGINNING)])
            return _read_all(consumer, self._give_up_seconds)
        except KafkaException as error:
            raise StateUnreadable(f"{topics.DECISION_STATES}/{partition}: {error}") from error
        finally:
            consumer.close()


def _read_all(consumer: Consumer, seconds: float) -> dict[bytes, bytes]:
    kept: dict[bytes, bytes] = {}
    for message in messages(consumer, seconds):
        if message.error() is not None:
            return kept
        key, value = message.key() or b"", message.value()
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = value
    raise StateUnreadable(f"{topics.DECISION_STATES}: its end was not reached in time")
