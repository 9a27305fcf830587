"""What a source is called: its stream id, and the form of its location that may be shown."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from .options import NOTHING_KNOWN, SourceSpec, StreamFacts

_HIDDEN = "***"


def is_url(location: str) -> bool:
    """Whether ``location`` is fetched from elsewhere; ``file:`` URLs are files."""
    scheme, separator, _ = location.partition("://")
    return bool(separator) and scheme.lower() != "file"


def redact(location: str) -> str:
    """``location`` without what may be a secret; files are shown as they are.

    Of a URL the scheme, host, port and first of several path segments stay (in RTMP the
    application). User, password, query and the rest of the path, which may be a stream key, go.
    A URL in which the host can't be told from a password keeps only its scheme.
    """
    if not is_url(location):
        return location
    scheme, _, rest = location.partition("://")
    path_start = min((rest.find(mark) for mark in "/?#" if mark in rest), default=len(rest))
    authority, path = rest[:path_start], rest[path_start:]
    if "@" in path:
        return f"{scheme}://{_HIDDEN}"
    host = authority.rpartition("@")[2]
    segments = path.partition("?")[0].partition("#")[0].strip("/").split("/")
    if segments == [""]:
        return f"{scheme}://{host}"
    shown = segments[:1] if len(segments) > 1 else []
    return "/".join([f"{scheme}://{host}", *shown, _HIDDEN])


def name_sources(
    locations: Sequence[str],
    *,
    stream_id: str | None = None,
    drill: bool = False,
    facts: StreamFacts = NOTHING_KNOWN,
) -> tuple[SourceSpec, ...]:
    """A source for each location, each with a stream id of its own; ``facts`` hold for all.

    Without ``stream_id`` a file gives its name without suffix, and a URL its host and a digest,
    because its path may be a stream key; ``-2``, ``-3``, … tell equal names apart. Raises
    ``ValueError`` where ``stream_id`` is given for more than one location.
    """
    if stream_id is not None:
        if len(locations) != 1:
            raise ValueError(f"one stream id can't name {len(locations)} sources")
        return (SourceSpec(locations[0], stream_id, drill, facts),)
    taken: set[str] = set()
    sources = []
    for location in locations:
        name = candidate = _default_name(location)
        number = 1
        while candidate in taken:
            number += 1
            candidate = f"{name}-{number}"
        taken.add(candidate)
        sources.append(SourceSpec(location, candidate, drill, facts))
    return tuple(sources)


def _default_name(location: str) -> str:
    if is_url(location):
        shown = redact(location).partition("://")[2].partition("/")[0].replace(_HIDDEN, "url")
        return f"{shown or 'url'}-{sha256(location.encode()).hexdigest()[:8]}"
    path = Path(location.removeprefix("file://")).resolve()
    return (path.name if path.is_dir() else path.stem) or "source"
