"""A Faust app as its documentation has it: one event at a time, Records, tables.

After the user guide: a ``Codec`` of one's own for a ``Record`` that is a topic's value type, an
agent that iterates over events, a table of Records keyed by stream, and beside it a hopping-window
table that counts hits, in event time. The windows that decide are those of the job, which Faust's
windows can't express, so the hits are counted in addition, for frames that are hits alone.

Guarantees: at least once while nothing changes. Outputs are acknowledged before the event is, and
tables are rebuilt from their changelogs, which are written for every frame but not waited for. When
workers come and go, Faust loses frames: ``topology/faust_mend.py`` says how. A frame is lost
as well when the agent fails at it, and it does where the client has not heard of a changelog yet:
on Kafka, at every hit of a first start. So the changelogs are created before the app starts.
"""

from __future__ import annotations

import asyncio
import io
from datetime import timedelta
from typing import Any, cast

import fastavro
import faust
import uvloop
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported without __all__
    AdminClient,
    NewTopic,
)
from faust.serializers import codecs
from faust.types import StreamT

from schemas import MICROSECONDS, Codec, DetectionsMade, FrameSampled, topics
from schemas.codec import SINGLE_OBJECT_MAGIC
from schemas.library import current
from tests.bench.job import ModelJudging

from .states import Rules, StreamJudgement
from .work import GROUP, Given, Taken, judge, output, read_given

_HIT = 0.5
_STREAMS, _HITS = "streams", "hits"
_PARTITIONS = 8
_FRAME_CODEC = "firebreak-frame"


class FrameCodec(faust.Codec):
    """From Avro to what a Record is made of."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        schema = current("FrameSampled")
        self._schema = schema.parsed
        self._prefix = SINGLE_OBJECT_MAGIC + schema.fingerprint

    def _loads(self, s: bytes) -> Any:
        if not s.startswith(self._prefix):
            raise ValueError("not a frame sample of today's schema")
        buffer = io.BytesIO(s)
        buffer.seek(len(self._prefix))
        return fastavro.schemaless_reader(buffer, self._schema, None)


class Frame(faust.Record, serializer=_FRAME_CODEC):
    """A frame sample; what judges a ``FrameSampled`` can judge it."""

    stream_id: str
    session_id: str
    shard_id: str
    sequence: int
    captured_at: int
    codec: str
    width: int
    height: int
    payload: bytes
    drill: bool = False


class Watched(faust.Record, serializer="pickle_restricted"):
    """What is known of a stream."""

    kept: bytes


def create_changelogs(given: Given) -> None:
    """Have the brokers know the tables' changelogs before the app asks for their partitions."""
    admin = AdminClient({"bootstrap.servers": given.bootstrap})
    wanted = [
        NewTopic(
            f"{GROUP}-{table}-changelog",
            num_partitions=_PARTITIONS,
            config={"cleanup.policy": "compact"},
        )
        for table in (_STREAMS, _HITS)
    ]
    for created in admin.create_topics(wanted).values():
        try:
            created.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise


def build(given: Given) -> faust.App:
    """The app, ready to run."""
    codecs.register(_FRAME_CODEC, FrameCodec())
    app = faust.App(
        GROUP,
        broker=[f"aiokafka://{server}" for server in given.bootstrap.split(",")],
        store="memory://",
        datadir=str(given.folder / "faust"),
        web_enabled=False,
        topic_partitions=_PARTITIONS,
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
    )
    rules, codec = Rules(given.policy), Codec()
    frames = app.topic(topics.FRAME_SAMPLES, key_type=bytes, value_type=Frame)
    outputs = {
        topic: app.topic(topic, key_type=bytes, value_type=bytes)
        for topic in topics.TOPIC_OF.values()
        if topic != topics.FRAME_SAMPLES
    }
    streams = app.Table(_STREAMS, key_type=str, value_type=Watched)
    counts: Any = app.Table(_HITS, default=int)
    hits = counts.hopping(30, 3, expires=timedelta(minutes=2)).relative_to(
        lambda event: event.value.captured_at / MICROSECONDS
    )

    async def judge_aside(taken: list[Taken]) -> list[DetectionsMade]:
        # As the guide asks of what blocks: commits and heartbeats wait for the loop.
        if isinstance(given.judging, ModelJudging):
            return await asyncio.to_thread(judge, given.judging, taken)
        return judge(given.judging, taken)

    @app.agent(frames)
    async def judge_frames(stream: StreamT[Any]) -> None:
        async for event in stream.events():
            frame, message = cast(FrameSampled, event.value), event.message
            appended_at = int(message.timestamp * MICROSECONDS)
            taken = Taken(frame, message.partition, message.offset, appended_at)
            (made,) = await judge_aside([taken])
            if made.detections[0].scores[0] >= _HIT:
                hits[frame.stream_id] += 1
            known = streams.get(frame.stream_id)
            judgement = StreamJudgement(rules, known.kept if known is not None else None)
            sent = []
            for moved in judgement.take(made):
                out = output(codec, moved)
                sent.append(
                    await outputs[out.topic].send(key=out.key, value=out.value, headers=out.headers)
                )
            await asyncio.gather(*sent)
            streams[frame.stream_id] = Watched(kept=judgement.keep())

    return app


if __name__ == "__main__":
    uvloop.install()
    told = read_given(batching=False)
    create_changelogs(told)
    faust.Worker(build(told), loglevel="WARNING").execute_from_commandline()
