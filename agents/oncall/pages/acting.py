"""Giving an order: what it will do, then why, then it is sent. Of a stream or of a scope.

``GET`` says what the order would do and asks for a reason; ``POST`` sends it and leads to the page
that says what became of it. The order's id is made with the form: sent twice, it is one order.
"""

from __future__ import annotations

from aiohttp import web
from yarl import URL

from ..access.roles import Permission
from ..asking import Asked, ask, longest, name_of, typed_in
from ..consequences import foretell
from ..desk import Desk
from ..forms import ORDER_ID, commanded, is_the_same, read
from ..giving import NotOrdered
from ..handles import INCIDENT, page_of
from ..orders import OF_SCOPES, OF_STREAMS, ORDERS, Field
from ..routing import Route, Visit
from ..scopes import foretell_scope

SESSION = "session"
MYSELF = "me"
"""In an address, for whoever follows it: nobody's name is in one."""
_RESTARTED = (
    "The stream started anew while this page was open. What it says now is of the new session: "
    "look, and send it again if it still holds."
)

_ANOTHER = (
    "Another order has this form's id: it was sent before and said something else, or is somebody "
    "else's. What you typed is below, under an id of its own; send it if it holds as well."
)


def routes(desk: Desk) -> list[Route]:
    """The two forms, for streams and for scopes."""

    async def ask_stream(visit: Visit) -> web.Response:
        return ask(desk, visit, _of_stream(desk, visit), _given(visit))

    async def ask_scope(visit: Visit) -> web.Response:
        return ask(desk, visit, _of_scope(desk, visit), _given(visit))

    async def send_stream(visit: Visit) -> web.Response:
        return await _send(desk, visit, _of_stream(desk, visit))

    async def send_scope(visit: Visit) -> web.Response:
        return await _send(desk, visit, _of_scope(desk, visit))

    stream, scope = "/streams/{handle}/act/{command}", "/control/act/{command}"
    return [
        Route("GET", stream, Permission.ACT, ask_stream),
        Route("POST", stream, Permission.ACT, send_stream),
        Route("GET", scope, Permission.CONTROL, ask_scope),
        Route("POST", scope, Permission.CONTROL, send_scope),
    ]


def _of_stream(desk: Desk, visit: Visit) -> Asked:
    command, handle = visit.path("command"), visit.path("handle")
    incident_id = visit.request.query.get(INCIDENT, "")
    subject = desk.subject(handle, incident_id, visit.now)
    if command not in OF_STREAMS or subject is None:
        raise web.HTTPNotFound
    order, page = ORDERS[command], page_of(handle, incident_id)
    action = URL(page_of(f"{handle}/act/{command}", incident_id))
    # What is ordered of what somebody saw is ordered of the session that they saw.
    bound = bool(incident_id) or not order.whatever_session
    foretold = foretell(command, subject, name_of(visit))
    return Asked(order, str(action), page, foretold, subject, bound)


def _of_scope(desk: Desk, visit: Visit) -> Asked:
    command = visit.path("command")
    if command not in OF_SCOPES:
        raise web.HTTPNotFound
    scope = visit.request.query.get(Field.SCOPE, "")
    foretold = foretell_scope(command, scope, desk.held_back())
    return Asked(ORDERS[command], f"/control/act/{command}", "/control", foretold)


def _given(visit: Visit) -> dict[str, str]:
    """What a link filled in. A reason is never: whoever orders says why."""
    query = visit.request.query
    given = {name.value: query[name] for name in (Field.SCOPE, Field.ASSIGNEE) if name in query}
    if given.get(Field.ASSIGNEE) == MYSELF:
        given[Field.ASSIGNEE] = name_of(visit)
    return given


async def _send(desk: Desk, visit: Visit, asked: Asked) -> web.Response:
    typed = await typed_in(visit)
    filled, problems = read(asked.order, typed, visit.now, longest(desk))
    subject = asked.subject
    session_id = subject.session_id if subject is not None and asked.bound else ""
    if asked.bound and typed.get(SESSION) != session_id:
        problems = {**problems, SESSION: _RESTARTED}
    if filled is None or problems:
        return ask(desk, visit, asked, typed, problems=problems, status=422)
    order = commanded(
        asked.order,
        filled,
        name_of(visit),
        visit.now,
        stream_id=subject.stream_id if subject is not None else "",
        session_id=session_id,
    )
    known = desk.read_model.orders.get(filled.order_id).order
    if known is not None and not is_the_same(known.event, order):
        return ask(desk, visit, asked, typed, problems={ORDER_ID: _ANOTHER}, status=409)
    if known is None:
        try:
            await desk.give_order(order)
        except NotOrdered as error:
            return ask(desk, visit, asked, typed, unsent=str(error), status=503)
    raise web.HTTPSeeOther(f"/orders/{filled.order_id}?sent={visit.now}")
