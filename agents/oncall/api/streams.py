"""Streams as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec
from aiohttp import web

from ..access.roles import Permission
from ..desk import Desk
from ..routing import Route, Visit
from ..rows import StreamRow

ROWS_TOLD = 200


def routes(desk: Desk) -> list[Route]:
    """What the first page says."""

    async def streams(visit: Visit) -> web.Response:
        return web.json_response(_listing(desk, visit.now))

    return [Route("GET", "/api/v1/streams", Permission.VIEW, streams)]


def _listing(desk: Desk, now: int) -> dict[str, Any]:
    """The gravest streams, and how many are known in all."""
    read_model, feed = desk.read_model, desk.feed
    return {
        "as_of": now,
        "feed": {
            "progress": feed.progress,
            "last_error": feed.last_error,
            "undecodable": feed.undecodable,
        },
        "held_back": desk.held_back(),
        "alerts": [msgspec.to_builtins(alert) for alert in read_model.alerts()],
        "counters": asdict(read_model.counters()),
        "streams_known": len(read_model),
        "streams": [_row(row) for row in read_model.rows(now, ROWS_TOLD, desk.late_after)],
    }


def _row(row: StreamRow) -> dict[str, Any]:
    unwatched = row.unwatched and row.unwatched._asdict()
    return {**asdict(row), "unwatched": unwatched}
