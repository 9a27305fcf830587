"""Every stream, gravest first."""

from __future__ import annotations

from aiohttp import web

from ..access.roles import Permission
from ..desk import Desk
from ..rendering import html, render
from ..routing import Route, Visit

ROWS_SHOWN = 200


def routes(desk: Desk) -> list[Route]:
    """The page, and the part of it that changes."""

    def showing(template: str, visit: Visit) -> web.Response:
        rows = desk.read_model.rows(visit.now, ROWS_SHOWN, desk.late_after)
        return html(render(template, visit, desk, rows=rows))

    async def whole(visit: Visit) -> web.Response:
        return showing("now.html", visit)

    async def parts(visit: Visit) -> web.Response:
        return showing("now_parts.html", visit)

    return [
        Route("GET", "/", Permission.VIEW, whole),
        Route("GET", "/now", Permission.VIEW, parts),
    ]
