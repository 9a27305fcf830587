"""The windows of a partition, rebuilt from the log, so that they need not be stored. Pure."""

from __future__ import annotations

from typing import Protocol

from schemas import Codec, DetectionsMade, EventUnreadable

from ..dead_letters import Coordinates
from ..event_time import MAX_AHEAD
from .risk import PartitionWindows
from .windows import WindowSpec


class History(Protocol):
    """Reads back what a partition held."""

    async def read(
        self, topic: str, partition: int, since: int, until_offset: int
    ) -> list[tuple[int, bytes]]:
        """Offsets and values from the first record appended at or after ``since`` (microseconds
        since the epoch) up to ``until_offset``, exclusive."""
        ...


async def rebuild(
    codec: Codec, history: History, spec: WindowSpec, source: Coordinates, batch: DetectionsMade
) -> PartitionWindows:
    """The windows as they stood before ``batch``.

    A record is appended after its frames were captured, give or take the clocks, so what was
    appended within the spec's memory holds all that was captured within it.
    """
    windows = PartitionWindows(spec)
    earliest = min((item.captured_at for item in batch.detections), default=source.appended_at)
    since = max(earliest - spec.memory - MAX_AHEAD, 0)
    for offset, value in await history.read(source.topic, source.partition, since, source.offset):
        try:
            windows.observe(codec.decode(value, DetectionsMade), offset)
        except EventUnreadable:
            # It was dead-lettered when it was first read.
            continue
    windows.take_refused()
    windows.forget_counts()
    return windows
