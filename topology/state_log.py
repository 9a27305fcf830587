"""The decision agent's memory on Kafka: a compacted topic, read whole when a partition is taken.

Only the worker that has a partition writes to it, but one that was cut off or stood still does not
know that it has lost it, and what it had on its way may arrive when another has written long since.
So a worker that takes a partition writes a mark first, with a number one above the highest it has
found, and each record names who wrote it. Who reads the log leaves out what others wrote after the
mark; of marks of the same number the first in the log counts, and who comes second tries again.
Marks are small and never removed: without one, what its owner wrote would be taken for late.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from agents.publishing import ProcessUnfit
from schemas import ReadHeaders, topics
from schemas.headers import read_header

from .publisher import KafkaPublisher
from .reading import messages

log = logging.getLogger(__name__)

_MARK = b"\x00owner/"
"""What keys of marks begin with; no session's does, as none begins with an empty stream id."""
_OWNER = "owner"

_ReadOn = Callable[[bytes | None], Awaitable[None]]


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
        self._config = {
            "group.id": "firebreak-state-log",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 10,  # how long the brokers hold the answer that this was all
            **config,
        }

    async def take(self, partition: int) -> Mapping[bytes, bytes]:
        async with self._reading(partition) as (read_on, past):
            await read_on(None)
            mark = None
            while mark is None or past.mark != mark:
                mark = b"%s%d/%s" % (_MARK, past.number + 1, self._me.encode())
                await self.write(partition, mark, b"")
                await read_on(mark)
        return past.kept

    async def read(self, partition: int) -> Mapping[bytes, bytes]:
        async with self._reading(partition) as (read_on, past):
            await read_on(None)
        return past.kept

    async def write(self, partition: int, key: bytes, value: bytes | None) -> None:
        headers = [(_OWNER, self._me.encode())]
        await self._publisher.put(topics.DECISION_STATES, partition, key, value, headers)

    @asynccontextmanager
    async def _reading(self, partition: int) -> AsyncIterator[tuple[_ReadOn, _Past]]:
        """What reads on to a mark, or to the end where none is given, and what has been read.

        Raises ``StateUnreadable``.
        """
        consumer, past = Consumer(self._config), _Past()

        async def read_on(mark: bytes | None) -> None:
            await asyncio.to_thread(_read_on, consumer, past, mark, self._give_up_seconds)

        try:
            consumer.assign([TopicPartition(topics.DECISION_STATES, partition, OFFSET_BEGINNING)])
            yield read_on, past
        except KafkaException as error:
            raise StateUnreadable(f"{topics.DECISION_STATES}/{partition}: {error}") from error
        finally:
            await asyncio.to_thread(consumer.close)
        if past.late:
            log.warning("partition %d: %d records of who had lost it", partition, past.late)


class _Past:
    """What a partition holds, as far as it has been read."""

    def __init__(self) -> None:
        self.kept: dict[bytes, bytes] = {}
        self.mark, self.owner, self.number = b"", "", 0
        self.late = 0
        """Records of who was not the owner any more."""

    def take(self, message: Message) -> None:
        key, value = message.key() or b"", message.value()
        writer = read_header(cast(ReadHeaders, message.headers()), _OWNER)
        if key.startswith(_MARK):
            number, _, owner = key.removeprefix(_MARK).decode().partition("/")
            if int(number) > self.number:
                self.number, self.owner, self.mark = int(number), owner, key
        elif self.owner and writer is not None and writer != self.owner:
            self.late += 1
        elif value is None:
            self.kept.pop(key, None)
        else:
            self.kept[key] = value


def _read_on(consumer: Consumer, past: _Past, mark: bytes | None, seconds: float) -> None:
    for message in messages(consumer, seconds):
        if message.error() is None:
            past.take(message)
            if message.key() == mark:
                return
        elif mark is None:
            return
    raise StateUnreadable(f"{topics.DECISION_STATES}: its end was not reached in time")
