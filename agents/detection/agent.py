"""The detection agent: frame samples in, detections out."""

from __future__ import annotations

from collections.abc import Sequence

import faust
from faust.types import StreamT

from schemas import Codec, FrameSampled, topics

from ..batches import Batching
from ..dead_letters import Rejection
from ..intake import Intake, Record, coordinates, read
from ..publishing import Outgoing
from .admission import admit
from .batching import Judged, compose
from .detector import Detector
from .serving import Serving


def register(
    app: faust.App,
    codec: Codec,
    serving: Serving,
    detector: Detector,
    intake: Intake,
    *,
    batching: Batching,
) -> None:
    """Put the detection agent on ``app``."""
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
        outcomes = await detector.judge(serving.judges, [frame for _, frame in admitted])
        judged: list[Judged] = []
        for (event, frame), outcome in zip(admitted, outcomes, strict=True):
            if isinstance(outcome, Rejection):
                outgoing.append(intake.reject(event, outcome))
            else:
                judged.append(Judged(frame, coordinates(event), outcome.bundle, outcome.scores))
                serving.show(judged[-1], outcome)
        return [*outgoing, *compose(judged)]

    @app.agent(topic, name="detection")
    async def detection(stream: StreamT[bytes]) -> None:
        await intake.batched(stream, step, batching)


def _admit(codec: Codec, event: Record) -> FrameSampled | Rejection:
    frame = read(codec, event, FrameSampled)
    if isinstance(frame, Rejection):
        return frame
    return admit(frame, coordinates(event).appended_at) or frame
