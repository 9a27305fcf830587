"""The way of records from a stream to its batches: sifted, and some of them waited for aside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Protocol, cast

from faust.streams import Stream

from .dead_letters import Rejection
from .publishing import Outgoing
from .records import Record, Run, RunEvent

Sift = Callable[[Sequence[Record]], tuple[Sequence[Record], list[Outgoing]]]
"""Of a run, what is to be worked on, and what is told of the rest."""
Await = Callable[[Record], Awaitable[Record | Rejection] | None]
"""What is waited for before a record is worked on, or ``None``: the record as it is to be worked
on, or why it can't be."""

_TOLD_AT_ONCE = 16
"""Runs of which something was left out, and is not with the brokers yet."""


def keep_all(run: Sequence[Record]) -> tuple[Sequence[Record], list[Outgoing]]:
    """Sifts nothing out."""
    return run, []


def wait_for_none(_: Record) -> None:
    """Has no record wait."""
    return


class Open:
    """A run of which not all records are done."""

    __slots__ = ("event", "left")

    def __init__(self, event: RunEvent) -> None:
        self.event = event
        self.left = len(event.value)


Taken = tuple[Record, Open]


class Accounts(Protocol):
    """Who accounts for records; ``Intake`` does."""

    async def settle(self, outgoing: list[Outgoing], records: int) -> None:
        """Publish what came of so many ``records``, or end the process."""
        ...

    def refuse(self, record: Record, why: Rejection | Exception) -> Outgoing:
        """The dead letter of ``record``."""
        ...


class Inflow:
    """What ``stream`` brings, run by run.

    What ``sift`` leaves out is done with once what it tells of that is with the brokers. Records
    that are ``awaited`` are overtaken by others.
    """

    def __init__(self, stream: Stream[Any], accounts: Accounts, sift: Sift, awaited: Await) -> None:
        self._stream = stream
        self._accounts = accounts
        self._sift = sift
        self._awaited = awaited
        self._telling = asyncio.Semaphore(_TOLD_AT_ONCE)
        self._arrived: asyncio.Queue[list[Taken] | None] = asyncio.Queue(1)
        self._waiting: set[asyncio.Task[None]] = set()

    async def read(self) -> None:
        """Read the stream to its end; to be run beside ``runs``."""
        async with asyncio.TaskGroup() as aside:
            async for event in self._stream.events():
                run = Open(event)
                kept, told = self._sift(cast(Run, event.value))
                if told:
                    await self._telling.acquire()
                    aside.create_task(self._tell(told, run, run.left - len(kept)))
                taken: list[Taken] = []
                for record in kept:
                    if (waiting := self._awaited(record)) is None:
                        taken.append((record, run))
                    else:
                        task = aside.create_task(self._take_up(record, waiting, run))
                        self._waiting.add(task)
                        task.add_done_callback(self._waiting.discard)
                await self._arrived.put(taken)
        await self._arrived.put(None)

    async def runs(self) -> AsyncIterator[list[Taken]]:
        """What is to be worked on, until all that was read is."""
        while (run := await self._arrived.get()) is not None:
            yield run

    def give_up(self) -> None:
        """Wait no longer for what is waited for: its runs are never acknowledged."""
        for task in self._waiting:
            task.cancel()

    async def done(self, run: Open, records: int = 1) -> None:
        """So many ``records`` of ``run`` are done with; it is acknowledged once all are."""
        run.left -= records
        if run.left == 0:
            await self._stream.ack(run.event)

    async def _tell(self, told: list[Outgoing], run: Open, left_out: int) -> None:
        await self._settle(told, run, left_out)
        self._telling.release()

    async def _take_up(
        self, record: Record, waiting: Awaitable[Record | Rejection], run: Open
    ) -> None:
        try:
            found = await waiting
        # As for a step: what nobody foresaw is the record's dead letter.
        except Exception as error:  # noqa: BLE001
            await self._settle([self._accounts.refuse(record, error)], run, 1)
            return
        if isinstance(found, Rejection):
            await self._settle([self._accounts.refuse(record, found)], run, 1)
        else:
            await self._arrived.put([(found, run)])

    async def _settle(self, outgoing: list[Outgoing], run: Open, records: int) -> None:
        await self._accounts.settle(outgoing, records)
        await self.done(run, records)
