"""The files that pages are made of, by exact name: a name is one of a fixed set, never a path."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from .access.roles import Permission
from .routing import Route, Visit

_FOLDER = Path(__file__).parent
_CONTENT_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def routes() -> list[Route]:
    """Those of ``static/``, read once."""
    files = {
        file.name: (file.read_bytes(), _CONTENT_TYPES[file.suffix])
        for file in sorted((_FOLDER / "static").iterdir())
    }

    async def static(visit: Visit) -> web.Response:
        found = files.get(visit.path("name"))
        if found is None:
            raise web.HTTPNotFound
        body, content_type = found
        return web.Response(body=body, content_type=content_type)

    return [Route("GET", "/static/{name}", Permission.OPEN, static)]
