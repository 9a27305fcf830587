"""Giving an order: what it will do, then why, then it is sent. Of a stream or of a scope.

``GET`` says what the order would do and asks for a reason; ``POST`` sends it and leads to the page
that says what became of it. The order's id is made with the form: sent twice, it is one order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

from aiohttp import web

from ..access.roles import Permission
from ..bounds import TEXT_CHARACTERS
from ..consequences import Foretold, foretell
from ..desk import Desk
from ..finding import find, handle_of
from ..forms import ORDER_ID, Problems, commanded, offered, read
from ..giving import NotOrdered
from ..orders import OF_SCOPES, OF_STREAMS, ORDERS, Field, Order
from ..rendering import html, render
from ..routing import Route, Visit
from ..rows import StreamRow

SESSION = "session"
_LONGEST = 7 * 24 * 3600 * 1_000_000
"""Microseconds; where this worker knows no policy."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody is about to order, and of what."""

    order: Order
    action: str
    """Where the form goes."""
    back: str
    """Where somebody goes who changes their mind."""
    row: StreamRow | None = None
    """The stream; none where it is of a scope."""


def routes(desk: Desk) -> list[Route]:
    """The two forms, for streams and for scopes."""

    def of_stream(visit: Visit) -> Asked:
        command, handle = visit.path("command"), visit.path("handle")
        row = find(desk.read_model, handle, visit.now, desk.late_after)
        if command not in OF_STREAMS or row is None:
            raise web.HTTPNotFound
        name = handle_of(row.stream_id)
        return Asked(ORDERS[command], f"/streams/{name}/act/{command}", f"/streams/{name}", row)

    def of_scope(visit: Visit) -> Asked:
        command = visit.path("command")
        if command not in OF_SCOPES:
            raise web.HTTPNotFound
        return Asked(ORDERS[command], f"/control/act/{command}", "/control")

    async def ask_stream(visit: Visit) -> web.Response:
        return _asking(desk, visit, of_stream(visit), {})

    async def ask_scope(visit: Visit) -> web.Response:
        scope = visit.request.query.get(Field.SCOPE, "")
        return _asking(desk, visit, of_scope(visit), {Field.SCOPE: scope})

    async def send_stream(visit: Visit) -> web.Response:
        return await _sending(desk, visit, of_stream(visit))

    async def send_scope(visit: Visit) -> web.Response:
        return await _sending(desk, visit, of_scope(visit))

    stream, scope = "/streams/{handle}/act/{command}", "/control/act/{command}"
    return [
        Route("GET", stream, Permission.ACT, ask_stream),
        Route("POST", stream, Permission.ACT, send_stream),
        Route("GET", scope, Permission.CONTROL, ask_scope),
        Route("POST", scope, Permission.CONTROL, send_scope),
    ]


def _asking(
    desk: Desk,
    visit: Visit,
    asked: Asked,
    typed: Mapping[str, str],
    *,
    problems: Problems | None = None,
    unsent: str = "",
    status: int = 200,
) -> web.Response:
    """The form, with what was typed and what is wrong with it, if anything is."""
    typed = {ORDER_ID: str(uuid4()), **typed}
    return html(
        render(
            "act.html",
            visit,
            desk,
            order=asked.order,
            asked=asked,
            foretold=_foretold(visit, asked),
            typed=typed,
            problems=problems or {},
            unsent=unsent,
            lasting=list(offered(_longest(desk))),
            reason_characters=TEXT_CHARACTERS,
        ),
        status,
    )


async def _sending(desk: Desk, visit: Visit, asked: Asked) -> web.Response:
    posted = await visit.request.post()
    typed = {name: value for name, value in posted.items() if isinstance(value, str)}
    filled, problems = read(asked.order, typed, visit.now, _longest(desk))
    if ORDER_ID in problems:
        typed.pop(ORDER_ID, None)
    row = asked.row
    seen_only = row is not None and not asked.order.whatever_session
    if seen_only and row is not None and typed.get(SESSION) != row.session_id:
        problems = {**problems, SESSION: _RESTARTED}
    if filled is None or problems:
        return _asking(desk, visit, asked, typed, problems=problems, status=422)
    order = commanded(
        asked.order,
        filled,
        visit.person.name if visit.person is not None else "",
        visit.now,
        stream_id=row.stream_id if row is not None else "",
        session_id=row.session_id if seen_only and row is not None else "",
    )
    if desk.read_model.orders.get(filled.order_id).order is None:
        try:
            await desk.give_order(order)
        except NotOrdered as error:
            return _asking(desk, visit, asked, typed, unsent=str(error), status=503)
    raise web.HTTPSeeOther(f"/orders/{filled.order_id}?sent={visit.now}")


_RESTARTED = (
    "The stream started anew while this page was open. What it says now is of the new session: "
    "look, and send it again if it still holds."
)


def _foretold(visit: Visit, asked: Asked) -> Foretold:
    if asked.row is None:
        return Foretold((asked.order.does,))
    person = visit.person.name if visit.person is not None else ""
    return foretell(asked.order.command, asked.row, person)


def _longest(desk: Desk) -> int:
    policy = desk.live_policy
    return _LONGEST if policy is None else policy.longest
