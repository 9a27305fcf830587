"""The on-call view, served by Faust's own web server: pages for people, operations for programs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import faust
from aiohttp import web
from faust.web.drivers.aiohttp import Web

from . import static_files
from .access.roles import Person, Role
from .api import history
from .api import streams as streams_api
from .api import topology as topology_api
from .desk import Desk
from .live import Listeners
from .pages import (
    acting,
    audit,
    control,
    drills,
    evidence,
    export,
    incidents,
    now,
    orders,
    streams,
    topology,
)
from .routing import Guard, Route, Visit
from .routing import register as register_routes


def register(app: faust.App, desk: Desk, guard: Guard) -> None:
    """Serve all of it from ``app``, before its web server has started."""
    listeners = Listeners()
    cast(Web, app.web).web_app.on_shutdown.append(listeners.stop)
    parts = (
        static_files.routes(),
        listeners.routes(desk),
        now.routes(desk),
        streams.routes(desk),
        evidence.routes(desk),
        export.routes(desk),
        incidents.routes(desk),
        acting.routes(desk),
        orders.routes(desk),
        control.routes(desk),
        topology.routes(desk),
        drills.routes(desk),
        audit.routes(desk),
        streams_api.routes(desk),
        topology_api.routes(desk),
        history.routes(desk),
    )
    register_routes(app, [route for part in parts for route in part], guard)


@dataclass(frozen=True, slots=True)
class EveryoneIsLetIn:
    """A guard that lets all in as admins. ``now_us`` is the wall clock in microseconds."""

    now_us: Callable[[], int] = lambda: time.time_ns() // 1000

    async def admit(self, request: web.Request, route: Route) -> Visit:
        return Visit(request, Person("nobody in particular", Role.ADMIN), self.now_us())
