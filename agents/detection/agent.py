"""The detection agent: frame samples in, detections out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import faust
from faust.types import StreamT

from schemas import Codec, Detection, DetectionsMade, FrameSampled, derive_id, topics

from ..dead_letters import Coordinates, Rejection
from ..intake import Intake, Record, coordinates, read
from ..publishing import Outgoing
from .admission import admit_time
from .bundle import ModelBundle
from .detector import Detector


@dataclass(frozen=True, slots=True)
class Judged:
    """One frame sample that the model has judged."""

    frame: FrameSampled
    source: Coordinates
    scores: list[float]


def register(
    app: faust.App, codec: Codec, detector: Detector, intake: Intake, *, size: int, wait: float
) -> None:
    """Put the detection agent on ``app``; ``size`` and ``wait`` (seconds) shape a micro-batch."""
    topic = app.topic(topics.FRAME_SAMPLES, value_serializer="raw", key_serializer="raw")

    async def step(events: Sequence[Record]) -> list[Outgoing]:
        outgoing: list[Outgoing] = []
        admitted: list[tuple[Record, FrameSampled]] = []
        for event in events:
            frame = _admit(codec, event)
            if isinstance(frame, Rejection):
                outgoing.append(intake.reject(event, frame))
            else:
                admitted.append((event, frame))
        outcomes = await detector.judge([frame for _, frame in admitted])
        judged: list[Judged] = []
        for (event, frame), outcome in zip(admitted, outcomes, strict=True):
            if isinstance(outcome, Rejection):
                outgoing.append(intake.reject(event, outcome))
            else:
                judged.append(Judged(frame, coordinates(event), outcome))
        return [*outgoing, *compose(detector.bundle, judged)]

    @app.agent(topic, name="detection")
    async def detection(stream: StreamT[bytes]) -> None:
        await intake.batched(stream, step, size, wait)


def _admit(codec: Codec, event: Record) -> FrameSampled | Rejection:
    frame = read(codec, event, FrameSampled)
    if isinstance(frame, Rejection):
        return frame
    return admit_time(frame.captured_at, coordinates(event).appended_at, frame.stream_id) or frame


def compose(bundle: ModelBundle, judged: Iterable[Judged]) -> list[Outgoing]:
    """One batch of detections for each partition of ``judged``, in offset order."""

    def place(item: Judged) -> tuple[str, int]:
        return item.source.topic, item.source.partition

    ordered = sorted(judged, key=lambda item: (*place(item), item.source.offset))
    return [
        _detections(bundle, topic, partition, list(batch))
        for (topic, partition), batch in groupby(ordered, key=place)
    ]


def _detections(bundle: ModelBundle, topic: str, partition: int, batch: list[Judged]) -> Outgoing:
    event = DetectionsMade(
        bundle=bundle.label,
        bundle_digest=bundle.digest,
        frame_topic=topic,
        frame_partition=partition,
        signals=bundle.signal_names,
        detections=[
            Detection(
                stream_id=item.frame.stream_id,
                session_id=item.frame.session_id,
                sequence=item.frame.sequence,
                captured_at=item.frame.captured_at,
                offset=item.source.offset,
                appended_at=item.source.appended_at,
                drill=item.frame.drill,
                scores=item.scores,
            )
            for item in batch
        ],
    )
    first, last = batch[0].source, batch[-1].source
    return Outgoing(
        event=event,
        id=derive_id("detections", topic, partition, first.offset, last.offset, bundle.digest),
        time=max(item.frame.captured_at for item in batch),
        key=str(partition).encode(),
        partition=partition,
        cause_traceparent=first.traceparent,
    )
