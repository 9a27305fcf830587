"""The way of records from a stream to its batches: sifted, and some of them waited for aside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol, cast

from faust.streams import Stream

from .dead_letters import Rejection
from .publishing import Outgoing
from .records import Record, Run, RunEvent

Sift = Callable[[Sequence[Record]], tuple[Sequence[Record], list[Outgoing]]]
"""Of a run, what is to be worked on, and what is told of the rest."""


class Waiting(Protocol):
    """A record that is not worked on before something has come."""

    async def enter(self) -> None:
        """Begin to wait, once there is room for that: reading goes no further before."""
        ...

    async def get(self) -> Record | Rejection:
        """The record as it is to be worked on, or why it can't be."""
        ...

    def leave(self) -> None:
        """Make room for another: the record is in a batch, or will not be. Once is enough."""
        ...


Await = Callable[[Record], Waiting | None]
"""What a record waits for, or ``None``."""

_TOLD_AT_ONCE = 16
"""Runs of which something was left out, and is not with the brokers yet."""


def keep_all(run: Sequence[Record]) -> tuple[Sequence[Record], list[Outgoing]]:
    """Sifts nothing out."""
    return run, []


def wait_for_none(_: Record) -> None:
    """Has no record wait."""
    return


class Open:
    """A run of which not all records are done; one that is given up never will be.

    It holds none of them: one that waits for long is not to keep those beside it in memory.
    """

    __slots__ = ("event", "given_up", "left")

    def __init__(self, event: RunEvent) -> None:
        self.event = event
        self.left = len(event.value)
        self.given_up = False
        event.value = ()
        event.message.value = None


def _nothing() -> None:
    """Leaves nothing."""


class Taken(NamedTuple):
    """A record to be worked on; ``leave`` is called when it is taken into a batch."""

    record: Record
    run: Open
    leave: Callable[[], None] = _nothing


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
    that are ``awaited`` are overtaken by others, as long as there is room for them to wait.
    """

    def __init__(self, stream: Stream[Any], accounts: Accounts, sift: Sift, awaited: Await) -> None:
        self._stream = stream
        self._accounts = accounts
        self._sift = sift
        self._awaited = awaited
        self._telling = asyncio.Semaphore(_TOLD_AT_ONCE)
        self._arrived: asyncio.Queue[list[Taken] | None] = asyncio.Queue(1)
        self._reading: Open | None = None
        self._waiting: dict[asyncio.Task[None], Open] = {}

    async def read(self) -> None:
        """Read the stream to its end; to be run beside ``runs``."""
        async with asyncio.TaskGroup() as aside:
            async for event in self._stream.events():
                records = cast(Run, event.value)
                self._reading = run = Open(event)
                kept, told = self._sift(records)
                if told:
                    await self._telling.acquire()
                    aside.create_task(self._tell(told, run, run.left - len(kept)))
                asked = [(record, self._awaited(record)) for record in kept]
                if taken := [Taken(record, run) for record, waiting in asked if waiting is None]:
                    await self._arrived.put(taken)
                for record, waiting in asked:
                    if waiting is None:
                        continue
                    await waiting.enter()
                    if run.given_up:
                        waiting.leave()
                        break
                    task = aside.create_task(self._take_up(record, waiting, run))
                    self._waiting[task] = run
                    task.add_done_callback(partial(self._end_waiting, waiting))
        await self._arrived.put(None)

    async def runs(self) -> AsyncIterator[list[Taken]]:
        """What is to be worked on, until all that was read is."""
        while (run := await self._arrived.get()) is not None:
            yield run

    def give_up(self) -> None:
        """Wait no longer for what is waited for: its runs are never acknowledged."""
        if self._reading is not None:
            self._reading.given_up = True
        for task, run in self._waiting.items():
            run.given_up = True
            task.cancel()

    async def done(self, run: Open, records: int = 1) -> None:
        """So many ``records`` of ``run`` are done with; it is acknowledged once all are."""
        run.left -= records
        if run.left == 0:
            await self._stream.ack(run.event)

    async def _tell(self, told: list[Outgoing], run: Open, left_out: int) -> None:
        await self._settle(told, run, left_out)
        self._telling.release()

    async def _take_up(self, record: Record, waiting: Waiting, run: Open) -> None:
        why = await self._hand_on(waiting, run)
        if why is not None:
            waiting.leave()
            await self._settle([self._accounts.refuse(record, why)], run, 1)

    def _end_waiting(self, waiting: Waiting, task: asyncio.Task[None]) -> None:
        del self._waiting[task]
        # It may not even have begun.
        if task.cancelled():
            waiting.leave()

    async def _hand_on(self, waiting: Waiting, run: Open) -> Rejection | Exception | None:
        """Why what was waited for is not handed on, if it is not."""
        try:
            found = await waiting.get()
        # As for a step: what nobody foresaw is the record's dead letter.
        except Exception as error:  # noqa: BLE001
            return error
        if isinstance(found, Rejection):
            return found
        await self._arrived.put([Taken(found, run, waiting.leave)])
        return None

    async def _settle(self, outgoing: list[Outgoing], run: Open, records: int) -> None:
        await self._accounts.settle(outgoing, records)
        await self.done(run, records)
