"""One origin of payloads: how much may wait for it, how much is asked of it, what comes of that.

Each has all of this to itself: while one is slow, busy or away the others are not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from .outage import Outage

MOST = 4096
"""Claims that may be under way, from when they are read until their frames are in a batch."""
AT_ONCE = 16
"""Payloads asked for at a time."""
_WEIGHT = 1 / 32
"""Of the last attempt in how long attempts take."""


class PayloadUnavailable(Exception):
    """The payload can't be had now. The message holds no URI."""


class OriginAway(PayloadUnavailable):
    """The origin is not asked, as nothing came from it for a while."""


class Origin:
    """``largest`` is the most bytes of a payload: payloads that are on their way, or wait to be
    taken into a batch, have at most ``AT_ONCE`` times that between them."""

    def __init__(
        self, name: str, largest: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self._largest = largest
        self._clock = clock
        self._places = asyncio.Semaphore(MOST)
        self._asking = asyncio.Semaphore(AT_ONCE)
        self._left = AT_ONCE * largest
        self._freed = asyncio.Event()
        self._outage = Outage()
        self._attempt_seconds = 0.0
        self.waiting = 0
        """Claims under way."""
        self._to_come = 0
        """Of these, those whose payload has not come."""

    @property
    def held(self) -> int:
        """Bytes that payloads have, or may have once they have come."""
        return AT_ONCE * self._largest - self._left

    def seconds(self) -> float:
        """How long what is to come takes to come, at the pace of the last attempts."""
        return self._to_come * self._attempt_seconds / AT_ONCE

    async def enter(self) -> None:
        """Begin to wait for a payload, once there is room for one more."""
        await self._places.acquire()
        self.waiting += 1
        self._to_come += 1

    def leave(self, payload: int | None) -> None:
        """Make room: a payload of so many bytes is no longer held, or none will come."""
        if payload is None:
            self._to_come -= 1
        else:
            self._give_back(payload)
        self.waiting -= 1
        self._places.release()

    async def fetch(self, get: Callable[[], Awaitable[bytes]]) -> bytes:
        """What ``get`` gets, in its turn. Raises what it does, and ``OriginAway``."""
        async with self._asking:
            while self._left < self._largest:
                self._freed.clear()
                await self._freed.wait()
            self._left -= self._largest
            kept = 0
            try:
                payload = await self._attempt(get)
                kept = len(payload)
                self._to_come -= 1
                return payload
            finally:
                self._give_back(self._largest - kept)

    async def _attempt(self, get: Callable[[], Awaitable[bytes]]) -> bytes:
        began = self._clock()
        if (why := self._outage.refuses(began)) is not None:
            raise OriginAway(f"not asked for now; the last: {why}")
        try:
            payload = await get()
        except PayloadUnavailable as error:
            self._outage.failed(self._clock(), str(error))
            raise
        except Exception:
            self._outage.answered()
            raise
        finally:
            took = self._clock() - began
            self._attempt_seconds += _WEIGHT * (took - self._attempt_seconds)
        self._outage.answered()
        return payload

    def _give_back(self, count: int) -> None:
        self._left += count
        self._freed.set()
