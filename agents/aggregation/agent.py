"""The aggregation agent: detections in, risk out.

Its state is not stored: the detections topic is its log, and what a worker needs of a partition
that it was handed is read back from there.
"""

from __future__ import annotations

from collections.abc import Sequence

import faust
from faust.types import StreamT

from schemas import Codec, DetectionsMade, RiskAssessed, topics

from ..dead_letters import Coordinates, Rejection
from ..intake import Intake, Record, coordinates, read
from ..publishing import Outgoing
from .rebuild import History, rebuild
from .risk import PartitionWindows
from .windows import WindowSpec


def register(
    app: faust.App, codec: Codec, history: History, intake: Intake, spec: WindowSpec
) -> None:
    """Put the aggregation agent on ``app``."""
    topic = app.topic(topics.DETECTIONS, value_serializer="raw", key_serializer="raw")
    partitions: dict[int, PartitionWindows] = {}

    async def step(events: Sequence[Record]) -> list[Outgoing]:
        (event,) = events
        source = coordinates(event)
        batch = read(codec, event, DetectionsMade)
        if isinstance(batch, Rejection):
            return [intake.reject(event, batch)]
        windows = partitions.get(source.partition)
        if windows is None or windows.next_offset != source.offset:
            windows = await rebuild(codec, history, spec, source, batch)
            partitions[source.partition] = windows
        risks = windows.observe(batch, source.offset)
        for reason, times in windows.take_refused().items():
            intake.count_refused(reason, times)
        return [_outgoing(risk, source) for risk in risks]

    @app.agent(topic, name="aggregation")
    async def aggregation(stream: StreamT[bytes]) -> None:
        await intake.each(stream, step)


def _outgoing(risk: RiskAssessed, source: Coordinates) -> Outgoing:
    return Outgoing(
        event=risk,
        id=risk.risk_id,
        time=risk.assessed_at,
        key=risk.stream_id.encode(),
        cause_traceparent=source.traceparent,
    )
