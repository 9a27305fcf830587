"""Audit: who did what, when, why, and what came of it; to be searched, and to be taken along.

Who is searched for is a name, so it comes in the body of a form and not in an address.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

from aiohttp import web

from schemas import MICROSECONDS

from ..access.roles import Permission
from ..asking import typed_in
from ..audit import Begins, Search
from ..audit_entries import Entry, Kind
from ..audit_export import csv_lines, json_lines
from ..desk import Desk
from ..rendering import html, render
from ..routing import Route, Visit
from .orders import order_at

_MOST_PAGES = 100_000
MOST_EXPORTED = 1_000_000
"""More than the audit keeps."""
_TEXT_CHARACTERS = 200
Lines = Callable[[Iterable[Entry], Iterable[Begins]], Iterator[bytes]]


def routes(desk: Desk) -> list[Route]:
    """The page, and the same as files."""

    async def audit(visit: Visit) -> web.Response:
        typed = await typed_in(visit) if visit.request.method == "POST" else {}
        asked = {**visit.request.query, **typed}
        return html(
            render(
                "audit.html",
                visit,
                desk,
                found=desk.read_model.audit.search(
                    replace(_search(asked), as_groups=True), visit.now
                ),
                asked={name: asked.get(name, "") for name in _ASKED},
                is_asked=any(asked.get(name) for name in _ASKED),
                order_at=order_at,
                KINDS=list(Kind),
            )
        )

    def exporting(name: str, content_type: str, lines: Lines) -> Route:
        async def export(visit: Visit) -> web.StreamResponse:
            search = replace(_search(await typed_in(visit)), page=1, per_page=MOST_EXPORTED)
            found = desk.read_model.audit.search(search, visit.now)
            return await sent(visit, lines(found.entries, found.begins), name, content_type)

        return Route("POST", f"/{name}", Permission.VIEW, export)

    return [
        Route("GET", "/audit", Permission.VIEW, audit),
        Route("POST", "/audit", Permission.VIEW, audit),
        exporting("audit.jsonl", "application/jsonl", json_lines),
        exporting("audit.csv", "text/csv", csv_lines),
    ]


_ASKED = ("kind", "who", "what", "stream", "since", "until")


async def sent(
    visit: Visit, chunks: Iterator[bytes], name: str, content_type: str
) -> web.StreamResponse:
    """As a file to keep, chunk by chunk: the agents' event loop is not held up."""
    response = web.StreamResponse(
        headers={
            "Content-Type": f"{content_type}; charset=utf-8",
            "Content-Disposition": f'attachment; filename="firebreak-{name}"',
        }
    )
    await response.prepare(visit.request)
    for chunk in chunks:
        await response.write(chunk)
        await asyncio.sleep(0)
    await response.write_eof()
    return response


def _search(asked: Mapping[str, str]) -> Search:
    """What is not understood is as if it was not said: a page has something to show anyway."""
    kind, page = asked.get("kind", ""), asked.get("page", "")
    since, until = _day(asked.get("since", "")), _day(asked.get("until", ""))
    return Search(
        kind=kind if kind in set(Kind) else "",
        who=asked.get("who", "")[:_TEXT_CHARACTERS].strip(),
        what=asked.get("what", "")[:_TEXT_CHARACTERS].strip(),
        handle=asked.get("stream", "")[:_TEXT_CHARACTERS].strip(),
        since=0 if since is None else _midnight(since),
        until=None if until is None else _midnight(until) + 24 * 3600 * MICROSECONDS,
        page=min(int(page), _MOST_PAGES) if page.isascii() and page.isdigit() else 1,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _midnight(day: date) -> int:
    """When ``day`` begins, UTC, in microseconds since the epoch."""
    began = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int(began.timestamp()) * MICROSECONDS
