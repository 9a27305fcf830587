"""Feeds the read model from the topics, on every worker, outside any consumer group.

Each worker reads all partitions of what is shown, so that each serves the whole picture; nothing
is committed, as there is nothing to share out. After a loss of Kafka it goes on where it was.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError, UnsupportedVersionError
from mode import Service

from schemas import (
    Codec,
    DetectionsMade,
    EscalationRaised,
    Event,
    EventDeadLettered,
    EventUnreadable,
    RiskAssessed,
    StreamUpdated,
    TakedownRequested,
    topics,
)

from .read_model import ReadModel

FOLLOWED: dict[str, type[Event]] = {
    topics.STREAM_UPDATES: StreamUpdated,
    topics.DETECTIONS: DetectionsMade,
    topics.RISK: RiskAssessed,
    topics.TAKEDOWNS: TakedownRequested,
    topics.ESCALATIONS: EscalationRaised,
    topics.DEAD_LETTERS: EventDeadLettered,
}

_HISTORY_US = 3_600_000_000
_FETCH_WAIT_MS = 100
_REQUEST_TIMEOUT_MS = 5_000
_RETRY_MS = 500
_METADATA_MS = 30_000
_PROBE_SECONDS = 2.0
_BACK_OFF_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
# A turn on the event loop that the agents share: 100 records are some ten milliseconds of folding.
_RECORDS_A_TURN = 100


class FeedState(StrEnum):
    """How current the read model is. The values are what pages and the API say."""

    CATCHING_UP = "catching up"
    FOLLOWING = "following"
    LOST = "lost"


class Feed(Service):
    """Runs with the Faust app and ends with it.

    ``kafka`` are aiokafka's connection arguments, ``bootstrap_servers`` among them. ``now_us`` is
    the wall clock in microseconds: it sets how far back the first reading goes.
    """

    def __init__(
        self,
        read_model: ReadModel,
        codec: Codec,
        kafka: Mapping[str, Any],
        *,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        **service: Any,
    ) -> None:
        super().__init__(**service)
        self._read_model = read_model
        self._codec = codec
        self._kafka = kafka
        self._now_us = now_us
        self._positions: dict[TopicPartition, int] = {}
        self.progress = FeedState.CATCHING_UP
        self.last_error: str | None = None
        """Why Kafka was last lost; kept once it is back."""
        self.undecodable = 0

    @property
    def caught_up(self) -> bool:
        """Whether all that lay in the topics when Kafka was last reached has been read."""
        return self.progress is FeedState.FOLLOWING

    @Service.task
    async def _follow(self) -> None:
        failures = 0
        while not self.should_stop:
            # Named here, the topics are in the metadata from the start and all their partitions
            # are assigned; asked for later, Kafka's answer does not reach the consumer.
            consumer = AIOKafkaConsumer(
                *FOLLOWED,
                **{
                    **self._kafka,
                    "group_id": None,
                    "enable_auto_commit": False,
                    "auto_offset_reset": "earliest",
                    "fetch_max_wait_ms": _FETCH_WAIT_MS,
                    "request_timeout_ms": _REQUEST_TIMEOUT_MS,
                    "retry_backoff_ms": _RETRY_MS,
                    "metadata_max_age_ms": _METADATA_MS,
                },
            )
            try:
                await consumer.start()
                await self._read(consumer)
            except (KafkaError, OSError, TimeoutError) as error:
                failures = 0 if self.caught_up else failures + 1
                self.progress = FeedState.LOST
                self.last_error = str(error) or type(error).__name__
                self.log.warning("The on-call feed lost Kafka: %s", self.last_error)
            finally:
                await _close(consumer)
            if self.progress is FeedState.LOST:
                await self.sleep(_BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS) - 1)])

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        """Read on until the service stops or the topics get other partitions.

        Raises what aiokafka raises.
        """
        partitions = _partitions(consumer)
        ends = await consumer.end_offsets(partitions)
        await self._seek(consumer, ends)
        self.progress = FeedState.CATCHING_UP
        loop = asyncio.get_running_loop()
        probe_at = loop.time() + _PROBE_SECONDS
        while not self.should_stop:
            batches = await consumer.getmany(timeout_ms=_FETCH_WAIT_MS, max_records=_RECORDS_A_TURN)
            for partition, records in batches.items():
                self._apply(partition, records)
            if not self.caught_up and await self._reached(consumer, ends):
                self.progress = FeedState.FOLLOWING
            if loop.time() >= probe_at:
                # A consumer without a group is not told that the brokers are gone: ask.
                await consumer.end_offsets(partitions)
                if _partitions(consumer) != partitions:
                    return
                probe_at = loop.time() + _PROBE_SECONDS
            # Records that are already here come without a pause: let the agents run.
            await asyncio.sleep(0)

    async def _seek(self, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> None:
        """Put each partition where it was left, or where recent history begins.

        ``ends`` are from before this call: what comes meanwhile is behind them and is read.
        """
        fresh = [partition for partition in ends if partition not in self._positions]
        since_ms = (self._now_us() - _HISTORY_US) // 1000
        try:
            found = await consumer.offsets_for_times(dict.fromkeys(fresh, since_ms))
        except UnsupportedVersionError:
            await consumer.seek_to_beginning(*fresh)
            found = {}
        starts = {
            partition: ends[partition] if first is None else first.offset
            for partition, first in found.items()
        }
        for partition, offset in (starts | self._positions).items():
            consumer.seek(partition, offset)

    async def _reached(
        self, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
    ) -> bool:
        for partition, end in ends.items():
            if await consumer.position(partition) < end:
                return False
        return True

    def _apply(self, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        for record in records:
            try:
                event = self._codec.decode(record.value, FOLLOWED[partition.topic])
            except EventUnreadable as error:
                self.undecodable += 1
                self.log.warning(
                    "On-call feed can't read %s/%d/%d: %s",
                    partition.topic,
                    partition.partition,
                    record.offset,
                    error,
                )
            else:
                self._read_model.apply(event, record.timestamp * 1000)
            self._positions[partition] = record.offset + 1


def _partitions(consumer: AIOKafkaConsumer) -> list[TopicPartition]:
    """All partitions of the followed topics, as far as ``consumer`` has heard."""
    partitions = []
    for topic in FOLLOWED:
        numbers = consumer.partitions_for_topic(topic)
        if not numbers:
            raise UnknownTopicOrPartitionError(topic)
        partitions += [TopicPartition(topic, number) for number in sorted(numbers)]
    return partitions


async def _close(consumer: AIOKafkaConsumer) -> None:
    """Stop ``consumer`` and close its connections.

    In aiokafka 0.14, ``stop`` ends in ``CancelledError``, with the connections open and retrying,
    where a fetch waits for a lost broker (``Fetcher.close`` awaits what it has cancelled).
    """
    stopping = asyncio.ensure_future(consumer.stop())
    await asyncio.wait({stopping})
    if stopping.cancelled():
        await consumer._client.close()
    else:
        stopping.result()
