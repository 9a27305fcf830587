"""What became of an order: the page that somebody who gave one is led to."""

from __future__ import annotations

from aiohttp import web

from ..access.roles import Permission
from ..audit_entries import Entry, Kind
from ..consequences import REFUSALS
from ..desk import Desk
from ..fates import fate_of, stop_of
from ..forms import is_order_id
from ..handles import handle_of, page_of
from ..orders import ORDERS
from ..rendering import html, render
from ..routing import Route, Visit
from ..rows import StreamRow

_DIGITS = 17
"""Of a time in microseconds, until long after all of us."""


def routes(desk: Desk) -> list[Route]:
    """The page."""

    async def order(visit: Visit) -> web.Response:
        order_id = visit.path("order")
        if not is_order_id(order_id):
            raise web.HTTPNotFound
        sent_at = _sent_at(visit)
        fate = fate_of(desk.read_model.orders.get(order_id), sent_at, visit.now)
        told = fate.order or fate.answer
        handle = handle_of(told.stream_id) if told is not None and told.stream_id else ""
        found = fate.answer or told
        row = desk.row(handle, visit.now, (found.session_id or None) if found else None)
        return html(
            render(
                "order.html",
                visit,
                desk,
                order_id=order_id,
                sent_at=sent_at,
                fate=fate,
                told=told,
                order=ORDERS.get(told.command) if told is not None else None,
                refusals=REFUSALS,
                stop=stop_of(fate, row),
                row=row,
                page_of_stream=_page(handle, row),
            )
        )

    return [Route("GET", "/orders/{order}", Permission.VIEW, order)]


def order_at(entry: Entry) -> str:
    """The address of the page of the order that ``entry`` is, or is of; empty where it has none."""
    if not is_order_id(entry.order_id):
        return ""
    match entry.kind:
        case Kind.ORDER:
            return f"/orders/{entry.order_id}"
        case Kind.REDRIVE:
            return f"/topology/redrives/{entry.order_id}"
    return ""


def _page(handle: str, row: StreamRow | None) -> str:
    """Of the stream, as it was when it was ordered of; empty where it was of none."""
    if not handle:
        return ""
    return page_of(handle, row.incident_id if row is not None and not row.newest else "")


def _sent_at(visit: Visit) -> int | None:
    """When this view sent it, as the address says; it says so on no other's word."""
    text = visit.request.query.get("sent", "")
    given = int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else None
    return given if given is None or given <= visit.now else None
