"""What every agent's shell shares: reading events, and letting no failure skip one.

In Faust 0.15.3 an event is acknowledged whenever its iteration ends, by success, exception or
cancellation alike (``Stream._py_aiter`` and ``take``, in their ``finally``). Here acknowledging
is manual and comes last: a record that a step fails on is dead-lettered by itself, and a process
that can't publish or infer ends before anything is acknowledged.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from functools import partial
from typing import Any, NoReturn, TypeVar, cast
from weakref import WeakSet

from faust.streams import Stream
from faust.types import StreamT

from schemas import (
    Codec,
    Event,
    EventDeadLettered,
    EventUnreadable,
    SchemaUnknown,
)

from .apart import Apart, each_anew, one_by_one, publish_apart
from .batches import Batching, batches
from .dead_letters import Coordinates, DeadLetterCause, Rejection, dead_letter
from .inflow import Await, Inflow, Sift, Taken, keep_all, wait_for_none
from .publishing import Outgoing, OutputTooLarge, ProcessUnfit, Publisher
from .records import Record, Run, RunEvent

log = logging.getLogger(__name__)

E = TypeVar("E", bound=Event)
Abort = Callable[[str], NoReturn]
"""Ends the process at once and commits nothing; the message says why."""
Step = Callable[[Sequence[Record]], Awaitable[list[Outgoing]]]

_RUNS_AT_ONCE = 64
"""Runs in work at a time, of all partitions: what more comes stays where Faust holds it."""


def coordinates(record: Record) -> Coordinates:
    """Where ``record`` lies."""
    return Coordinates(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        appended_at=appended_at(record),
        key=record.key or b"",
        record=record,
    )


def appended_at(record: Record) -> int:
    """Kafka's time of ``record``, microseconds since the epoch; -1 where it is not known."""
    return record.timestamp * 1000 if record.timestamp >= 0 else -1


def read(codec: Codec, record: Record, expected: type[E]) -> E | Rejection:
    """The ``expected`` in ``record``, or why it can't be read."""
    try:
        return codec.decode(record.value, expected)
    except SchemaUnknown as error:
        return Rejection(DeadLetterCause.UNKNOWN_SCHEMA, str(error))
    except EventUnreadable as error:
        return Rejection(DeadLetterCause.UNREADABLE_EVENT, str(error))


