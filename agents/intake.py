"""What every agent's shell shares: reading events, and letting no failure skip one.

In Faust 0.15.3 an event is acknowledged whenever its iteration ends, by success, exception or
cancellation alike (``Stream._py_aiter`` and ``take``, in their ``finally``). Here acknowledging
is manual and comes last: an event that a step fails on is dead-lettered by itself, and a process
that can't publish or infer ends before anything is acknowledged.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import NoReturn, TypeVar, cast

from faust.streams import Stream
from faust.types import EventT, StreamT

from schemas import (
    Codec,
    Event,
    EventDeadLettered,
    EventUnreadable,
    SchemaUnknown,
    read_traceparent,
)

from .batches import Batching, batches
from .dead_letters import Coordinates, DeadLetterCause, Rejection, dead_letter
from .publishing import Outgoing, ProcessUnfit, Publisher

log = logging.getLogger(__name__)

E = TypeVar("E", bound=Event)
Record = EventT[bytes]
Abort = Callable[[str], NoReturn]
"""Ends the process at once and commits nothing; the message says why."""
Step = Callable[[Sequence[Record]], Awaitable[list[Outgoing]]]


def _key(event: Record) -> bytes:
    return event.message.key or b""


def coordinates(event: Record) -> Coordinates:
    """Where the record of ``event`` lies. Faust gives its time in seconds, Kafka's in ms."""
    message = event.message
    seconds = message.timestamp
    return Coordinates(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        appended_at=-1 if seconds is None else round(seconds * 1000) * 1000,
        key=bytes(message.key or b""),
        traceparent=read_traceparent(message.headers),
    )


def read(codec: Codec, event: Record, expected: type[E]) -> E | Rejection:
    """The ``expected`` in a record, or why it can't be read."""
    try:
        return codec.decode(event.message.value, expected)
    except SchemaUnknown as error:
        return Rejection(DeadLetterCause.UNKNOWN_SCHEMA, str(error))
    except EventUnreadable as error:
        return Rejection(DeadLetterCause.UNREADABLE_EVENT, str(error))


class Intake:
    """Runs an agent's step over its stream and accounts for every event.

    An event is acknowledged once its outputs, or its dead letter, are with the brokers.
    """

    def __init__(
        self, agent: str, publisher: Publisher, abort: Abort, counts: Counter[str]
    ) -> None:
        self.agent = agent
        self._publisher = publisher
        self._abort = abort
        self._counts = counts

    async def each(self, stream: StreamT[bytes], step: Step) -> None:
        """Run ``step`` on one event at a time, in the context that table writes need."""
        manual = cast(Stream[bytes], stream).noack()
        async for event in manual.events():
            await self._run([event], step)
            await manual.ack(event)

    async def batched(self, stream: StreamT[bytes], step: Step, batching: Batching) -> None:
        """Run ``step`` on batches of events.

        Events of one key stay in order. Others may overtake each other: what is committed stays
        behind the first event that is not acknowledged (``topology.faust_mend``).
        """
        manual = cast(Stream[bytes], stream).noack()
        clock = asyncio.get_running_loop().time
        async for events in batches(manual.events(), _key, batching):
            began = clock()
            await self._run(events, step)
            batching.sizing.observe(len(events), clock() - began)
            for event in events:
                await manual.ack(event)

    def count(self, what: str, times: int = 1) -> None:
        """Count something that is neither an event nor a refusal."""
        self._counts[f"{self.agent} {what}"] += times

    def count_refused(self, reason: StrEnum, times: int = 1) -> None:
        """Count something deliberately not taken in or not issued."""
        self.count(f"refused {reason}", times)

    def reject(self, event: Record, rejection: Rejection) -> Outgoing:
        """The dead letter of ``event``."""
        return dead_letter(self.agent, coordinates(event), rejection)

    def give_up(self, error: ProcessUnfit) -> NoReturn:
        """End the process: nothing further is acknowledged."""
        self._abort(f"{self.agent}: {error}")

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """Publish what must be out before a step changes its state. Raises ``PublishFailed``."""
        await self._publisher.publish(outgoing)

    async def _run(self, events: Sequence[Record], step: Step) -> None:
        try:
            await self._attempt(events, step)
        except ProcessUnfit as error:
            self.give_up(error)

    async def _attempt(self, events: Sequence[Record], step: Step) -> None:
        try:
            outgoing = await step(events)
        except ProcessUnfit:
            raise
        # The one place that routes what nobody foresaw: alone, the event is dead-lettered.
        except Exception as error:  # noqa: BLE001
            if len(events) > 1:
                for event in events:
                    await self._attempt([event], step)
                return
            outgoing = [self._unforeseen(events[0], error)]
        await self.publish(outgoing)
        # Counted once it is out: a step that failed on a batch is run again.
        self._counts[f"{self.agent} events"] += len(events)
        for item in outgoing:
            if isinstance(item.event, EventDeadLettered):
                self._counts[f"{self.agent} dead-lettered {item.event.cause}"] += 1

    def _unforeseen(self, event: Record, error: Exception) -> Outgoing:
        where = coordinates(event)
        # The place in the code and not the exception's text, which may quote a payload or a key.
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{type(error).__name__} at {frames[-1].name}:{frames[-1].lineno}"
        log.error(
            "%s failed on %s/%d/%d: %s",
            self.agent,
            where.topic,
            where.partition,
            where.offset,
            place,
        )
        return self.reject(event, Rejection(DeadLetterCause.INTERNAL_ERROR, place))
