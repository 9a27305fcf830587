"""The on-call view, served by Faust's own web server: pages for people, operations for programs."""

from __future__ import annotations

from typing import cast

import faust
from faust.web.drivers.aiohttp import Web

from .api import table
from .api.waiting import Waiting
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
from .routing import Guard
from .routing import register as register_routes


def register(app: faust.App, desk: Desk, guard: Guard, listeners: Listeners | None = None) -> None:
    """Serve all of it from ``app``, before its web server has started."""
    listeners = listeners or Listeners()
    waiting = Waiting()
    cast(Web, app.web).web_app.on_shutdown.extend([listeners.stop, waiting.stop])
    parts = (
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
        table.routes(desk, waiting),
    )
    register_routes(app, [route for part in parts for route in part], guard)
