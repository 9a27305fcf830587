"""An incident as a file that can be handed on, once it is on record who took it and why."""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from ..access.roles import Permission
from ..asking import name_of
from ..bounds import TEXT_CHARACTERS
from ..desk import Desk
from ..forms import REASON, read_reason
from ..ports import Unavailable, Unknown
from ..rendering import html, render
from ..routing import Route, Visit
from ..viewing import Asking, Kind, NotWrittenDown


def routes(desk: Desk) -> list[Route]:
    """The page that asks for a reason, and the file."""

    def asking(
        visit: Visit,
        incident: str,
        typed: str = "",
        *,
        wrong: str = "",
        failed: str = "",
        status: int = 200,
    ) -> web.Response:
        return html(
            render(
                "export.html",
                visit,
                desk,
                incident_id=incident,
                problems={REASON: wrong} if wrong else {},
                failed=failed,
                typed=typed,
                reason_characters=TEXT_CHARACTERS,
            ),
            status,
        )

    async def ask(visit: Visit) -> web.Response:
        return asking(visit, incident_in(visit))

    async def export(visit: Visit) -> web.Response:
        incident = incident_in(visit)
        posted = await visit.request.post()
        typed = {name: value for name, value in posted.items() if isinstance(value, str)}
        reason, wrong = read_reason(typed)
        if wrong:
            return asking(visit, incident, reason, wrong=wrong, status=422)
        try:
            archive = await take_along(desk, visit, incident, reason)
        except Unknown as error:
            return asking(visit, incident, reason, failed=str(error), status=404)
        except Unavailable as error:
            return asking(visit, incident, reason, failed=str(error), status=503)
        except NotWrittenDown as error:
            failed = f"it could not be put on record that you asked for it ({error})"
            return asking(visit, incident, reason, failed=failed, status=503)
        return archived(incident, archive)

    path = "/incidents/{incident_id}/export"
    return [
        Route("GET", path, Permission.EVIDENCE, ask),
        Route("POST", path, Permission.EVIDENCE, export),
    ]


async def take_along(desk: Desk, visit: Visit, incident: str, reason: str) -> bytes:
    """The archive, once it is on record who takes it and why. Raises ``Unknown``, ``Unavailable``
    and ``NotWrittenDown``."""
    exported = await desk.sources.export(incident)
    asking = Asking(name_of(visit), incident, exported.stream_id, reason, visit.now)
    await desk.sources.viewing.write_down(Kind.EXPORT, asking)
    return exported.archive


def archived(incident: str, archive: bytes) -> web.Response:
    """As a file to keep."""
    return web.Response(
        body=archive,
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="incident-{incident}.zip"'},
    )


def incident_in(visit: Visit) -> str:
    """The incident's id as it is written in records: it becomes part of a file's name. Raises
    ``HTTPNotFound`` for what is none."""
    try:
        return str(UUID(visit.path("incident_id")))
    except ValueError:
        raise web.HTTPNotFound(text="That is not an incident's id.") from None
