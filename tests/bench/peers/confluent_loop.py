"""A loop on confluent-kafka: frames by the batch, outputs delivered, then offsets committed.

After Confluent's documentation of the Python client: a "basic poll loop" with "synchronous
commits", ``consume`` for batches as it advises for throughput, delivery callbacks, and a ``flush``
before each commit.

Guarantees: at least once. Windows and decisions are in memory: they are lost with the process, and
with a partition that is handed over: an attack that is under way starts anew then, and is taken
down a second time.
"""

from __future__ import annotations

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from schemas import Codec, Event, FrameSampled, topics
from tests.bench.job import Judgement

from .work import GROUP, Given, MicroBatches, Taken, output, read_given

_AT_ONCE = 512
"""Frames between two commits: so many are judged again after an end by force."""
_WAIT_SECONDS = 0.1
"""How long a batch waits to fill."""


class Loop:
    """Judges the frames of the partitions that it is given."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._batches = MicroBatches(given.judging)
        self._codec = Codec()
        self._judgements: dict[int, Judgement] = {}
        self._undelivered: list[KafkaError] = []
        self._consumer = Consumer(
            {
                "bootstrap.servers": given.bootstrap,
                "group.id": GROUP,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
            }
        )
        self._producer = Producer(
            {
                "bootstrap.servers": given.bootstrap,
                "acks": "all",
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
            }
        )

    def run(self) -> None:
        """Until an error, which ends the process."""
        self._consumer.subscribe(
            [topics.FRAME_SAMPLES], on_assign=self._assign, on_revoke=self._revoke
        )
        try:
            while True:
                messages = self._consumer.consume(_AT_ONCE, timeout=_WAIT_SECONDS)
                if messages:
                    self._work([self._take(message) for message in messages])
        finally:
            self._consumer.close()

    def _assign(self, _: Consumer, assigned: list[TopicPartition]) -> None:
        for partition in assigned:
            self._judgements[partition.partition] = Judgement(self._given.policy)

    def _revoke(self, _: Consumer, revoked: list[TopicPartition]) -> None:
        """What is known of them is another's now, who begins anew."""
        for partition in revoked:
            self._judgements.pop(partition.partition, None)

    def _work(self, taken: list[Taken]) -> None:
        for frame, made in self._batches.judge(taken):
            for event in self._judgements[frame.partition].take(made, frame.offset):
                self._produce(event)
        self._producer.flush()
        if self._undelivered:
            raise KafkaException(self._undelivered[0])
        self._consumer.commit(asynchronous=False)

    def _take(self, message: Message) -> Taken:
        error = message.error()
        if error is not None:
            raise KafkaException(error)
        frame = self._codec.decode(message.value(), FrameSampled)
        partition, offset = message.partition(), message.offset()
        assert partition is not None
        assert offset is not None
        return Taken(frame, partition, offset, message.timestamp()[1] * 1000)

    def _produce(self, event: Event) -> None:
        out = output(self._codec, event)
        self._producer.produce(
            out.topic,
            key=out.key,
            value=out.value,
            headers=[*out.headers],
            on_delivery=self._note_delivery,
        )

    def _note_delivery(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._undelivered.append(error)


if __name__ == "__main__":
    Loop(read_given(batching=True)).run()
