"""Tells open pages that something may show otherwise, as server-sent events.

A page asks for what changed by itself: which page it is, and what was asked of it, is its own
business. It is told at once of what somebody waits to see, such as the first sign of something; of
all else at most once a second, and every few seconds though nothing has changed, since what is
shown grows older. What is told has an end, which is told as well: that it breaks off means trouble.

A page that nobody looks at is told nothing, as browsers have few connections for a host: it asks
now and then how many incidents are open, for its title.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress

from aiohttp import web

from .access.roles import Permission
from .desk import Desk
from .routing import Route, Visit

_LOOK_SECONDS = 0.2
_PERIOD_SECONDS = 1.0
_BEAT_SECONDS = 5.0
_LASTS_SECONDS = 600.0
_MOST_OF_A_PERSON = 12
_MOST = 500


class Listeners:
    """Who is told; ``stop`` ends it for all, so that the server can stop.

    After ``lasts_seconds`` a page asks again, and whoever may not any more is not let in.
    """

    def __init__(self, lasts_seconds: float = _LASTS_SECONDS) -> None:
        self._lasts_seconds = lasts_seconds
        self._of: Counter[str] = Counter()
        self._stopped = asyncio.Event()

    async def stop(self, _app: web.Application) -> None:
        """As aiohttp calls it on its shutdown."""
        self._stopped.set()

    def routes(self, desk: Desk) -> list[Route]:
        """``/events``, and what is asked for instead."""

        async def events(visit: Visit) -> web.StreamResponse:
            name = visit.person.name if visit.person else ""
            if self._of[name] >= _MOST_OF_A_PERSON or self._of.total() >= _MOST:
                raise web.HTTPTooManyRequests(headers={"Retry-After": "30"})
            self._of[name] += 1
            try:
                return await self._tell(visit.request, desk)
            finally:
                self._of[name] -= 1
                self._of += Counter()  # names that nobody listens by any more go

        async def incidents(visit: Visit) -> web.Response:
            return web.json_response({"open": desk.read_model.open_incidents()})

        return [
            Route("GET", "/events", Permission.VIEW, events),
            Route("GET", "/events/incidents", Permission.VIEW, incidents),
        ]

    async def _tell(self, request: web.Request, desk: Desk) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        loop = asyncio.get_running_loop()
        over = loop.time() + self._lasts_seconds
        told: object = None
        seen: object = None
        told_at = loop.time()
        # A connection that was closed says so when it is written to.
        with suppress(ConnectionError):
            while loop.time() < over and not self._stopped.is_set():
                model, since = desk.read_model, loop.time() - told_at
                shown, news = model.version, (model.news, desk.feed.progress)
                late = since >= (_PERIOD_SECONDS if shown != told else _BEAT_SECONDS)
                if news != seen or late:
                    told, seen, told_at = shown, news, loop.time()
                    await response.write(b"event: changed\ndata: %d\n\n" % shown)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped.wait(), _LOOK_SECONDS)
            if not self._stopped.is_set():
                await response.write(b"event: over\ndata: 0\n\n")
            await response.write_eof()
        return response
