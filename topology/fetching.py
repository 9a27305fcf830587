"""Fetching records through librdkafka, from the partitions and offsets that somebody else decides.

Faust's driver, aiokafka, takes part in the group and commits; what it is to hand out is fetched
here. That costs a third of the CPU for a frame, and next to none where nothing comes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition
from faust.types import TP

log = logging.getLogger(__name__)

WAIT_MS = 500
"""How long brokers may hold a fetch as long as nothing comes. To be asked costs them CPU."""
EMBEDDED_WAIT_MS = 50
"""The embedded broker (Tansu 0.6.0) holds a fetch to the end, though records have come."""
_GATHER_SECONDS = 0.005
"""After a record came more are waited for: they come in runs then, at a fraction of the cost."""
_MOST = 512
"""Records handed out at once."""
_QUEUED_KB = 16 * 1024
"""Fetched ahead, besides the answer that passes it."""
_POLL_SECONDS = 0.25
"""The thread looks up this often: a seek, a new partition and the end wait for it."""

_CONFIG: dict[str, Any] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "earliest",
    "check.crcs": True,
    "queued.max.messages.kbytes": _QUEUED_KB,
    # How long it stops fetching once that is reached; a second by default.
    "fetch.queue.backoff.ms": 10,
}


class Fetched(msgspec.Struct, frozen=True, gc=False):
    """One record; ``timestamp`` is milliseconds since the epoch, -1 where there is none.

    Made for every frame, so it is of the kind that is made fastest.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    unread_headers: Callable[[], list[tuple[str, bytes | None]] | None]

    @property
    def headers(self) -> list[tuple[str, bytes | None]]:
        """Made when asked for, as of most records nobody does."""
        return self.unread_headers() or []


class Fetching:
    """``config`` is librdkafka's, ``group`` the group whose rights it has; it joins none.

    To be used from one event loop.
    """

    def __init__(self, config: Mapping[str, Any], group: str) -> None:
        self._config = {**_CONFIG, **config, "group.id": group}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fetch")
        self._positions: dict[TP, int] = {}
        self._generation = 0
        """Rises with each seek: what was fetched before one is not handed out after it."""
        self._consumer: Consumer | None = None
        self._assigned: tuple[int, frozenset[TP]] = (0, frozenset())
        self._ends: Mapping[TP, int] = {}
        self.handed_out: Counter[str] = Counter()
        """Records by topic, those that were handed out again among them."""

    def seek(self, positions: Mapping[TP, int]) -> None:
        """Go on at ``positions``, where a partition is asked for; others at their beginning."""
        self._positions = dict(positions)
        self._generation += 1

    def waiting(self) -> dict[TP, int]:
        """How many records lie in each partition that was last asked for and were not handed out,
        as far as the brokers' last answers tell."""
        ends, positions = self._ends, self._positions
        return {tp: max(end - positions[tp], 0) for tp, end in ends.items() if tp in positions}

    async def fetch(self, partitions: Collection[TP], timeout: float) -> dict[TP, list[Fetched]]:  # noqa: ASYNC109
        """What has come in ``partitions``, after at most ``timeout`` seconds; in offset order."""
        generation = self._generation
        wanted = frozenset(partitions)
        positions = dict(self._positions) if self._assigned != (generation, wanted) else {}
        loop = asyncio.get_running_loop()
        messages = await loop.run_in_executor(
            self._thread, self._poll, generation, wanted, positions, min(timeout, _POLL_SECONDS)
        )
        if generation != self._generation:
            return {}
        fetched: dict[tuple[str, int], list[Fetched]] = {}
        for message in messages:
            record = _record(message)
            fetched.setdefault((record.topic, record.partition), []).append(record)
        places = {TP(*place): records for place, records in fetched.items()}
        for tp, records in places.items():
            self._positions[tp] = records[-1].offset + 1
            self.handed_out[tp.topic] += len(records)
        return places

    def close(self) -> None:
        """Let the connections go once the thread is done."""
        self._thread.submit(self._close)
        self._thread.shutdown(wait=False)

    def _close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()

    def _poll(
        self, generation: int, wanted: frozenset[TP], positions: Mapping[TP, int], seconds: float
    ) -> list[Message]:
        """On the thread."""
        if self._consumer is None:
            self._consumer = Consumer(self._config)
        if self._assigned != (generation, wanted):
            self._consumer.assign(
                [
                    TopicPartition(tp.topic, tp.partition, positions.get(tp, OFFSET_BEGINNING))
                    for tp in wanted
                ]
            )
            self._assigned = (generation, wanted)
        first = self._consumer.poll(seconds)
        if first is None:
            return []
        messages = [first, *self._consumer.consume(_MOST - 1, timeout=_GATHER_SECONDS)]
        # Here and not when it is asked for: another thread would wait until a poll is over.
        self._ends = {tp: self._end(self._consumer, tp) for tp in wanted}
        for message in messages:
            if (error := message.error()) is not None:
                log.warning("%s/%s: %s", message.topic(), message.partition(), error.str())
                if error.fatal():
                    raise KafkaException(error)
        return [message for message in messages if message.error() is None]

    @staticmethod
    def _end(consumer: Consumer, tp: TP) -> int:
        _, end = consumer.get_watermark_offsets(TopicPartition(*tp), cached=True)
        return end


def _record(message: Any) -> Fetched:
    """Of a message without an error, which has all of these, whatever its stub says."""
    _, timestamp = message.timestamp()
    return Fetched(
        message.topic(),
        message.partition(),
        message.offset(),
        timestamp,
        message.key(),
        message.value(),
        message.headers,
    )
