"""What faults came to, as a table for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_COLUMNS = {
    "fault": "fault",
    "holds": "holds",
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
    "longest_stall_seconds": "longest stall s",
    "taken_down_after_seconds": "taken down after s",
    "resumed_seconds": "resumed s",
    "revision": "revision",
    "ran_at": "ran at",
}


def table(faults: Iterable[Mapping[str, Any]]) -> str:
    """A line each, and then what was skipped, broken off or did not hold, and why."""
    rows, notes = [list(_COLUMNS.values())], []
    for told in faults:
        rows.append([_text(_holds(told) if key == "holds" else told.get(key)) for key in _COLUMNS])
        if "skipped" in told:
            notes.append(f"{told['fault']} was skipped, and nothing is known: {told['skipped']}")
        elif "broken_off" in told:
            asked = told.get("rounds_asked", told["rounds"])
            notes.append(
                f"{told['fault']} was broken off in round {min(told['rounds'] + 1, asked)} of"
                f" {asked}: {told['broken_off']}"
            )
        if told.get("not_held"):
            notes.append(f"{told['fault']} does not hold: not {', not '.join(told['not_held'])}")
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, *notes])


def _holds(told: Mapping[str, Any]) -> str:
    if "skipped" in told:
        return "skipped"
    if "broken_off" in told:
        return "broken off"
    return "yes" if told.get("holds") else "NO"


def _text(value: object) -> str:
    """A dash where nothing is known."""
    if isinstance(value, Mapping):
        return f"{value['median']:.1f} ({value['least']:.1f} to {value['most']:.1f})"
    if value is None:
        return "–"
    return f"{value:.1f}" if isinstance(value, float) else str(value)
