"""Drills: starting one, and stopping the one that runs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import uuid4

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ..access.roles import Permission
from ..asking import longest, name_of
from ..bounds import TEXT_CHARACTERS
from ..desk import Desk
from ..drilling import RUNNING, give_drill, hindrance
from ..drills import AlreadyRunning
from ..forms import ORDER_ID, REASON, read
from ..giving import NotOrdered
from ..orders import DRILL, STOP_DRILL, Order
from ..routing import Visit
from .operations import AnyOperation, Call, NothingAsked, Operation
from .problems import Refused, Wrong, invalid, unavailable
from .words import OrderId

TAG = "control"


class DrillAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why. Asked again under the same id, it is one order."""

    reason: Annotated[
        str, Meta(min_length=1, max_length=TEXT_CHARACTERS, description="It is on record.")
    ]
    order_id: OrderId | UnsetType = UNSET


class DrillOrderTold(msgspec.Struct, frozen=True):
    """The order is on record; `/api/v1/control` says when the drill runs, or is over."""

    order_id: str


def operations(desk: Desk) -> list[AnyOperation]:
    """Both orders."""

    async def start(call: Call[NothingAsked, DrillAsked]) -> DrillOrderTold:
        return await _give(desk, call.visit, DRILL, call.body)

    async def stop(call: Call[NothingAsked, DrillAsked]) -> DrillOrderTold:
        return await _give(desk, call.visit, STOP_DRILL, call.body)

    refuses = (HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE)
    return [
        Operation(
            "startDrill",
            "POST",
            "/api/v1/drills",
            Permission.CONTROL,
            "Send a marked stream through production, for two minutes at most.",
            TAG,
            DrillOrderTold,
            NothingAsked,
            start,
            DrillAsked,
            HTTPStatus.ACCEPTED,
            refuses,
        ),
        Operation(
            "stopDrill",
            "POST",
            "/api/v1/drills/stop",
            Permission.CONTROL,
            "Stop the drill that runs.",
            TAG,
            DrillOrderTold,
            NothingAsked,
            stop,
            DrillAsked,
            HTTPStatus.ACCEPTED,
            refuses,
        ),
    ]


async def _give(desk: Desk, visit: Visit, order: Order, asked: DrillAsked) -> DrillOrderTold:
    order_id = str(uuid4()) if asked.order_id is UNSET else asked.order_id
    given = {REASON: asked.reason, ORDER_ID: order_id}
    filled, problems = read(order, given, visit.now, longest(desk))
    if filled is None:
        raise invalid([Wrong(what, pointer=f"#/{name}") for name, what in problems.items()])
    if hindered := hindrance(desk, order, order_id, visit.now):
        raise Refused(HTTPStatus.CONFLICT, hindered, "drill")
    try:
        await give_drill(desk, order, filled, name_of(visit), visit.now)
    except NotOrdered as error:
        raise unavailable(f"Nothing was ordered, as far as is known: {error}.") from None
    except AlreadyRunning:
        raise Refused(HTTPStatus.CONFLICT, RUNNING, "drill") from None
    return DrillOrderTold(order_id)
