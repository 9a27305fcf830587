"""What a worker's web server answers before its app runs: that it waits for Kafka, or is starting.

Nothing of what goes on is on it, so that it is open to all; nor is where the brokers are. ``/live``
is 200 and ``/ready`` 503, as those of the app would be; all else is a page that comes back by
itself, and for programs a problem.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from . import static_files
from .access.csrf import SAFE_METHODS
from .health import harden
from .refusals import About, problem, wants_problem
from .rendering import format_when, html, render_bare
from .routing import Route, Visit
from .server_log import keep_nameless

_RETRY = {"Retry-After": "5"}


@dataclass(slots=True)
class Boot:
    """How far a worker has come that has no app yet; ``since`` in microseconds."""

    since: int
    reached: bool = False
    """Whether the brokers have answered."""

    def about(self, now: int) -> About:
        """What is said of it."""
        since = format_when(self.since, now)
        if self.reached:
            return About(
                "starting",
                HTTPStatus.SERVICE_UNAVAILABLE,
                "This worker is starting",
                f"It has reached Kafka and gets ready, since {since} in all.",
            )
        return About(
            "kafka-not-reached",
            HTTPStatus.SERVICE_UNAVAILABLE,
            "Kafka is not reached",
            f"This worker has tried since {since}, and tries on. Until it is there, this worker "
            "watches nothing and decides nothing, and has nothing to show. Why is on its log.",
        )


def build_server(boot: Boot, now_us: Callable[[], int]) -> web.Application:
    """Answers for a worker that has come as far as ``boot`` says."""
    keep_nameless(Counter())
    server = web.Application()
    server.on_response_prepare.append(harden)

    async def live(_request: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def ready(_request: web.Request) -> web.Response:
        checks = {"started": False, "Kafka reached": boot.reached}
        reasons = [name for name, met in checks.items() if not met]
        told = {"ready": False, "checks": checks, "reasons": reasons}
        told["boot"] = boot.about(now_us()).reason
        return web.json_response(told, status=HTTPStatus.SERVICE_UNAVAILABLE, headers=_RETRY)

    async def unreached(request: web.Request) -> web.Response:
        about = boot.about(now_us())
        if wants_problem(request):
            return problem(about, _RETRY)
        asked = request.method in SAFE_METHODS
        page = html(render_bare("unreached.html", about=about, asked=asked), about.status)
        page.headers.update(_RETRY)
        return page

    server.router.add_get("/live", live)
    server.router.add_get("/ready", ready)
    for route in static_files.routes():
        server.router.add_get(route.path, _open(route))
    server.router.add_route("*", "/{path:.*}", unreached)
    return server


def _open(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(request: web.Request) -> web.StreamResponse:
        return await route.handle(Visit(request, None, 0))

    return serve
