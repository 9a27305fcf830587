"""What answers at a worker's address from the moment its process runs until its app does."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future
from threading import Thread
from typing import Self, cast

import faust
from aiohttp import web
from faust.web.drivers.aiohttp import Web

from agents.oncall.unreached import Boot, build_server

from .fleet import WebPortTaken
from .settings import Settings

_CLOSE_SECONDS = 1.0
"""For what is being answered as it closes."""


class BootServer:
    """Runs within its context, on a thread of its own, and until it gives way.

    The port is free for a few milliseconds as the app takes it over.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._boot = Boot(since=_now_us())
        self._started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = Thread(target=lambda: asyncio.run(self._serve()), name="boot", daemon=True)

    def __enter__(self) -> Self:
        """Raises ``WebPortTaken``."""
        self._thread.start()
        self._started.result()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._close()

    def reached(self) -> None:
        """The brokers have answered."""
        self._boot.reached = True

    def give_way_to(self, app: faust.App) -> None:
        """Answer until the server of ``app`` is about to listen."""

        async def give_way(_server: web.Application) -> None:
            await asyncio.to_thread(self._close)

        cast(Web, app.web).web_app.on_startup.append(give_way)

    def _close(self) -> None:
        if self._thread.is_alive():
            loop, over = self._started.result()
            loop.call_soon_threadsafe(over.set)
            self._thread.join()

    async def _serve(self) -> None:
        host, port = self._settings.web_host, self._settings.web_port
        server = build_server(self._boot, _now_us)
        runner = web.AppRunner(server, access_log=None, shutdown_timeout=_CLOSE_SECONDS)
        over = asyncio.Event()
        try:
            await runner.setup()
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            taken = WebPortTaken(f"{host}:{port}: {error.strerror}; set FIREBREAK_WEB_PORT")
            self._started.set_exception(taken)
        else:
            self._started.set_result((asyncio.get_running_loop(), over))
            await over.wait()
        finally:
            await runner.cleanup()


def _now_us() -> int:
    return time.time_ns() // 1000
