"""The aggregation agent: detections and ticks in, risk and which streams are heard out.

Its state is not stored: the detections topic is its log, and what a worker needs of a partition
that it was handed is read back from there. The worker that has a partition also makes its ticks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import faust
from faust.types import StreamT

from schemas import Codec, DetectionsMade, Ticked, topics

from ..dead_letters import Coordinates, Rejection
from ..intake import Intake, coordinates, read
from ..publishing import Outgoing, outgoing
from ..records import Record, Run
from . import ticking
from .rebuild import History, rebuild
from .risk import PartitionWindows
from .windows import WindowSpec


def register(
    app: faust.App,
    codec: Codec,
    history: History,
    intake: Intake,
    spec: WindowSpec,
) -> Callable[[], int]:
    """Put the aggregation agent on ``app``, with the ticks that it needs.

    What is returned says how many sessions it keeps windows of.
    """
    topic = app.topic(topics.DETECTIONS, topics.TICKS, value_serializer="raw", key_serializer="raw")
    partitions: dict[int, PartitionWindows] = {}

    async def step(records: Sequence[Record]) -> list[Outgoing]:
        (record,) = records
        source = coordinates(record)
        if source.topic == topics.TICKS:
            return tick(record, source)
        batch = read(codec, record, DetectionsMade)
        if isinstance(batch, Rejection):
            return [intake.reject(record, batch)]
        windows = partitions.get(source.partition)
        if windows is None or windows.next_offset != source.offset:
            windows = await rebuild(codec, history, spec, source, batch)
            partitions[source.partition] = windows
        risks = windows.observe(batch, source.offset)
        for reason, times in windows.take_refused().items():
            intake.count_refused(reason, times)
        return [outgoing(risk, source.traceparent) for risk in risks]

    def tick(record: Record, source: Coordinates) -> list[Outgoing]:
        ticked = read(codec, record, Ticked)
        if isinstance(ticked, Rejection):
            return [intake.reject(record, ticked)]
        windows = partitions.setdefault(source.partition, PartitionWindows(spec))
        # The brokers' time, which is also that of the frames: a worker whose clock jumps ahead must
        # not make all streams look abandoned.
        now = source.appended_at if source.appended_at >= 0 else ticked.ticked_at
        heard = windows.tick(now, source.partition)
        return [outgoing(heard, source.traceparent, source.partition)]

    async def handed_over(*given: Any, **_: Any) -> None:
        """What is elsewhere now is let go of: it would be read back anyway."""
        _app, assigned = given
        mine = {tp.partition for tp in assigned if tp.topic == topics.DETECTIONS}
        for gone in partitions.keys() - mine:
            del partitions[gone]

    app.on_partitions_assigned.connect(handed_over, weak=False)
    ticking.register(app, intake)

    @app.agent(topic, name="aggregation")
    async def aggregation(stream: StreamT[Run]) -> None:
        await intake.each(stream, step)

    return lambda: sum(len(windows.sessions) for windows in partitions.values())
