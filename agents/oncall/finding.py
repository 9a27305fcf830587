"""Streams by what pages call them: no stream's id is in an address. Pure."""

from __future__ import annotations

from hashlib import sha256

from .read_model import ReadModel
from .rows import StreamRow

HANDLE_CHARACTERS = 16


def handle_of(stream_id: str) -> str:
    """What stands for the stream in addresses."""
    return sha256(stream_id.encode(errors="surrogatepass")).hexdigest()[:HANDLE_CHARACTERS]


def find(read_model: ReadModel, handle: str, now: int, late_after: int | None) -> StreamRow | None:
    """The stream that ``handle`` stands for, as it stands at ``now``."""
    rows = read_model.rows(now, None, late_after)
    return next((it for it in rows if handle_of(it.stream_id) == handle), None)
