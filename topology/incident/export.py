"""From an incident's records to the files of its folder. Reads and writes nothing by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from schemas import FrameSampled

from .criteria import criteria
from .evidence import Cited, Coordinates, Frame, files_of
from .pages import referral_page, timeline_page
from .records import IncidentRecord
from .referral import referral
from .timeline import timeline


def files_of_incident(
    record: IncidentRecord,
    wanted: tuple[Cited, ...],
    found: Mapping[Coordinates, FrameSampled | str],
) -> tuple[tuple[Frame, ...], dict[str, bytes]]:
    """The evidence, and all files but the manifest by their names.

    ``wanted`` are the frames that are pointed at, and ``found`` what became of each.
    """
    frames, files = files_of(wanted, found)
    referred = referral(record, frames)
    files |= {
        "timeline.json": _json(timeline(record)),
        "timeline.html": timeline_page(record, frames).encode(),
        "evidence.json": _json(msgspec.to_builtins(frames)),
        "criteria.json": _json(criteria(record)),
        "referral.json": _json(referred),
        "referral.html": referral_page(referred).encode(),
    }
    return frames, files


def _json(value: Any) -> bytes:
    """ASCII alone: marks that turn the direction of writing are spelled out."""
    return (json.dumps(value, indent=2) + "\n").encode()
