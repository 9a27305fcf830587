"""Following all partitions of topics, on every worker, outside any consumer group.

Each worker reads everything that it follows, so that each knows the whole; nothing is committed, as
there is nothing to share out. After a loss of Kafka it goes on where it was.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError, UnsupportedVersionError
from mode import Service

from schemas import Codec, Event, EventUnreadable

FRESH_SECONDS = 15.0
"""Longer than Apache Kafka takes to have a dead broker's partitions led by another (9 s and what
the change itself takes): nothing was ordered meanwhile that could not be read."""
_FETCH_WAIT_MS = 250
_FETCH_BYTES = 64 * 1024
"""Less is waited for that long: each answer costs as much as there are partitions, and a record
every few milliseconds would have one each."""
_REQUEST_TIMEOUT_MS = 5_000
_RETRY_MS = 500
_METADATA_MS = 30_000
_PROBE_SECONDS = 1.0
_BACK_OFF_SECONDS = (0.5, 1.0, 2.0)
# A turn on the event loop that the agents share: 100 records are some ten milliseconds of folding.
_RECORDS_A_TURN = 100


class Progress(StrEnum):
    """How current what was read is. The values are what pages and the API say."""

    CATCHING_UP = "catching up"
    FOLLOWING = "following"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Followed:
    """What a topic carries, and how much of its past matters, in microseconds."""

    event_type: type[Event]
    history: int


class Follower(Service):
    """Runs with the Faust app and ends with it.

    ``take`` gets each event and, in microseconds, when the brokers appended it (-1 where they gave
    no time). ``kafka`` are aiokafka's connection arguments, ``bootstrap_servers`` among them.
    ``now_us`` is the wall clock in microseconds: it sets how far back the first reading goes.
    ``what`` names it in the log.

    Transactions (``topology.redrive``) carry copies of records that lie there already, and notes of
    it. ``committed`` is for who reads the notes, which say nothing before they are committed: what
    lies behind a transaction that is open is read once that has ended, and nothing is fresh until
    then. Others read past it: a kill switch behind one is in force at once.
    """

    def __init__(
        self,
        what: str,
        followed: Mapping[str, Followed],
        take: Callable[[Event, int], None],
        codec: Codec,
        kafka: Mapping[str, Any],
        *,
        committed: bool = False,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        **service: Any,
    ) -> None:
        super().__init__(**service)
        self._isolation = "read_committed" if committed else "read_uncommitted"
        self._what = what
        self._followed = followed
        self._take = take
        self._codec = codec
        self._kafka = kafka
        self._now_us = now_us
        self._positions: dict[TopicPartition, int] = {}
        self._read_up_at = float("-inf")
        self.progress = Progress.CATCHING_UP
        self.last_error: str | None = None
        """Why Kafka was last lost; kept once it is back."""
        self.undecodable = 0

    @property
    def caught_up(self) -> bool:
        """Whether all that lay in the topics when Kafka was last reached has been read."""
        return self.progress is Progress.FOLLOWING

    @property
    def fresh(self) -> bool:
        """Whether all has been read that lay in the topics at a moment not long ago."""
        return self.caught_up and time.monotonic() - self._read_up_at < FRESH_SECONDS

    def failures(self) -> list[str]:
        """What is wrong now, in words."""
        lost = self.progress is Progress.LOST
        return [f"{self._what} lost Kafka: {self.last_error}"] if lost else []

    @Service.task
    async def _follow(self) -> None:
        failures = 0
        while not self.should_stop:
            # Named here, the topics are in the metadata from the start and all their partitions
            # are assigned; asked for later, Kafka's answer does not reach the consumer.
            consumer = AIOKafkaConsumer(
                *self._followed,
                **{
                    **self._kafka,
                    "group_id": None,
                    "enable_auto_commit": False,
                    "auto_offset_reset": "earliest",
                    "isolation_level": self._isolation,
                    "fetch_max_wait_ms": _FETCH_WAIT_MS,
                    "fetch_min_bytes": _FETCH_BYTES,
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
                self.progress = Progress.LOST
                self.last_error = str(error) or type(error).__name__
                self.log.warning("%s lost Kafka: %s", self._what, self.last_error)
            finally:
                await _close(consumer)
            if self.progress is Progress.LOST:
                await self.sleep(_BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS) - 1)])

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        """Read on until the service stops or the topics get other partitions.

        Raises what aiokafka raises.
        """
        partitions = self._partitions(consumer)
        asked_at = probed_at = time.monotonic()
        ends = await _ends(consumer, partitions)
        await self._seek(consumer, ends)
        self.progress = Progress.CATCHING_UP
        while not self.should_stop:
            batches = await consumer.getmany(timeout_ms=_FETCH_WAIT_MS, max_records=_RECORDS_A_TURN)
            for partition, records in batches.items():
                self._apply(partition, records)
            # Asked of every partition, so not again once it is known.
            if self._read_up_at != asked_at and await _reached(consumer, ends):
                self.progress, self._read_up_at = Progress.FOLLOWING, asked_at
            if time.monotonic() >= probed_at + _PROBE_SECONDS:
                # A consumer without a group is not told that the brokers are gone: ask.
                probed_at = time.monotonic()
                ends_now = await _ends(consumer, partitions)
                if self._partitions(consumer) != partitions:
                    return
                if self._read_up_at == asked_at:
                    asked_at, ends = probed_at, ends_now
            # Records that are already here come without a pause: let the agents run.
            await asyncio.sleep(0)

    async def _seek(self, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> None:
        """Put each partition where it was left, or where the past that matters begins.

        ``ends`` are from before this call: what comes meanwhile is behind them and is read.
        """
        now = self._now_us()
        since_ms = {
            partition: (now - self._followed[partition.topic].history) // 1000
            for partition in ends
            if partition not in self._positions
        }
        try:
            found = await consumer.offsets_for_times(since_ms)
        except UnsupportedVersionError:
            await consumer.seek_to_beginning(*since_ms)
            found = {}
        starts = {
            partition: ends[partition] if first is None else first.offset
            for partition, first in found.items()
        }
        for partition, offset in (starts | self._positions).items():
            consumer.seek(partition, offset)

    def _apply(self, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        for record in records:
            try:
                event = self._codec.decode(record.value, self._followed[partition.topic].event_type)
            except EventUnreadable as error:
                self.undecodable += 1
                self.log.warning(
                    "%s can't read %s/%d/%d: %s",
                    self._what,
                    partition.topic,
                    partition.partition,
                    record.offset,
                    error,
                )
            else:
                self._take(event, record.timestamp * 1000 if record.timestamp >= 0 else -1)
            self._positions[partition] = record.offset + 1

    def _partitions(self, consumer: AIOKafkaConsumer) -> list[TopicPartition]:
        """All partitions of the followed topics, as far as ``consumer`` has heard."""
        partitions = []
        for topic in self._followed:
            numbers = consumer.partitions_for_topic(topic)
            if not numbers:
                raise UnknownTopicOrPartitionError(topic)
            partitions += [TopicPartition(topic, number) for number in sorted(numbers)]
        return partitions


async def _ends(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]
) -> Mapping[TopicPartition, int]:
    """Where each ends. What is told of what is committed leaves out open transactions and all that
    lies behind them: with that, as far as the last fetches tell."""
    ends = await consumer.end_offsets(partitions)
    assigned = consumer.assignment()
    return {
        partition: max(end, (partition in assigned and consumer.highwater(partition)) or 0)
        for partition, end in ends.items()
    }


async def _reached(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    for partition, end in ends.items():
        if await consumer.position(partition) < end:
            return False
    return True


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
