"""Orders: what one would do, giving it, and what became of it.

What may be filled in, what follows and what became of it are ``forms``', ``consequences``' and
``fates``' to say, here as on the pages. An order's id is made by whoever orders: asked again under
the same id, it is one order.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas import MICROSECONDS

from ..access.roles import Permission
from ..asking import name_of
from ..bounds import TEXT_CHARACTERS
from ..consequences import Subject, foretell
from ..desk import Desk
from ..fates import fate_of
from ..forms import NAME_CHARACTERS
from ..orders import OF_SCOPES, OF_STREAMS, ORDERS, Field, Order
from ..routing import Visit
from .operations import AnyOperation, Call, NothingAsked, Operation
from .ordering import Meant, OrderAsked, give, told
from .problems import Refused, Wrong, invalid, not_found
from .views import ForetoldTold, OrderTold
from .waiting import Waiting
from .words import Handle, IncidentId, OfStream, OrderId

TAG = "orders"
LONGEST_WAIT = 30
_SCOPE = "all"
_NOT_TAKEN = (HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE)


class StreamOrderAsked(OrderAsked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order of a stream."""

    command: Annotated[str, Meta(extra_json_schema={"enum": list(OF_STREAMS)})]
    assignee: Annotated[
        str, Meta(max_length=NAME_CHARACTERS, description="Whom to assign it to; empty for nobody.")
    ] = ""
    incident_id: (
        Annotated[
            IncidentId,
            Meta(description="Which of its incidents is meant, where it is not the newest."),
        ]
        | UnsetType
    ) = UNSET
    session_id: (
        Annotated[
            str,
            Meta(
                max_length=TEXT_CHARACTERS,
                description="What was looked at: nothing is ordered if the stream has another by "
                "now. Without it, a takedown is of the stream, whatever its session.",
            ),
        ]
        | UnsetType
    ) = UNSET


class ScopeOrderAsked(OrderAsked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order of all streams, a region's or a policy's."""

    command: Annotated[str, Meta(extra_json_schema={"enum": list(OF_SCOPES)})]
    scope: Annotated[
        str, Meta(max_length=100, description="all, region:XX (ISO 3166-1 alpha-2) or policy:NAME.")
    ] = _SCOPE


class ForetoldAsked(msgspec.Struct, frozen=True):
    """An order of a stream that somebody thinks of."""

    handle: Handle
    command: Annotated[str, Meta(extra_json_schema={"enum": list(OF_STREAMS)})]
    incident_id: IncidentId | UnsetType = UNSET


class OfOrder(msgspec.Struct, frozen=True):
    """One order."""

    order_id: OrderId
    wait: Annotated[
        int,
        Meta(
            ge=0, le=LONGEST_WAIT, description="Seconds to wait until nothing more becomes of it."
        ),
    ] = 0


def operations(desk: Desk, waiting: Waiting) -> list[AnyOperation]:
    """Foretelling, ordering of a stream and of a scope, and what became of it."""

    async def foretold(call: Call[ForetoldAsked, None]) -> ForetoldTold:
        asked, visit = call.asked, call.visit
        if asked.command not in OF_STREAMS:
            raise not_found("order")
        order = ORDERS[asked.command]
        of = _subject(desk, visit, asked.handle, asked.incident_id)
        would = foretell(asked.command, of, name_of(visit))
        return ForetoldTold(
            command=asked.command,
            label=order.label,
            follows=list(would.follows),
            refusal=would.refusal,
            not_done=order.not_done,
            undo=order.undo,
            session_id=of.session_id,
            state=of.state,
            held_by=of.held_by,
        )

    async def of_stream(call: Call[OfStream, StreamOrderAsked]) -> OrderTold:
        asked = call.body
        order = _known(asked.command, OF_STREAMS)
        of = _subject(desk, call.visit, call.asked.handle, asked.incident_id)
        said = asked.incident_id is not UNSET or asked.session_id is not UNSET
        bound = said or not order.whatever_session
        if bound and asked.session_id not in (UNSET, of.session_id):
            raise Refused(
                HTTPStatus.CONFLICT,
                "The stream has another session by now. Look, and order it again if it still "
                "holds.",
                "another-session",
            )
        given = {Field.ASSIGNEE.value: asked.assignee}
        session_id = of.session_id if bound else ""
        return await give(desk, call.visit, Meant(order, asked, given, of.stream_id, session_id))

    async def of_scope(call: Call[NothingAsked, ScopeOrderAsked]) -> OrderTold:
        asked = call.body
        order = _known(asked.command, OF_SCOPES)
        # All is what an order is of that asks for no scope: there is one breaker.
        said = asked.scope if Field.SCOPE in order.fields or asked.scope != _SCOPE else ""
        return await give(desk, call.visit, Meant(order, asked, {Field.SCOPE.value: said}))

    async def order(call: Call[OfOrder, None]) -> OrderTold:
        known = desk.read_model.orders
        order_id, now = call.asked.order_id, call.visit.now

        def is_final() -> bool:
            return fate_of(known.get(order_id), None, now).final

        waited = await waiting.until(is_final, call.asked.wait)
        later = now + round(waited * MICROSECONDS)
        return told(desk, order_id, fate_of(known.get(order_id), None, later), later)

    return [
        Operation(
            "foretellStreamOrder",
            "GET",
            "/api/v1/streams/{handle}/orders/{command}",
            Permission.ACT,
            "What an order of a stream would do, before it is given.",
            TAG,
            ForetoldTold,
            ForetoldAsked,
            foretold,
        ),
        Operation(
            "orderStream",
            "POST",
            "/api/v1/streams/{handle}/orders",
            Permission.ACT,
            "Order something of a stream, or of an incident of it.",
            TAG,
            OrderTold,
            OfStream,
            of_stream,
            StreamOrderAsked,
            HTTPStatus.ACCEPTED,
            _NOT_TAKEN,
        ),
        Operation(
            "orderScope",
            "POST",
            "/api/v1/orders",
            Permission.CONTROL,
            "Order something of all streams, of a region's or of a policy's.",
            TAG,
            OrderTold,
            NothingAsked,
            of_scope,
            ScopeOrderAsked,
            HTTPStatus.ACCEPTED,
            _NOT_TAKEN,
        ),
        Operation(
            "getOrder",
            "GET",
            "/api/v1/orders/{order_id}",
            Permission.VIEW,
            "What became of an order, as far as it came back from Kafka.",
            TAG,
            OrderTold,
            OfOrder,
            order,
        ),
    ]


def _known(command: str, known: tuple[str, ...]) -> Order:
    if command not in known:
        raise invalid([Wrong(f"The command is one of {', '.join(known)}.", pointer="#/command")])
    return ORDERS[command]


def _subject(desk: Desk, visit: Visit, handle: str, incident_id: str | UnsetType) -> Subject:
    found = desk.subject(handle, "" if incident_id is UNSET else incident_id, visit.now)
    if found is None:
        raise not_found("stream" if incident_id is UNSET else "incident of the stream")
    return found
