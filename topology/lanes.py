"""Which records may go to librdkafka now, and which wait for those before them.

Of an idempotent producer's partition librdkafka has five messages on their way, or one batch, and
while more wait there its thread looks for what to do without a pause: a whole CPU, for as long as
the brokers take to answer, and where one has died that is seconds (2.16: `rd_kafka_msgq_allow_
wakeup_at` says that the time to wake up is now, `rd_kafka_toppar_producer_serve` that nothing may
be sent; reported as its issue 3692). So none wait there: they wait here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

MOST_AHEAD = 5
"""Messages that librdkafka sends ahead of acknowledgements, a batch apart
(`RD_KAFKA_IDEMP_MAX_INFLIGHT`)."""
BATCH_BYTES = 1_000_000
"""librdkafka's `batch.size` by default: what one request takes."""


class Waiting(NamedTuple, Generic[T]):
    """``size`` in bytes; ``since`` in seconds, on the caller's clock."""

    item: T
    size: int
    since: float


@dataclass(slots=True)
class _Lane(Generic[T]):
    waiting: deque[Waiting[T]] = field(default_factory=deque)
    on_way: int = 0


class Lanes(Generic[T]):
    """One for each partition; items leave a lane in the order in which they came."""

    def __init__(self) -> None:
        self._lanes: dict[Hashable, _Lane[T]] = {}
        self._changed: set[Hashable] = set()

    def add(self, lane: Hashable, waiting: Waiting[T]) -> None:
        self._lanes.setdefault(lane, _Lane()).waiting.append(waiting)
        self._changed.add(lane)

    def due(self) -> Mapping[Hashable, list[Waiting[T]]]:
        """What may go now, by lane: all that waits where nothing is on its way, up to a batch of
        bytes but one at least; else up to five ahead. It is on its way from here on."""
        changed, self._changed = self._changed, set()
        return {lane: taken for lane in changed if (taken := _take(self._lanes[lane]))}

    def done(self, lane: Hashable) -> None:
        """One that was due has arrived, or never will."""
        self._lanes[lane].on_way -= 1
        self._changed.add(lane)

    def put_back(self, lane: Hashable, waiting: Iterable[Waiting[T]]) -> None:
        """They were due, and could not be sent after all: the last of those that were."""
        back = list(waiting)
        self._lanes[lane].on_way -= len(back)
        self._lanes[lane].waiting.extendleft(reversed(back))
        self._changed.add(lane)

    def take_older(self, than: float) -> list[T]:
        """What has waited since before ``than``; it waits no longer."""
        older = []
        for lane in self._lanes.values():
            while lane.waiting and lane.waiting[0].since < than:
                older.append(lane.waiting.popleft().item)
        return older


def _take(lane: _Lane[T]) -> list[Waiting[T]]:
    taken: list[Waiting[T]] = []
    room = len(lane.waiting) if lane.on_way == 0 else MOST_AHEAD - lane.on_way
    size = 0
    while lane.waiting and len(taken) < room:
        size += lane.waiting[0].size
        if taken and size > BATCH_BYTES:
            break
        taken.append(lane.waiting.popleft())
    lane.on_way += len(taken)
    return taken
