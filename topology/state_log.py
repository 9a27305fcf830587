"""The decision agent's memory on Kafka: a compacted topic, read whole when a partition is taken.

Only the worker that has a partition writes to it, but one that was cut off or stood still does not
know that it has lost it, and what it had on its way may arrive when another has written long since.
So a worker that takes a partition writes a mark first, with a number one above the highest it has
found, and each record names who wrote it. Who reads the log leaves out what others wrote after the
mark; of marks of the same number the first in the log counts, and who comes second tries again.
Between reading the marks and writing its own a worker asks the group whether it is still a member:
one that was slow would take the partition from who was handed it since. Marks are small and never
removed, nor written twice, as compaction would keep the later one: without a mark before it, what
its owner wrote would be taken for late.

Compaction knows nothing of owners: of a key it keeps the last record, though readers leave that
one out. So what counts is written again behind a late record: by who takes the partition, and by
who has it once it finds one.

A worker finds out by its own writes that it has lost a partition, at no cost: as long as it is the
only one to write, their offsets are consecutive. Where some are missing it reads what lies there,
and what it has written does not count if a higher mark is among it.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from agents.decision.state_log import IsMember
from agents.publishing import ProcessUnfit
from schemas import ReadHeaders, topics
from schemas.headers import read_header

from .publisher import KafkaPublisher
from .reading import messages

log = logging.getLogger(__name__)

_MARK = b"\x00owner/"
"""What keys of marks begin with; no session's does, as none begins with an empty stream id."""
_PROBE = b"\x00held/"
"""What keys of records begin with that say nothing: where they come to lie does."""
_OWNER = "owner"

_Last = Callable[[Message], bool]
"""Whether a message is the last one to be read."""
_ReadOn = Callable[[_Last | None], Awaitable[None]]


class StateUnreadable(ProcessUnfit):
    """What was remembered did not come back: deciding without it could do the same again."""


class KafkaStateLog:
    """A ``StateLog`` on librdkafka. ``config`` is librdkafka's."""

    def __init__(
        self, config: Mapping[str, Any], publisher: KafkaPublisher, give_up_seconds: float = 60.0
    ) -> None:
        self._publisher = publisher
        self._give_up_seconds = give_up_seconds
        self._me = uuid.uuid4().hex
        """For all partitions and as long as the process lives: what it has on its way to a
        partition that it takes again arrives before its mark does."""
        self._probe = _PROBE + self._me.encode()
        self._held: dict[int, _Held] = {}
        self._config = {
            "group.id": "firebreak-state-log",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 10,  # how long the brokers hold the answer that this was all
            **config,
        }

    async def take(self, partition: int, is_member: IsMember) -> Mapping[bytes, bytes] | None:
        self._held.pop(partition, None)
        async with self._reading(partition) as (read_on, past):
            await read_on(None)
            mark = None
            while mark is None or past.mark != mark:
                if not await is_member():
                    return None
                mark = b"%s%d/%s" % (_MARK, past.number + 1, self._me.encode())
                await self._put(partition, mark, b"")
                await read_on(_is(mark))
        self._held[partition] = _Held(past.number, past.end)
        # If the partition is lost by now, the next write tells.
        again = (self.write(partition, key, past.kept.get(key)) for key in sorted(past.buried))
        await asyncio.gather(*again)
        return past.kept

    async def read(self, partition: int) -> Mapping[bytes, bytes]:
        async with self._reading(partition) as (read_on, past):
            await read_on(None)
        return past.kept

    async def write(self, partition: int, key: bytes, value: bytes | None) -> bool:
        offset = await self._put(partition, key, value)
        held = self._held.get(partition)
        return held is not None and await self._counts(partition, held, offset)

    async def holds(self, partition: int) -> bool:
        return partition in self._held and await self.write(partition, self._probe, None)

    def take_buried(self, partition: int) -> Collection[bytes]:
        held = self._held.get(partition)
        if held is None:
            return ()
        buried, held.buried = held.buried, set()
        return buried

    async def _put(self, partition: int, key: bytes, value: bytes | None) -> int:
        headers = [(_OWNER, self._me.encode())]
        return await self._publisher.put(topics.DECISION_STATES, partition, key, value, headers)

    async def _counts(self, partition: int, held: _Held, offset: int) -> bool:
        """Whether nobody has taken the partition before what was written at ``offset``."""
        while offset < 0:
            # Not told: this is later, which is as good.
            offset = await self._put(partition, self._probe, None)
        # One at a time: what comes behind others' records waits until those are read.
        async with held.lock:
            start, held.end = held.end, max(held.end, offset + 1)
            if offset > start and not held.lost:
                between = _Past(self._me, held.number)
                async with self._reading(partition, start, between) as (read_on, _):
                    await read_on(_at(offset))
                held.lost = between.number > held.number
                held.buried |= between.buried
            return not held.lost

    @asynccontextmanager
    async def _reading(
        self, partition: int, start: int = OFFSET_BEGINNING, before: _Past | None = None
    ) -> AsyncIterator[tuple[_ReadOn, _Past]]:
        """What reads on from ``start`` to a record, or to the end, and what has been read, on top
        of what is known of ``before``.

        Raises ``StateUnreadable``.
        """
        consumer, past = Consumer(self._config), before or _Past()

        async def read_on(last: _Last | None) -> None:
            await asyncio.to_thread(_read_on, consumer, past, last, self._give_up_seconds)

        try:
            consumer.assign([TopicPartition(topics.DECISION_STATES, partition, start)])
            yield read_on, past
        except KafkaException as error:
            raise StateUnreadable(f"{topics.DECISION_STATES}/{partition}: {error}") from error
        finally:
            await asyncio.to_thread(consumer.close)
        if past.late:
            log.warning("partition %d: %d records of who had lost it", partition, past.late)


