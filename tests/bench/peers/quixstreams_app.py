"""A ``StreamingDataFrame`` of Quix Streams, with state by stream.

After its documentation: ``Application`` with "at-least-once" guarantees, (de)serialisers of one's
own, ``apply(…, stateful=True, expand=True)`` with a ``State`` that is kept by message key, the
record's coordinates from ``message_context``, ``set_headers``, and ``to_topic`` with a choice of
topic. Quix Streams hands on one message at a time, so frames are judged one at a time.

Guarantees: at least once. A stream's windows and decisions are in RocksDB and in a changelog topic,
written when offsets are committed, every five seconds; they survive a restart and move with their
partition. Windows count a frame once, so what is judged again after a restart changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from quixstreams import Application, State, message_context
from quixstreams.models import Deserializer, Serializer, Topic

from schemas import Codec, Event, FrameSampled, topics

from .states import Rules, StreamJudgement
from .work import GROUP, Given, Taken, headers_of, judge, read_given

_CODEC = Codec()
_KEPT = "judgement"


class FrameDeserializer(Deserializer):  # type: ignore[misc]  # not among the project's packages
    def __call__(self, value: bytes, ctx: Any) -> FrameSampled:
        return _CODEC.decode(value, FrameSampled)


class EventSerializer(Serializer):  # type: ignore[misc]  # not among the project's packages
    def __call__(self, value: Event, ctx: Any) -> bytes:
        return _CODEC.encode(value)


def build(given: Given) -> Application:
    """The application, ready to run."""
    app = Application(
        broker_address=given.bootstrap,
        consumer_group=GROUP,
        auto_offset_reset="earliest",
        processing_guarantee="at-least-once",
        producer_extra_config={"acks": "all"},
        state_dir=given.folder / "state",
        loglevel="WARNING",
    )
    rules = Rules(given.policy)
    frames = app.topic(topics.FRAME_SAMPLES, value_deserializer=FrameDeserializer())
    outputs: dict[str, Topic] = {
        name: app.topic(topic, value_serializer=EventSerializer())
        for name, topic in topics.TOPIC_OF.items()
        if topic != topics.FRAME_SAMPLES
    }

    def judge_frame(
        frame: FrameSampled, key: bytes, timestamp: int, headers: Any, state: State
    ) -> Iterable[Event]:
        where = message_context()
        taken = Taken(frame, where.partition, where.offset, timestamp * 1000)
        (made,) = judge(given.judging, [taken])
        judgement = StreamJudgement(rules, state.get_bytes(_KEPT))
        events = list(judgement.take(made))
        state.set_bytes(_KEPT, judgement.keep())
        return events

    sdf = app.dataframe(frames)
    sdf = sdf.apply(judge_frame, stateful=True, expand=True, metadata=True)
    sdf = sdf.set_headers(lambda event, key, timestamp, headers: headers_of(event))
    sdf.to_topic(lambda event, key, timestamp, headers: outputs[type(event).__name__])
    return app


if __name__ == "__main__":
    build(read_given(batching=False)).run()
