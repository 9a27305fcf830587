"""A stream's past as JSON, and what its plot is drawn from."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from ..access.roles import Permission
from ..desk import Desk
from ..pages.streams import policy_now
from ..past import read_past, stream_at
from ..plotting import plot_of
from ..routing import Route, Visit


def routes(desk: Desk) -> list[Route]:
    """One operation."""

    async def history(visit: Visit) -> web.Response:
        past = await read_past(desk, stream_at(desk, visit), visit.now)
        if past.missing:
            return web.json_response({"error": past.missing}, status=503)
        policy = policy_now(desk, past)
        told: dict[str, Any] = {
            "since": past.span.since,
            "until": past.span.until,
            "plot": msgspec.to_builtins(plot_of(past.history, policy)),
            "moments": msgspec.to_builtins(past.history.moments),
            "policy": msgspec.to_builtins(policy),
        }
        return web.json_response(told)

    return [Route("GET", "/api/v1/streams/{handle}/history", Permission.VIEW, history)]
