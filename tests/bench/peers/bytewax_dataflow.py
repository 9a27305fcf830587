"""A dataflow of Bytewax: Kafka in and out, frames judged by the batch, state by stream.

After its documentation: the Kafka operators, ``flat_map_batch`` for work that is cheaper by the
batch, ``key_on`` and ``stateful`` with a logic of one's own, and recovery with snapshots every ten
seconds. It is what ``python -m bytewax.run …:dataflow -r FOLDER -s 10 -b 0`` runs.

Guarantees: at least once. Offsets and state are snapshotted together and go back together; outputs
are flushed batch by batch, so they are with the brokers by then. Snapshots are files on this
machine's disk, and partitions belong to workers for good: nothing is handed over while it runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSinkMessage, KafkaSourceMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulLogic
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from schemas import Codec, DetectionsMade, Event, FrameSampled, topics

from .states import Rules, StreamJudgement
from .work import Given, MicroBatches, Taken, output, read_given

_SNAPSHOT_EVERY = timedelta(seconds=10)
_CODEC = Codec()
_PRODUCER = {"acks": "all", "enable.idempotence": True, "partitioner": "murmur2_random"}


class StreamLogic(StatefulLogic):  # type: ignore[misc]  # not among the project's packages
    """One stream: from its detections to events."""

    def __init__(self, rules: Rules, kept: bytes | None) -> None:
        self._judgement = StreamJudgement(rules, kept)

    def on_item(self, value: DetectionsMade) -> tuple[Iterable[Event], bool]:
        return list(self._judgement.take(value)), StatefulLogic.RETAIN

    def snapshot(self) -> bytes:
        return self._judgement.keep()


def dataflow(given: Given) -> Dataflow:
    """From frame samples to risks and effects."""
    rules, batches = Rules(given.policy), MicroBatches(given.judging)
    brokers = given.bootstrap.split(",")

    def judge_batch(messages: list[KafkaSourceMessage[Any, Any]]) -> Iterable[DetectionsMade]:
        return [made for _, made in batches.judge([_take(message) for message in messages])]

    flow = Dataflow("peer")
    frames = kop.input("frames", flow, brokers=brokers, topics=[topics.FRAME_SAMPLES])
    op.raises("unreadable", frames.errs)
    detections = op.flat_map_batch("judge", frames.oks, judge_batch)
    by_stream = op.key_on("stream", detections, lambda made: made.detections[0].stream_id)
    events = op.stateful("decide", by_stream, lambda kept: StreamLogic(rules, kept))
    records = op.map("record", events, lambda item: _record(item[1]))
    kop.output("publish", records, brokers=brokers, topic=topics.RISK, add_config=_PRODUCER)
    return flow


def _take(message: KafkaSourceMessage[Any, Any]) -> Taken:
    frame = _CODEC.decode(message.value, FrameSampled)
    return Taken(frame, message.partition, message.offset, message.timestamp[1] * 1000)


def _record(event: Event) -> KafkaSinkMessage[bytes, bytes]:
    out = output(_CODEC, event)
    return KafkaSinkMessage(out.key, out.value, topic=out.topic, headers=out.headers)


def main() -> None:
    given = read_given(batching=True)
    snapshots = given.folder / "snapshots"
    if not snapshots.exists():
        snapshots.mkdir()
        init_db_dir(snapshots, 1)
    cli_main(
        dataflow(given),
        workers_per_process=1,
        epoch_interval=_SNAPSHOT_EVERY,
        recovery_config=RecoveryConfig(snapshots, timedelta(0)),
    )


if __name__ == "__main__":
    main()
