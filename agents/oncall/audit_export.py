"""The audit as files: JSON lines for programs, CSV for people with spreadsheets. Pure.

What people typed, and what streams are called, is in it: a cell that a spreadsheet would take for a
formula is made text. Behind the oldest entry it says from when on there is anything, of all kinds
and of those of which there is less.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from datetime import UTC, datetime

import msgspec

from schemas import MICROSECONDS

from .audit import Begins
from .audit_entries import Entry

COLUMNS = tuple(it.name for it in fields(Entry))
BEGINS = "begins"
"""The kind of the lines that say from when on there is anything."""
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_OLDER = "what is older is in the topics, kept for a year"
_LINES = 200
"""In a chunk: so many take a few milliseconds of the event loop that the agents share."""


def json_lines(entries: Iterable[Entry], begins: Iterable[Begins]) -> Iterator[bytes]:
    """Chunks of a file with one JSON object a line, times in RFC 3339."""
    encoder = msgspec.json.Encoder()
    return _chunks(encoder.encode(it) + b"\n" for it in _told(entries, begins))


def csv_lines(entries: Iterable[Entry], begins: Iterable[Begins]) -> Iterator[bytes]:
    """Chunks of a file as RFC 4180 has it, in UTF-8, its first line naming the columns."""
    yield _row(COLUMNS)
    told = _told(entries, begins)
    yield from _chunks(_row(_cell(it[name]) for name in COLUMNS) for it in told)


def _told(entries: Iterable[Entry], begins: Iterable[Begins]) -> Iterator[dict[str, object]]:
    for entry in entries:
        until = _when(entry.until) if entry.until else ""
        yield {**asdict(entry), "at": _when(entry.at), "until": until}
    for it in begins:
        of = f"entries of the kind “{it.kind}”" if it.kind else "the audit"
        blank = dict.fromkeys(COLUMNS, "")
        yield {**blank, "at": _when(it.at), "kind": BEGINS, "what": of, "outcome": _OLDER}


def _when(at: int) -> str:
    try:
        when = datetime.fromtimestamp(at / MICROSECONDS, UTC)
    except (OverflowError, ValueError, OSError):
        return ""
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _cell(value: object) -> str:
    text = ("yes" if value else "") if isinstance(value, bool) else str(value)
    # An apostrophe first is how spreadsheets are told that what follows is text.
    return f"'{text}" if text.lstrip().startswith(_FORMULAS) or text[:1] in _FORMULAS else text


def _row(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode(errors="replace")


def _chunks(lines: Iterable[bytes]) -> Iterator[bytes]:
    gathered: list[bytes] = []
    for line in lines:
        gathered.append(line)
        if len(gathered) == _LINES:
            yield b"".join(gathered)
            gathered.clear()
    yield b"".join(gathered)
