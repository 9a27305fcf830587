"""Control: what holds takedowns back, which policies and bundles run, and who may change it."""

from __future__ import annotations

from aiohttp import web

from ..access.roles import Permission
from ..desk import Desk
from ..drilling import running
from ..forms import is_order_id
from ..handles import handle_of
from ..in_force import at_odds, in_force
from ..policies import Change, differences
from ..rendering import html, render
from ..routing import Route, Visit
from .orders import order_at

_CHANGES = 20
"""Shown here; all of them are in the audit."""


def routes(desk: Desk) -> list[Route]:
    """The page."""

    async def control(visit: Visit) -> web.Response:
        live, *others = desk.policies() or (None,)
        workers = desk.read_model.workers.now(visit.now)
        bundles, policies = (in_force(kind, workers) for kind in ("bundle", "policy"))
        drill = desk.read_model.drills.newest()
        handle = handle_of(drill.started.event.stream_id) if drill else ""
        return html(
            render(
                "control.html",
                visit,
                desk,
                live=live,
                compared=[(it, differences(live, it)) for it in others if live is not None],
                Change=Change,
                bundles=bundles,
                bundles_at_odds=at_odds(bundles),
                policies_at_odds=at_odds(policies),
                drill=drill,
                drill_runs=running(desk, visit.now) is not None,
                drill_handle=handle,
                drill_row=desk.row(handle, visit.now),
                drill_awaited=_awaited(desk, visit),
                changes=desk.read_model.audit.controlled(_CHANGES, visit.now),
                order_at=order_at,
                is_order_id=is_order_id,
            )
        )

    return [Route("GET", "/control", Permission.VIEW, control)]


def _awaited(desk: Desk, visit: Visit) -> str:
    """The order about a drill that somebody comes from giving, until it came back from Kafka."""
    order_id = visit.request.query.get("drill", "")
    if not is_order_id(order_id) or desk.read_model.drills.knows(order_id):
        return ""
    return order_id
