"""Control: what holds takedowns back, which policies and bundles run, and who may change it."""

from __future__ import annotations

from aiohttp import web

from ..access.roles import Permission
from ..desk import Desk
from ..policies import Change, differences
from ..rendering import html, render
from ..routing import Route, Visit


def routes(desk: Desk) -> list[Route]:
    """The page."""

    async def whole(visit: Visit) -> web.Response:
        live, *others = desk.policies() or (None,)
        compared = [(it, differences(live, it)) for it in others if live is not None]
        return html(
            render(
                "control.html",
                visit,
                desk,
                live=live,
                compared=compared,
                Change=Change,
            )
        )

    return [Route("GET", "/control", Permission.VIEW, whole)]
