"""Waiting for something to come back from Kafka, on behalf of who asked; never past a shutdown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from aiohttp import web

_LOOK_SECONDS = 0.1
_MOST = 100


class Waiting:
    """Who waits; ``stop`` ends it for all, so that the server can stop."""

    def __init__(self) -> None:
        self._waiting = 0
        self._stopped = asyncio.Event()

    async def stop(self, _app: web.Application) -> None:
        """As aiohttp calls it on its shutdown."""
        self._stopped.set()

    async def until(self, met: Callable[[], bool], seconds: float) -> float:
        """Return once ``met`` holds, or after ``seconds``: how many seconds that were.

        Where a hundred wait already, nobody more does.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        if self._waiting >= _MOST:
            return 0.0
        self._waiting += 1
        try:
            while (left := began + seconds - loop.time()) > 0 and not met():
                if self._stopped.is_set():
                    break
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped.wait(), min(left, _LOOK_SECONDS))
        finally:
            self._waiting -= 1
        return loop.time() - began