class Intake:
    """Runs an agent's step over its stream and accounts for every record.

    A run is acknowledged once the outputs of all its records, or their dead letters, are with the
    brokers. What is committed stays behind the first run that is not (``topology.runs``).
    """

    def __init__(
        self, agent: str, publisher: Publisher, abort: Abort, counts: Counter[str]
    ) -> None:
        self.agent = agent
        self._published = f"{agent} published"
        self._publisher = publisher
        self._abort = abort
        self._counts = counts
        self._inflows: WeakSet[Inflow] = WeakSet()

    def give_up_waiting(self) -> None:
        """Wait no longer for what records in work are waiting for: they will be fetched again."""
        for inflow in self._inflows:
            inflow.give_up()

    async def each(self, stream: StreamT[Run], step: Step) -> None:
        """Run ``step`` on one record at a time: in order in a partition, partitions side by side.

        Partitions of the same number are one lane, whatever their topics.
        """
        manual = cast(Stream[Any], stream).noack()
        room = asyncio.Semaphore(_RUNS_AT_ONCE)
        lanes: dict[int, asyncio.Task[None]] = {}

        async def work(event: RunEvent, before: asyncio.Task[None] | None) -> None:
            await _end_of(before)
            run = cast(Run, event.value)
            try:
                came = [(record, await self._attempt([record], step)) for record in run]
            except ProcessUnfit as error:
                self.give_up(error)
            outgoing = [it for _, of_record in came for it in of_record]
            await self.settle(outgoing, len(run), one_by_one(came))
            await manual.ack(event)
            room.release()

        async with asyncio.TaskGroup() as tasks:
            async for event in manual.events():
                await room.acquire()
                lane = event.message.partition
                lanes[lane] = tasks.create_task(work(event, lanes.get(lane)))

    async def batched(
        self,
        stream: StreamT[Run],
        step: Step,
        batching: Batching,
        sift: Sift = keep_all,
        awaited: Await = wait_for_none,
    ) -> None:
        """Run ``step`` on batches of records, ``batching.at_once`` of them side by side.

        What comes of a batch is handed to the publisher after what came of the one before, so that
        the outputs of one key stay in order. What ``sift`` leaves out is done with once what it
        tells of that is with the brokers. Records that are ``awaited`` are overtaken by others, as
        long as there is room for them to wait.
        """
        clock = asyncio.get_running_loop().time
        room = asyncio.Semaphore(batching.at_once - 1)
        manual = cast(Stream[Any], stream).noack()
        inflow = Inflow(cast(Stream[Any], manual), self, sift, awaited)
        self._inflows.add(inflow)

        async def work(
            batch: list[Taken], before: asyncio.Event, handed_over: asyncio.Event
        ) -> None:
            began = clock()
            records = [taken.record for taken in batch]
            try:
                outgoing = await self._attempt(records, step)
            except ProcessUnfit as error:
                self.give_up(error)
            known = clock()
            await before.wait()
            # Begun before whoever waits for it goes on: tasks take their first step in order.
            apart = each_anew(records, partial(self._attempt, step=step))
            settling = asyncio.ensure_future(self.settle(outgoing, len(batch), apart))
            handed_over.set()
            await settling
            batching.sizing.observe(len(batch), known - began, clock() - known)
            for taken in batch:
                await inflow.done(taken.run)
            room.release()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(inflow.read())
            before = asyncio.Event()
            before.set()
            async for batch in batches(inflow.runs(), _lane, _key, batching):
                for taken in batch:
                    taken.leave()
                handed_over = asyncio.Event()
                tasks.create_task(work(batch, before, handed_over))
                before = handed_over
                # Taken for the next batch before it is filled: it is to be as full as it can be.
                await room.acquire()

    def count(self, what: str, times: int = 1) -> None:
        """Count something that is neither an event nor a refusal."""
        self._counts[f"{self.agent} {what}"] += times

    def count_refused(self, reason: StrEnum, times: int = 1) -> None:
        """Count something deliberately not taken in or not issued."""
        self.count(f"refused {reason}", times)

    def refuse(self, record: Record, why: Rejection | Exception) -> Outgoing:
        """The dead letter of ``record``, for a reason or for what nobody foresaw."""
        return (
            self.reject(record, why)
            if isinstance(why, Rejection)
            else self._unforeseen(record, why)
        )

    def reject(self, record: Record, rejection: Rejection) -> Outgoing:
        """The dead letter of ``record``."""
        return dead_letter(self.agent, coordinates(record), rejection)

    def give_up(self, error: ProcessUnfit) -> NoReturn:
        """End the process: nothing further is acknowledged."""
        self._abort(f"{self.agent}: {error}")

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """Publish what must be out before a step changes its state. Raises ``PublishFailed``."""
        await self._publisher.publish(outgoing)
        if outgoing:
            self._counts[self._published] += len(outgoing)

    async def _attempt(self, records: Sequence[Record], step: Step) -> list[Outgoing]:
        """What comes of ``records``. Raises ``ProcessUnfit``."""
        try:
            return await step(records)
        except ProcessUnfit:
            raise
        # The one place that routes what nobody foresaw: alone, the record is dead-lettered.
        except Exception as error:  # noqa: BLE001
            if len(records) == 1:
                return [self._unforeseen(records[0], error)]
            return [it for record in records for it in await self._attempt([record], step)]

    async def settle(
        self, outgoing: list[Outgoing], records: int, apart: Apart | None = None
    ) -> None:
        """Publish what came of so many ``records``, and count them, or end the process.

        Where something of it is too large for the brokers, and ``apart`` says what came of each
        record, the one that it comes of is dead-lettered.
        """
        try:
            try:
                await self.publish(outgoing)
            except OutputTooLarge:
                if apart is None:
                    raise
                outgoing = await publish_apart(apart, self.publish, self.reject)
        except ProcessUnfit as error:
            self.give_up(error)
        self._counts[f"{self.agent} events"] += records
        for item in outgoing:
            if isinstance(item.event, EventDeadLettered):
                self._counts[f"{self.agent} dead-lettered {item.event.cause}"] += 1

    def _unforeseen(self, record: Record, error: Exception) -> Outgoing:
        # The place in the code and not the exception's text, which may quote a payload or a key.
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{type(error).__name__} at {frames[-1].name}:{frames[-1].lineno}"
        log.error(
            "%s failed on %s/%d/%d: %s",
            self.agent,
            record.topic,
            record.partition,
            record.offset,
            place,
        )
        return self.reject(record, Rejection(DeadLetterCause.INTERNAL_ERROR, place))


def _lane(taken: Taken) -> int:
    return taken.record.partition


def _key(taken: Taken) -> bytes:
    return taken.record.key or b""


async def _end_of(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        with suppress(asyncio.CancelledError):
            await asyncio.wait({task})
