"""Giving an order, and telling what became of it.

What may be filled in and what became of it are ``forms``' and ``fates``' to say, here as on the
pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from uuid import uuid4

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas import CommandAnswered, OperatorCommanded

from ..asking import longest, name_of
from ..bounds import TEXT_CHARACTERS
from ..consequences import REFUSALS
from ..desk import Desk
from ..fates import Fate, fate_of, stop_of
from ..forms import ORDER_ID, REASON, commanded, is_the_same, read
from ..giving import NotOrdered
from ..handles import handle_of
from ..orders import Field, Order
from ..routing import Visit
from .problems import Refused, Wrong, invalid, unavailable
from .views import OrderTold
from .words import OrderId


class OrderAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every order says."""

    reason: Annotated[
        str,
        Meta(min_length=1, max_length=TEXT_CHARACTERS, description="It is on record."),
    ]
    lasts: Annotated[
        str,
        Meta(
            max_length=20,
            description="For how long, such as 30 min, 4 h or 2 days; of those that lapse.",
        ),
    ] = ""
    order_id: OrderId | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Meant:
    """An order, as it was asked for, and what of."""

    order: Order
    asked: OrderAsked
    given: dict[str, str]
    stream_id: str = ""
    session_id: str = ""


async def give(desk: Desk, visit: Visit, meant: Meant) -> OrderTold:
    """Send it, unless it came back already. Raises ``Refused``."""
    event = _read(desk, visit, meant)
    known = desk.read_model.orders.get(event.command_id)
    if known.order is not None:
        if not is_the_same(known.order.event, event):
            raise Refused(HTTPStatus.CONFLICT, "Another order has this id.", "another-order")
        return told(desk, event.command_id, fate_of(known, visit.now, visit.now), visit.now)
    try:
        await desk.give_order(event)
    except NotOrdered as error:
        raise unavailable(f"Nothing was ordered, as far as is known: {error}.") from None
    fate = fate_of(desk.read_model.orders.get(event.command_id), visit.now, visit.now)
    return told(desk, event.command_id, fate, visit.now, event)


def _read(desk: Desk, visit: Visit, meant: Meant) -> OperatorCommanded:
    """The order as it goes out. Raises ``Refused``."""
    asked, order = meant.asked, meant.order
    given = {**meant.given, Field.LASTS.value: asked.lasts}
    wrong = [
        Wrong(f"{order.command} has no {name}.", pointer=f"#/{name}")
        for name, said in given.items()
        if said and name not in order.fields
    ]
    given[REASON] = asked.reason
    given[ORDER_ID] = str(uuid4()) if asked.order_id is UNSET else asked.order_id
    filled, problems = read(order, given, visit.now, longest(desk))
    wrong += [Wrong(what, pointer=f"#/{name}") for name, what in problems.items()]
    if filled is None or wrong:
        raise invalid(wrong)
    return commanded(
        order,
        filled,
        name_of(visit),
        visit.now,
        stream_id=meant.stream_id,
        session_id=meant.session_id,
    )


def told(
    desk: Desk, order_id: str, fate: Fate, now: int, sent: OperatorCommanded | None = None
) -> OrderTold:
    """The order and what became of it; ``sent`` where it has just been sent."""
    order = fate.order or sent
    answer = fate.answer
    said: OperatorCommanded | CommandAnswered | None = order or answer
    if said is None:
        return OrderTold(order_id, fate.phase, fate.final, fate.overdue)
    handle = handle_of(said.stream_id) if said.stream_id else ""
    return OrderTold(
        order_id=order_id,
        phase=fate.phase,
        final=fate.final,
        overdue=fate.overdue,
        command=said.command,
        handle=handle,
        stream_id=said.stream_id,
        session_id=answer.session_id if answer else said.session_id,
        scope=said.scope,
        operator=said.operator,
        reason=said.reason,
        until=order.until or None if order else None,
        assignee=order.assignee if order else "",
        taken_at=fate.taken_at,
        took_effect_at=fate.took_effect_at,
        refusal=answer.refusal if answer else "",
        refusal_told=REFUSALS.get(answer.refusal, answer.refusal) if answer else "",
        state_before=answer.state_before if answer else "",
        state_after=answer.state_after if answer else "",
        incident_id=answer.incident_id if answer else "",
        held_by=answer.held_by if answer else "",
        stop=stop_of(fate, desk.row(handle, now, said.session_id or None)) if handle else None,
    )
