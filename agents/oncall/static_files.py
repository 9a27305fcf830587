"""The files that pages are made of, by exact name: a name is one of a fixed set, never a path.

Those in ``vendor/`` are others' (``deploy/web/install`` puts them there); without them pages are as
current as their last load.
"""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from .access.roles import Permission
from .routing import Route, Visit

_FOLDER = Path(__file__).parent
_CONTENT_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def routes() -> list[Route]:
    """Those of ``static/`` and ``vendor/``, read once."""
    return [_serving("static"), _serving("vendor")]


def _serving(folder: str) -> Route:
    there = _FOLDER / folder
    files = {
        file.name: (file.read_bytes(), _CONTENT_TYPES[file.suffix])
        for file in (sorted(there.iterdir()) if there.is_dir() else ())
        if file.suffix in _CONTENT_TYPES
    }

    async def serve(visit: Visit) -> web.Response:
        found = files.get(visit.path("name"))
        if found is None:
            raise web.HTTPNotFound
        body, content_type = found
        return web.Response(body=body, content_type=content_type)

    return Route("GET", f"/{folder}/{{name}}", Permission.OPEN, serve)
