"""What orders of all streams would do, before they are given: of scopes, of drills, of redrives.

What follows is ``scopes``', ``drilling``'s and ``redriving``'s to say, here as on the pages.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import Meta

from ..access.roles import Permission
from ..desk import Desk
from ..drilling import foretell_drill
from ..forms import is_scope
from ..graph import SHORT
from ..letters import Letter
from ..orders import DRILL, OF_SCOPES, ORDERS, STOP_DRILL, Field
from ..redriving import MOST_AT_ONCE, NOT_DONE, UNDO, foretell_redrive
from ..scopes import foretell_scope
from .dead_letters import LetterId
from .operations import AnyOperation, Call, NothingAsked, Operation
from .problems import Wrong, invalid, not_found

_DRILLS = {it.command: it for it in (DRILL, STOP_DRILL)}
_COMMANDS = (*OF_SCOPES, *_DRILLS)


class ControlForetoldAsked(msgspec.Struct, frozen=True):
    """An order of all streams that somebody thinks of."""

    command: Annotated[str, Meta(extra_json_schema={"enum": list(_COMMANDS)})]
    scope: Annotated[
        str,
        Meta(
            max_length=100,
            description="all, region:XX (ISO 3166-1 alpha-2) or policy:NAME, of an order that "
            "takes one; without it, each is told of.",
        ),
    ] = ""


class ControlForetold(msgspec.Struct, frozen=True):
    """What it would do. Whoever decides may know more, so it is no promise."""

    command: str
    label: str
    follows: list[str]
    """In sentences, in order."""
    refusal: str
    """Why it is likely to be refused as things stand; empty where it is not."""
    already: str
    """Why it is likely to change nothing; empty where it does."""
    not_done: str
    undo: str


class RedriveForetoldAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which records somebody thinks of putting back."""

    letters: Annotated[list[LetterId], Meta(min_length=1, max_length=MOST_AT_ONCE)]


class RedriveForetold(msgspec.Struct, frozen=True):
    """What it would do, as far as this worker has read."""

    put_back: list[str]
    """The letters whose records would be."""
    left: list[str]
    """Those that were put back before, or failed too often."""
    follows: list[str]
    not_done: str
    undo: str


def operations(desk: Desk) -> list[AnyOperation]:
    """Of scopes and drills, and of redrives."""

    async def control(call: Call[ControlForetoldAsked, None]) -> ControlForetold:
        command, scope = call.asked.command, call.asked.scope
        if command not in _COMMANDS:
            raise not_found("order")
        order = _DRILLS.get(command) or ORDERS[command]
        takes_one = Field.SCOPE in order.fields
        if scope and not (takes_one and is_scope(scope)):
            wrong = "There is no such scope." if takes_one else f"{command} has no scope."
            raise invalid([Wrong(wrong, parameter="scope")])
        if command in _DRILLS:
            would = foretell_drill(desk, order, call.visit.now)
        else:
            would = foretell_scope(command, scope, desk.held_back())
        return ControlForetold(
            command=command,
            label=order.label,
            follows=list(would.follows),
            refusal=would.refusal,
            already=would.already,
            not_done=order.not_done,
            undo=order.undo,
        )

    async def redrive(call: Call[NothingAsked, RedriveForetoldAsked]) -> RedriveForetold:
        known = desk.read_model.letters
        found = [known.get(it) for it in dict.fromkeys(call.body.letters)]
        letters = [it for it in found if it is not None]
        if len(letters) < len(found):
            raise not_found("dead letter")
        put_back = [it for it in letters if it.redrivable]
        return RedriveForetold(
            put_back=_ids(put_back),
            left=_ids([it for it in letters if not it.redrivable]),
            follows=list(foretell_redrive(put_back, SHORT)),
            not_done=NOT_DONE,
            undo=UNDO,
        )

    return [
        Operation(
            "foretellControlOrder",
            "GET",
            "/api/v1/control/orders/{command}",
            Permission.CONTROL,
            "What an order of a scope, or of a drill, would do, before it is given.",
            "control",
            ControlForetold,
            ControlForetoldAsked,
            control,
        ),
        Operation(
            "foretellRedrive",
            "POST",
            "/api/v1/dead-letters/redrive/foretold",
            Permission.CONTROL,
            "What putting records back would do, before it is done.",
            "dead letters",
            RedriveForetold,
            NothingAsked,
            redrive,
            RedriveForetoldAsked,
            refuses=(HTTPStatus.NOT_FOUND,),
        ),
    ]


def _ids(letters: list[Letter]) -> list[str]:
    return [it.event.dead_letter_id for it in letters]
