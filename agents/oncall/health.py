"""What every worker answers about itself, and the headers that all its responses carry.

====================  ==========================================================================
``/live``             200 as long as the process answers: a slow start is not a dead process
``/ready``            200 once the worker does its whole work, 503 with the reasons before
``/api/v1/worker``    what this worker runs now, and what it counted since it started
====================  ==========================================================================
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import cast

import faust
from aiohttp import web as aiohttp_web
from faust.web import Blueprint, Request, Response, View
from faust.web.drivers.aiohttp import Web

from .access.roles import Permission
from .routing import Guard, Route, Visit
from .routing import register as register_routes

OPEN_PATHS = frozenset({"/live", "/ready"})
"""What answers whoever asks."""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": then browsers would say of our own forms that they come from nowhere.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_UNLESS_SAID = {"Cache-Control": "no-store"}

Readiness = Callable[[], Mapping[str, bool]]
"""What this worker needs to do its work, by name, and whether it has it now."""
Running = Callable[[], Mapping[str, object]]
"""What this worker runs now, as JSON: its role, its bundles and what they run on."""


def register(
    app: faust.App, readiness: Readiness, counts: Counter[str], runs: Running, guard: Guard
) -> None:
    """Serve the endpoints from ``app``, before its web server has started.

    The first two answer whoever asks: who starts and restarts workers has no token.
    """
    blueprint = Blueprint("health")

    @blueprint.route("/live", name="live")
    async def live(view: View, request: Request) -> Response:
        return view.json({"live": True})

    @blueprint.route("/ready", name="ready")
    async def ready(view: View, request: Request) -> Response:
        checks = readiness()
        reasons = [name for name, met in checks.items() if not met]
        body = {"ready": not reasons, "checks": checks, "reasons": reasons}
        return view.json(body, status=503 if reasons else 200)

    async def worker(visit: Visit) -> aiohttp_web.Response:
        told = {"runs": runs(), "counts": dict(sorted(counts.items()))}
        return aiohttp_web.json_response(told)

    blueprint.register(app)
    register_routes(app, [Route("GET", "/api/v1/worker", Permission.VIEW, worker)], guard)
    cast(Web, app.web).web_app.on_response_prepare.append(harden)


async def harden(request: aiohttp_web.Request, response: aiohttp_web.StreamResponse) -> None:
    """Set the headers that every response has, errors among them."""
    response.headers.update(_HEADERS)
    for name, value in _UNLESS_SAID.items():
        response.headers.setdefault(name, value)
