"""Files to take along: an incident, once it is on record who took it and why, and the audit."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from ..access.roles import Permission
from ..audit_export import csv_lines, json_lines
from ..bounds import TEXT_CHARACTERS
from ..desk import Desk
from ..forms import read_reason
from ..pages.audit import MOST_EXPORTED, sent
from ..pages.export import archived, incident_in, take_along
from ..ports import Unavailable, Unknown
from ..viewing import NotWrittenDown
from .audit import AuditChosen, Who, search_of
from .operations import AnyOperation, Call, NothingAsked, Operation
from .problems import Wrong, invalid, not_found, unavailable
from .words import OfIncident

_KINDS = {
    "jsonl": ("audit.jsonl", "application/jsonl", json_lines),
    "csv": ("audit.csv", "text/csv", csv_lines),
}


class IncidentExportAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=TEXT_CHARACTERS,
            description="It is on record with your name, before the file is given out.",
        ),
    ]


class AuditExportAsked(AuditChosen, frozen=True, forbid_unknown_fields=True):
    """Which entries, all of them in one file, and as what."""

    who: Who = ""
    format: Literal["jsonl", "csv"] = "jsonl"


def operations(desk: Desk) -> list[AnyOperation]:
    """Both files."""

    async def incident(call: Call[OfIncident, IncidentExportAsked]) -> web.StreamResponse:
        reason, wrong = read_reason({"reason": call.body.reason})
        if wrong:
            raise invalid([Wrong(wrong, pointer="#/reason")])
        incident_id = incident_in(call.visit)
        try:
            archive = await take_along(desk, call.visit, incident_id, reason)
        except Unknown:
            raise not_found("incident") from None
        except Unavailable as error:
            raise unavailable(str(error)) from None
        except NotWrittenDown as error:
            raise unavailable(
                f"Nothing was exported: it could not be put on record that you asked ({error})."
            ) from None
        return archived(incident_id, archive)

    async def audit(call: Call[NothingAsked, AuditExportAsked]) -> web.StreamResponse:
        name, content_type, lines = _KINDS[call.body.format]
        search = search_of(call.body, call.body.who, per_page=MOST_EXPORTED)
        found = desk.read_model.audit.search(search, call.visit.now)
        return await sent(call.visit, lines(found.entries, found.begins), name, content_type)

    return [
        Operation(
            "exportIncident",
            "POST",
            "/api/v1/incidents/{incident_id}/export",
            Permission.EVIDENCE,
            "All that is on record of an incident, with its frames, as a zip archive.",
            "incidents",
            None,
            OfIncident,
            incident,
            IncidentExportAsked,
            refuses=(HTTPStatus.SERVICE_UNAVAILABLE,),
            media=("application/zip",),
        ),
        Operation(
            "exportAudit",
            "POST",
            "/api/v1/audit/export",
            Permission.VIEW,
            "The audit as a file, one entry a line.",
            "audit",
            None,
            NothingAsked,
            audit,
            AuditExportAsked,
            media=tuple(content_type for _, content_type, _ in _KINDS.values()),
        ),
    ]
