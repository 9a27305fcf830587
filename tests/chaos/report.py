"""What faults came to, as a table for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_COLUMNS = {
    "fault": "fault",
    "rounds": "rounds",
    "frames_in": "frames",
    "unjudged": "unjudged",
    "effects_expected": "effects",
    "effects_lost": "lost",
    "held_back": "held back",
    "duplicates": "duplicates",
    "judged_again": "judged again",
    "shed": "shed",
    "longest_gap_seconds": "longest wait s",
    "resumed_seconds": "resumed s",
}


def table(faults: Iterable[Mapping[str, Any]]) -> str:
    """A line each."""
    rows = [list(_COLUMNS.values())]
    for told in faults:
        if "skipped" in told:
            rows.append([told["fault"], f"skipped: {told['skipped']}"])
        elif "broken_off" in told:
            rows.append([told["fault"], f"broken off: {told['broken_off']}"])
        else:
            rows.append([_text(told[key]) for key in _COLUMNS])
    widths = [
        max((len(row[number]) for row in rows if len(row) > 2), default=0)
        for number in range(len(_COLUMNS))
    ]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
        for row in rows
    )


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{value['median']:.1f} ({value['least']:.1f} to {value['most']:.1f})"
    return f"{value:.1f}" if isinstance(value, float) else str(value)
