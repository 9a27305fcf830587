"""Readings on threads of their own: so many at once, and each for so long.

People click and reload, and each reading costs the brokers and this worker something that judging
streams needs as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from agents.oncall.ports import Unavailable

from ..incident.log import RecordsUnreadable

T = TypeVar("T")

_WAITING = 16
"""What comes while so many wait is refused."""


class Readings:
    """``at_once`` threads, named after ``what`` is read.

    A reading that takes longer than it may is no longer waited for, and keeps its thread until it
    ends by itself: it can't be more of them than there are threads.
    """

    def __init__(self, what: str, at_once: int) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix=f"oncall-{what}")
        self._most = at_once + _WAITING
        self._begun = 0

    async def run(self, read: Callable[[], T], seconds: float) -> T:
        """What ``read`` returns. Raises ``Unavailable``, and what it raises."""
        if self._begun >= self._most:
            raise Unavailable("too many wait for the same; try again in a moment")
        self._begun += 1
        loop = asyncio.get_running_loop()
        reading = self._threads.submit(read)
        reading.add_done_callback(lambda it: _tell(loop, self._ended))
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.wrap_future(reading)
        except TimeoutError:
            raise Unavailable(f"Kafka gave no answer in {seconds:g} s") from None
        except RecordsUnreadable as error:
            raise Unavailable(str(error)) from error

    def _ended(self) -> None:
        self._begun -= 1


def _tell(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(what)


class Briefly(Generic[T]):
    """Keeps what was read for ``seconds``: who asks for the same meanwhile is given it, also while
    it is still being read. What failed is not kept, and what is over goes by itself, whether or
    not anybody asks again: it may be large."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._kept: dict[Hashable, asyncio.Task[T]] = {}

    def __len__(self) -> int:
        """How much is kept, or being read."""
        return len(self._kept)

    async def get(self, key: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        """What ``read`` gives, or gave a moment ago for the same ``key``."""
        task = self._kept.get(key)
        if task is None:
            if len(self._kept) >= self._most:
                del self._kept[next(iter(self._kept))]
            task = self._kept[key] = asyncio.ensure_future(_await(read))
            task.add_done_callback(lambda done: self._keep(key, done))
        # Others may wait for it too: who goes away does not end it.
        return await asyncio.shield(task)

    def _keep(self, key: Hashable, done: asyncio.Task[T]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._forget(key, done)
        else:
            done.get_loop().call_later(self._seconds, self._forget, key, done)

    def _forget(self, key: Hashable, done: asyncio.Task[T]) -> None:
        # Something else may have been read for the key since.
        if self._kept.get(key) is done:
            del self._kept[key]


async def _await(read: Callable[[], Awaitable[T]]) -> T:
    return await read()
