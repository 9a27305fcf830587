"""The aggregation agent: detections in, risk out.

Its state is not stored: the detections topic is its log, and what a worker needs of a partition
that it was handed is read back from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import faust
from faust.types import StreamT

from schemas import Codec, DetectionsMade, EventUnreadable, RiskAssessed, topics

from ..dead_letters import Coordinates, Rejection
from ..intake import Intake, Record, coordinates, read
from ..publishing import Outgoing
from .risk import PartitionWindows
from .windows import MICROSECONDS, WindowSpec

CLOCK_SKEW = 60 * MICROSECONDS
"""How far a shard's clock may be ahead of the broker's; see ``detection.admission``."""


class History(Protocol):
    """Reads back what a partition held."""

    async def read(
        self, topic: str, partition: int, since: int, until_offset: int
    ) -> list[tuple[int, bytes]]:
        """Offsets and values from the first record appended at or after ``since`` (microseconds
        since the epoch) up to ``until_offset``, exclusive."""
        ...


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
            windows = await _rebuild(codec, history, spec, source, batch)
            partitions[source.partition] = windows
        risks = windows.observe(batch, source.offset)
        for reason, times in windows.take_refused().items():
            intake.count_refused(reason, times)
        return [_outgoing(risk, source) for risk in risks]

    @app.agent(topic, name="aggregation")
    async def aggregation(stream: StreamT[bytes]) -> None:
        await intake.each(stream, step)


async def _rebuild(
    codec: Codec, history: History, spec: WindowSpec, source: Coordinates, batch: DetectionsMade
) -> PartitionWindows:
    """The windows as they stood before ``batch``.

    A record is appended after its frames were captured, give or take the clocks, so what was
    appended within the spec's memory holds all that was captured within it.
    """
    windows = PartitionWindows(spec)
    earliest = min((item.captured_at for item in batch.detections), default=source.appended_at)
    since = max(earliest - spec.memory - CLOCK_SKEW, 0)
    for offset, value in await history.read(source.topic, source.partition, since, source.offset):
        try:
            windows.observe(codec.decode(value, DetectionsMade), offset)
        except EventUnreadable:
            # It was dead-lettered when it was first read.
            continue
    windows.take_refused()
    return windows


def _outgoing(risk: RiskAssessed, source: Coordinates) -> Outgoing:
    return Outgoing(
        event=risk,
        id=risk.risk_id,
        time=risk.assessed_at,
        key=risk.stream_id.encode(),
        cause_traceparent=source.traceparent,
    )
