"""The on-call view served beside a test that blocks, as a client that is not asynchronous does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from aiohttp.test_utils import TestServer

from .serving import Served

_STARTS_SECONDS = 30.0
_Running = tuple[str, asyncio.AbstractEventLoop, asyncio.Event]


@contextmanager
def beside(served: Served, *, stopping: bool = False) -> Iterator[str]:
    """Where ``served`` is served from, on a thread and a loop of its own.

    ``stopping``: as while a worker stops, when nobody is kept waiting for what becomes of an order.
    """
    started: Future[_Running] = Future()
    thread = threading.Thread(target=asyncio.run, args=[_run(served, stopping, started)])
    thread.start()
    url, loop, over = started.result(_STARTS_SECONDS)
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()


async def _run(served: Served, stopping: bool, started: Future[_Running]) -> None:
    application, over = await served.app.web.wsgi(), asyncio.Event()
    async with TestServer(application) as server:
        if stopping:
            await application.shutdown()
        started.set_result((str(server.make_url("")), asyncio.get_running_loop(), over))
        await over.wait()
