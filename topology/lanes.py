"""Which records may go to librdkafka now, and which wait for those before them, and why.

Of a partition one request is on its way, as an idempotent librdkafka producer looks for what to do
without a pause wherever records wait for those before them (2.16: `rd_kafka_msgq_allow_wakeup_at`
says that the time to wake up is now, `rd_kafka_toppar_producer_serve` that nothing may be sent; see
its issue 3692). That is a whole CPU, for as long as the brokers take to answer, and where one has
died that is seconds. It has them wait where five records are on their way
(`RD_KAFKA_IDEMP_MAX_INFLIGHT`), and where one of several requests was refused, as it is by a broker
that does not lead yet, until the others are answered. So they wait here.

And the first record of a partition goes alone, as others with it might still become two requests
where the system interrupts us for longer than librdkafka waits (`linger.ms`). Brokers know a
producer by what they have of it, and of one that they don't know they take whatever number comes
first (`ProducerAppendInfo.checkSequence`; KAFKA-15591 of Apache's). Of two requests that wait as
the leader dies, the next one can refuse the first, as it does not lead yet, and take the second.
What was in the first is out of order then, and librdkafka, which has the second acknowledged,
reports it as delivered: it is lost. What is acknowledged is on the next leader, too, and then that
takes them in order only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate, islice
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

KNOWN_SECONDS = 3_600.0
"""After an acknowledgement brokers know the producer for so long: for a day, as Kafka is set by
default (`producer.id.expiration.ms`)."""
BATCH_RECORDS = 100
"""librdkafka makes a request of what it has a millisecond (`linger.ms`) after the first came: so
many are handed over in half of that."""


class Waiting(NamedTuple, Generic[T]):
    """``size`` in bytes; ``since`` in seconds, on the caller's clock."""

    item: T
    size: int
    since: float


@dataclass(slots=True)
class _Lane(Generic[T]):
    waiting: deque[Waiting[T]] = field(default_factory=deque)
    on_way: int = 0
    known_until: float = float("-inf")


class Lanes(Generic[T]):
    """One for each partition; items leave a lane in the order in which they came. A request takes
    ``batch_bytes`` of them, or one that is larger."""

    def __init__(self, batch_bytes: int) -> None:
        self._batch_bytes = batch_bytes
        self._lanes: dict[Hashable, _Lane[T]] = {}
        self._changed: set[Hashable] = set()

    def add(self, lane: Hashable, waiting: Waiting[T]) -> None:
        self._lanes.setdefault(lane, _Lane()).waiting.append(waiting)
        self._changed.add(lane)

    def due(self, now: float) -> Mapping[Hashable, list[Waiting[T]]]:
        """What may go now, by lane: what one request takes, where nothing is on its way; but one
        where nothing has been acknowledged yet, or not for an hour. It is on its way from here
        on."""
        changed, self._changed = self._changed, set()
        return {lane: taken for lane in changed if (taken := self._take(self._lanes[lane], now))}

    def done(self, lane: Hashable, acknowledged_at: float | None) -> None:
        """One that was due has arrived, or never will."""
        self._lanes[lane].on_way -= 1
        if acknowledged_at is not None:
            self._lanes[lane].known_until = acknowledged_at + KNOWN_SECONDS
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

    def _take(self, lane: _Lane[T], now: float) -> list[Waiting[T]]:
        if lane.on_way or not lane.waiting:
            return []
        sizes = accumulate(it.size for it in islice(lane.waiting, BATCH_RECORDS))
        fitting = sum(size <= self._batch_bytes for size in sizes) if now < lane.known_until else 1
        lane.on_way = max(fitting, 1)
        return [lane.waiting.popleft() for _ in range(lane.on_way)]
