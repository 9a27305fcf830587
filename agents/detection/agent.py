"""The detection agent: frame samples in, detections out."""

from __future__ import annotations

from collections.abc import Sequence

import faust
from faust.types import StreamT

from schemas import Codec, FrameSampled, topics

from ..batches import Batching
from ..dead_letters import Rejection
from ..intake import Intake, appended_at, coordinates, read
from ..publishing import Outgoing
from ..records import Record, Run
from .admission import admit
from .batching import Judged, compose
from .claims import Claims
from .detector import Detector
from .serving import Serving
from .sifting import Sifting


def register(
    app: faust.App,
    codec: Codec,
    serving: Serving,
    detector: Detector,
    intake: Intake,
    *,
    batching: Batching,
    sifting: Sifting,
    claims: Claims,
) -> None:
    """Put the detection agent on ``app``."""
    topic = app.topic(topics.FRAME_SAMPLES, value_serializer="raw", key_serializer="raw")

    async def step(records: Sequence[Record]) -> list[Outgoing]:
        outgoing: list[Outgoing] = []
        admitted: list[tuple[Record, FrameSampled]] = []
        for record in records:
            frame = _admit(codec, record)
            if isinstance(frame, Rejection):
                outgoing.append(intake.reject(record, frame))
            else:
                admitted.append((record, frame))
        outcomes = await detector.judge(serving.judges, [frame for _, frame in admitted])
        judged: list[Judged] = []
        for (record, frame), outcome in zip(admitted, outcomes, strict=True):
            if isinstance(outcome, Rejection):
                outgoing.append(intake.reject(record, outcome))
            else:
                judged.append(Judged(frame, coordinates(record), outcome.bundle, outcome.scores))
                serving.show(judged[-1], outcome)
        return [*outgoing, *compose(judged)]

    @app.agent(topic, name="detection")
    async def detection(stream: StreamT[Run]) -> None:
        await intake.batched(stream, step, batching, sifting.sift, claims.awaited)


def _admit(codec: Codec, record: Record) -> FrameSampled | Rejection:
    frame = read(codec, record, FrameSampled)
    if isinstance(frame, Rejection):
        return frame
    return admit(frame, appended_at(record)) or frame
