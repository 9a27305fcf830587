"""The files that pages are made of, by exact name: a name is one of a fixed set, never a path.

Those in ``vendor/`` are others' (``deploy/web/install`` puts them there); without them pages are as
current as their last load. Browsers keep all of them and ask each time whether they are still the
same; where they are not, they are sent packed.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from aiohttp import ETag, hdrs, web

from .access.roles import Permission
from .routing import Route, Visit

_FOLDER = Path(__file__).parent
_CONTENT_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def routes() -> list[Route]:
    """Those of ``static/`` and ``vendor/``, read once."""
    return [_serving("static"), _serving("vendor")]


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    packed: bytes
    tag: str
    """Another one where the file is."""
    content_type: str


def _read(path: Path) -> _File:
    body = path.read_bytes()
    # The same bytes each time that a worker starts: the time is not packed in with them.
    packed = gzip.compress(body, mtime=0)
    return _File(body, packed, sha256(body).hexdigest()[:32], _CONTENT_TYPES[path.suffix])


def _serving(folder: str) -> Route:
    there = _FOLDER / folder
    files = {
        path.name: _read(path)
        for path in (sorted(there.iterdir()) if there.is_dir() else ())
        if path.suffix in _CONTENT_TYPES
    }

    async def serve(visit: Visit) -> web.Response:
        found = files.get(visit.path("name"))
        if found is None:
            raise web.HTTPNotFound
        headers = {hdrs.CACHE_CONTROL: "no-cache", hdrs.VARY: hdrs.ACCEPT_ENCODING}
        known = visit.request.if_none_match or ()
        if any(it.value in (found.tag, "*") for it in known):
            answer = web.Response(status=304, headers=headers)
        elif "gzip" in visit.request.headers.get(hdrs.ACCEPT_ENCODING, ""):
            headers[hdrs.CONTENT_ENCODING] = "gzip"
            answer = web.Response(
                body=found.packed, content_type=found.content_type, headers=headers
            )
        else:
            answer = web.Response(body=found.body, content_type=found.content_type, headers=headers)
        # Weak: packed or not, it is the same.
        answer.etag = ETag(found.tag, is_weak=True)
        return answer

    return Route("GET", f"/{folder}/{{name}}", Permission.OPEN, serve)
