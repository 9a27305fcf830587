"""All operations: their routes, and the document that describes them."""

from __future__ import annotations

from typing import Any

from ..access.roles import Permission
from ..desk import Desk
from ..routing import Route
from . import (
    audit,
    control,
    dead_letters,
    drills,
    evidence,
    exports,
    foretelling,
    health,
    history,
    incidents,
    orders,
    streams,
    topology,
)
from .openapi import document
from .operations import AnyOperation, Call, NothingAsked, Operation
from .serving import route_of
from .waiting import Waiting

OPENAPI = "/api/v1/openapi.json"


def operations(desk: Desk, waiting: Waiting) -> list[AnyOperation]:
    """Every operation, those that another part of the worker serves among them."""
    told: dict[str, Any] = {}

    async def openapi(call: Call[NothingAsked, None]) -> dict[str, Any]:
        return told

    found = [
        *streams.operations(desk),
        *history.operations(desk),
        *evidence.operations(desk),
        *incidents.operations(desk),
        *orders.operations(desk, waiting),
        *control.operations(desk),
        *drills.operations(desk),
        *audit.operations(desk),
        *topology.operations(desk),
        *dead_letters.operations(desk),
        *foretelling.operations(desk),
        *exports.operations(desk),
        *health.OPERATIONS,
        Operation(
            "getOpenApi",
            "GET",
            OPENAPI,
            Permission.VIEW,
            "This document.",
            "worker",
            dict[str, Any],
            NothingAsked,
            openapi,
        ),
    ]
    told.update(document(found))
    return found


def routes(desk: Desk, waiting: Waiting) -> list[Route]:
    """Of what is served here."""
    return [route_of(it) for it in operations(desk, waiting) if it.handle is not None]
