"""One stream: how it stands, why, on which evidence, what became of it, and what can be done.

What every worker keeps of it is shown at once; its past is read from Kafka while the visitor waits,
for some seconds at most. Where that can't be had the page says so and shows the rest.

Shown is the newest session; or, with ``?incident=ID``, the one that the incident is of, and nothing
of any other: who was paged for it finds what they were paged for, though the stream began anew.
"""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from schemas import RiskAssessed, StreamUpdated

from ..access.roles import Permission
from ..asking import name_of
from ..consequences import newest_session, offers
from ..desk import Desk
from ..evidence import cited, conditions_of, shown
from ..handles import history_of, page_of
from ..past import Past, incident_at, read_past, stream_at
from ..ports import PolicyNow
from ..rendering import html, render
from ..routing import Route, Visit
from ..rows import row_of
from ..takedowns import takedowns_of

_PLOTTER = "uPlot.iife.min.js"
_VENDOR = Path(__file__).parent.parent / "vendor"
_MOMENTS = 400
"""Lines of the timeline, the newest."""


def routes(desk: Desk) -> list[Route]:
    """The page."""
    draws = (_VENDOR / _PLOTTER).is_file()

    async def stream(visit: Visit) -> web.Response:
        found = stream_at(desk, visit)
        incident = incident_at(visit)
        asked = found.session_of(incident)
        past = await read_past(desk, found, visit.now, asked)
        row = row_of(found, visit.now, desk.late_after, past.session.session_id)
        handle = visit.path("handle")
        pictures = cited(past.grounds)
        return html(
            render(
                "stream.html",
                visit,
                desk,
                row=row,
                handle=handle,
                within=lambda path: page_of(f"{handle}{path}", incident if asked else ""),
                history=history_of(handle, incident if asked else ""),
                incident_gone=incident if asked is None else "",
                past=past,
                moments=past.history.moments[-_MOMENTS:],
                moments_left_out=max(len(past.history.moments) - _MOMENTS, 0),
                conditions=conditions_of(row.decision.explanation) if row.decision else [],
                takedowns=takedowns_of(past.events),
                policy=policy_now(desk, past),
                evidence=shown(pictures.values()),
                evidence_in_all=len(pictures),
                veiled_first=desk.sources.viewing.veiled_first,
                offers=offers(newest_session(row), name_of(visit)),
                draws=draws,
            )
        )

    return [Route("GET", "/streams/{handle}", Permission.VIEW, stream)]


def policy_now(desk: Desk, past: Past) -> PolicyNow:
    """What the rules measure by the newest risk, and the news that was read."""
    newest: RiskAssessed | None = max(
        (it for it in past.history.risks if it.session_id == past.session.session_id),
        key=lambda it: it.assessed_at,
        default=None,
    )
    updates = [
        it
        for it in past.history.events
        if isinstance(it, StreamUpdated) and it.session_id == past.session.session_id
    ]
    return desk.sources.rules(past.stream_id, newest, updates)
