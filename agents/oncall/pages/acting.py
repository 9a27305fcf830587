"""Giving an order: what it will do, then why, then it is sent. Of a stream or of a scope.

``GET`` says what the order would do and asks for a reason; ``POST`` sends it and leads to the page
that says what became of it. The order's id is made with the form: sent twice, it is one order.
"""

from __future__ import annotations

from aiohttp import web

from ..access.roles import Permission
from ..asking import Asked, ask, longest, name_of, typed_in
from ..consequences import Foretold, foretell
from ..desk import Desk
from ..forms import commanded, read
from ..giving import NotOrdered
from ..orders import OF_SCOPES, OF_STREAMS, ORDERS, Field
from ..routing import Route, Visit

SESSION = "session"
_RESTARTED = (
    "The stream started anew while this page was open. What it says now is of the new session: "
    "look, and send it again if it still holds."
)


def routes(desk: Desk) -> list[Route]:
    """The two forms, for streams and for scopes."""

    async def ask_stream(visit: Visit) -> web.Response:
        return ask(desk, visit, _of_stream(desk, visit), _given(visit))

    async def ask_scope(visit: Visit) -> web.Response:
        return ask(desk, visit, _of_scope(visit), _given(visit))

    async def send_stream(visit: Visit) -> web.Response:
        return await _send(desk, visit, _of_stream(desk, visit))

    async def send_scope(visit: Visit) -> web.Response:
        return await _send(desk, visit, _of_scope(visit))

    stream, scope = "/streams/{handle}/act/{command}", "/control/act/{command}"
    return [
        Route("GET", stream, Permission.ACT, ask_stream),
        Route("POST", stream, Permission.ACT, send_stream),
        Route("GET", scope, Permission.CONTROL, ask_scope),
        Route("POST", scope, Permission.CONTROL, send_scope),
    ]


def _of_stream(desk: Desk, visit: Visit) -> Asked:
    command, handle = visit.path("command"), visit.path("handle")
    row = desk.row(handle, visit.now)
    if command not in OF_STREAMS or row is None:
        raise web.HTTPNotFound
    page = f"/streams/{row.handle}"
    foretold = foretell(command, row, name_of(visit))
    return Asked(ORDERS[command], f"{page}/act/{command}", page, foretold, row)


def _of_scope(visit: Visit) -> Asked:
    command = visit.path("command")
    if command not in OF_SCOPES:
        raise web.HTTPNotFound
    order = ORDERS[command]
    return Asked(order, f"/control/act/{command}", "/control", Foretold((order.does,)))


def _given(visit: Visit) -> dict[str, str]:
    """What a link filled in. A reason is never: whoever orders says why."""
    query = visit.request.query
    return {name: query[name] for name in (Field.SCOPE, Field.ASSIGNEE) if name in query}


async def _send(desk: Desk, visit: Visit, asked: Asked) -> web.Response:
    typed = await typed_in(visit)
    filled, problems = read(asked.order, typed, visit.now, longest(desk))
    row = asked.row
    # What is ordered of what somebody saw is ordered of the session that they saw.
    seen = row if row is not None and not asked.order.whatever_session else None
    if seen is not None and typed.get(SESSION) != seen.session_id:
        problems = {**problems, SESSION: _RESTARTED}
    if filled is None or problems:
        return ask(desk, visit, asked, typed, problems=problems, status=422)
    order = commanded(
        asked.order,
        filled,
        name_of(visit),
        visit.now,
        stream_id=row.stream_id if row is not None else "",
        session_id=seen.session_id if seen is not None else "",
    )
    if desk.read_model.orders.get(filled.order_id).order is None:
        try:
            await desk.give_order(order)
        except NotOrdered as error:
            return ask(desk, visit, asked, typed, unsent=str(error), status=503)
    raise web.HTTPSeeOther(f"/orders/{filled.order_id}?sent={visit.now}")
