"""Batches of events: filled by turns, and not waited for longer than told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from .fairness import Lanes

T = TypeVar("T")


class Sizing(Protocol):
    """How large batches are."""

    @property
    def size(self) -> int:
        """Most events of the next batch, at least 1."""
        ...

    def observe(self, events: int, seconds: float, acknowledged: float) -> None:
        """A batch of ``events`` took ``seconds`` until its outputs were known, and then until they
        were ``acknowledged`` by the brokers."""
        ...


@dataclass(frozen=True, slots=True)
class Batching:
    """How events are put together.

    Reading ahead stops where ``hold`` events wait, and a batch is filled from them by turns. It is
    as large as ``sizing`` allows, or what there is ``wait`` seconds after the first of the events
    that are held came. ``at_once`` batches may be in work side by side.
    """

    sizing: Sizing
    hold: int
    wait: float
    at_once: int = 1


async def batches(
    runs: AsyncIterator[Sequence[T]],
    lane: Callable[[T], int],
    key: Callable[[T], bytes],
    batching: Batching,
) -> AsyncIterator[list[T]]:
    """The events of ``runs`` in batches until they end. Reading goes on while a batch is in work.

    Events of one ``lane`` and ``key`` stay in order; others may overtake each other.
    """
    buffer: _Buffer[T] = _Buffer(batching.hold)
    reading = asyncio.create_task(buffer.fill(runs, lane, key))
    try:
        while batch := await buffer.take(batching.sizing, batching.wait):
            yield batch
        await reading
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading


class _Arrived(NamedTuple, Generic[T]):
    event: T
    at: float


class _Buffer(Generic[T]):
    """Events read and not taken yet: no run is read while there are ``hold`` or more."""

    def __init__(self, hold: int) -> None:
        self._hold = hold
        self._waiting: Lanes[_Arrived[T]] = Lanes()
        self._clock = asyncio.get_running_loop().time
        self._changed = asyncio.Condition()
        self._ended = False

    async def fill(
        self,
        runs: AsyncIterator[Sequence[T]],
        lane: Callable[[T], int],
        key: Callable[[T], bytes],
    ) -> None:
        """Read on as long as there is room."""
        try:
            async for run in runs:
                async with self._changed:
                    now = self._clock()
                    for event in run:
                        self._waiting.put(lane(event), key(event), _Arrived(event, now))
                    self._changed.notify_all()
                    await self._changed.wait_for(lambda: len(self._waiting) < self._hold)
        finally:
            async with self._changed:
                self._ended = True
                self._changed.notify_all()

    async def take(self, sizing: Sizing, wait: float) -> list[T]:
        """The next batch; an empty one once reading has ended and nothing is left."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._ended or len(self._waiting) > 0)
            size = min(sizing.size, self._hold)
            if len(self._waiting) < size:
                first = min((arrived.at for arrived in self._waiting.heads()), default=0.0)
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(first + wait):
                        await self._changed.wait_for(
                            lambda: self._ended or len(self._waiting) >= size
                        )
            taken = self._waiting.take(size)
            self._changed.notify_all()
        return [arrived.event for arrived in taken]
