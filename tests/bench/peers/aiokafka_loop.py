"""A loop on aiokafka: frames by the batch, outputs acknowledged, then offsets committed.

After aiokafka's documentation: "Batch consumer" (``getmany``) with offsets committed by hand, a
rebalance listener as in "Local state and storing offsets outside of Kafka", and a producer with
``acks="all"`` whose futures are awaited before the commit.

Not idempotent: the embedded broker has an error for this client's request for a producer's id. What
is sent again after a failure may be there twice, under one id.

Guarantees: at least once. Windows and decisions are in memory: they are lost with the process, and
with a partition that is handed over: an attack that is under way starts anew then, and is taken
down a second time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

import uvloop
from aiokafka import (
    AIOKafkaConsumer,
    AIOKafkaProducer,
    ConsumerRebalanceListener,
    ConsumerRecord,
    TopicPartition,
)

from schemas import Codec, FrameSampled, topics
from tests.bench.job import Judgement

from .work import GROUP, Given, MicroBatches, Taken, output, read_given

_AT_ONCE = 512
"""Frames between two commits: so many are judged again after an end by force."""


class Loop(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Judges the frames of the partitions that it is given."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._batches = MicroBatches(given.judging)
        self._codec = Codec()
        self._judgements: dict[int, Judgement] = {}
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=given.bootstrap,
            group_id=GROUP,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        self._producer = AIOKafkaProducer(bootstrap_servers=given.bootstrap, acks="all")

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """What is known of them is another's now, who begins anew."""
        for partition in revoked:
            self._judgements.pop(partition.partition, None)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        for partition in assigned:
            self._judgements[partition.partition] = Judgement(self._given.policy)

    async def run(self) -> None:
        """Until cancelled, or an error."""
        self._consumer.subscribe([topics.FRAME_SAMPLES], listener=self)
        async with self._consumer, self._producer:
            while True:
                found = await self._consumer.getmany(timeout_ms=1000, max_records=_AT_ONCE)
                taken = [self._take(record) for records in found.values() for record in records]
                await asyncio.gather(*await self._judge(taken))
                if found:
                    await self._consumer.commit(
                        {partition: records[-1].offset + 1 for partition, records in found.items()}
                    )

    def _take(self, record: ConsumerRecord[bytes, bytes]) -> Taken:
        frame = self._codec.decode(record.value, FrameSampled)
        return Taken(frame, record.partition, record.offset, record.timestamp * 1000)

    async def _judge(self, taken: list[Taken]) -> list[asyncio.Future[Any]]:
        """What is on its way to the brokers because of ``taken``."""
        # On a thread if it takes long, so that the client goes on fetching and keeps its place.
        aside = self._batches.blocks
        judged = (
            await asyncio.to_thread(self._batches.judge, taken)
            if aside
            else (self._batches.judge(taken))
        )
        sent = []
        for frame, made in judged:
            for event in self._judgements[frame.partition].take(made, frame.offset):
                out = output(self._codec, event)
                sent.append(
                    await self._producer.send(
                        out.topic, out.value, key=out.key, headers=out.headers
                    )
                )
        return sent


async def _main() -> None:
    await Loop(read_given(batching=True)).run()


if __name__ == "__main__":
    uvloop.run(_main())
