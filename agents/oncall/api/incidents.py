"""Incidents: the queue, and one of them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ..access.roles import Permission
from ..asking import name_of
from ..desk import Desk
from ..incidents import Wanted
from .operations import AnyOperation, Call, Operation
from .problems import not_found
from .views import IncidentsTold, IncidentTold
from .words import OfIncident, Severity

TAG = "incidents"
_HELD_BY_NOBODY = ""


class IncidentsAsked(msgspec.Struct, frozen=True):
    """Which incidents; what is not said does not matter."""

    closed: Annotated[
        bool, Meta(description="Those closed in the last 7 days, instead of the open ones.")
    ] = False
    severity: Severity | UnsetType = UNSET
    held: (
        Annotated[
            Literal["me", "nobody"],
            Meta(description="Who has it in hand; nobody's name is in an address."),
        ]
        | UnsetType
    ) = UNSET
    drill: bool | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=1000)] = 200


def operations(desk: Desk) -> list[AnyOperation]:
    """The queue, and one incident."""

    async def incidents(call: Call[IncidentsAsked, None]) -> IncidentsTold:
        asked, now = call.asked, call.visit.now
        held_by = {"me": name_of(call.visit), "nobody": _HELD_BY_NOBODY}
        wanted = Wanted(
            closed=asked.closed,
            severity="" if asked.severity is UNSET else asked.severity,
            held_by=None if asked.held is UNSET else held_by[asked.held],
            drill=None if asked.drill is UNSET else asked.drill,
        )
        found = desk.read_model.incidents(wanted, now)
        return IncidentsTold(now, len(found), found[: asked.limit])

    async def incident(call: Call[OfIncident, None]) -> IncidentTold:
        now, wanted_id = call.visit.now, call.asked.incident_id
        for closed in (False, True):
            for it in desk.read_model.incidents(Wanted(closed=closed), now):
                row = desk.row(it.handle, now) if it.incident_id == wanted_id else None
                if row is not None:
                    return IncidentTold(now, it, row)
        raise not_found("incident")

    where = "/api/v1/incidents"
    return [
        Operation(
            "listIncidents",
            "GET",
            where,
            Permission.VIEW,
            "Incidents, the most urgent first.",
            TAG,
            IncidentsTold,
            IncidentsAsked,
            incidents,
        ),
        Operation(
            "getIncident",
            "GET",
            f"{where}/{{incident_id}}",
            Permission.VIEW,
            "One incident that is open, or was closed in the last 7 days.",
            TAG,
            IncidentTold,
            OfIncident,
            incident,
        ),
    ]