@dataclass(slots=True)
class _Held:
    """A partition that was taken."""

    number: int
    """Of its mark."""
    end: int
    """Up to which offset, exclusive, it is known what lies there."""
    lost: bool = False
    buried: set[bytes] = field(default_factory=set)
    """Keys whose last record may be that of who had lost the partition."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class _Past:
    """What a partition holds, as far as it has been read: from its beginning, or from behind the
    mark of an ``owner`` on."""

    def __init__(self, owner: str = "", number: int = 0) -> None:
        self.kept: dict[bytes, bytes] = {}
        self.mark, self.owner, self.number = b"", owner, number
        self.buried: set[bytes] = set()
        """Keys whose last record is late: compaction would keep it, and not the one that counts."""
        self.end = 0
        """Behind what was read last."""
        self.late = 0
        """Records of who was not the owner any more."""

    def take(self, message: Message) -> None:
        self.end = (message.offset() or 0) + 1
        key, value = message.key() or b"", message.value()
        writer = read_header(cast(ReadHeaders, message.headers()), _OWNER)
        if key.startswith(_MARK):
            number, _, owner = key.removeprefix(_MARK).decode().partition("/")
            if int(number) > self.number:
                self.number, self.owner, self.mark = int(number), owner, key
        elif key.startswith(_PROBE):
            pass
        elif self.owner and writer is not None and writer != self.owner:
            self.late += 1
            self.buried.add(key)
        else:
            self.buried.discard(key)
            if value is None:
                self.kept.pop(key, None)
            else:
                self.kept[key] = value


def _is(key: bytes) -> _Last:
    return lambda message: message.key() == key


def _at(offset: int) -> _Last:
    return lambda message: (message.offset() or 0) >= offset


def _read_on(consumer: Consumer, past: _Past, last: _Last | None, seconds: float) -> None:
    for message in messages(consumer, seconds):
        if message.error() is None:
            past.take(message)
            if last is not None and last(message):
                return
        elif last is None:
            return
    raise StateUnreadable(f"{topics.DECISION_STATES}: its end was not reached in time")
