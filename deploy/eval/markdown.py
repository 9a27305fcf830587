"""Figures as Markdown: tables, and values with their intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

NONE = "–"


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """A table and the empty line after it."""
    cells = [headings, ["---"] * len(headings), *rows]
    return [*(f"| {' | '.join(str(cell) for cell in row)} |" for row in cells), ""]


def value(one: Mapping[str, Any], key: str) -> str:
    """The figure ``key`` of ``one`` with its interval, if it was measured."""
    if one.get(key) is None:
        return NONE
    low, high = one[f"{key}_ci95"]
    return f"{one[key]:.3f} ({low:.3f} to {high:.3f})"


def share(one: Mapping[str, Any], suffix: str = "") -> str:
    """The rate of ``one`` in percent with its interval."""
    low, high = one[f"ci95{suffix}"]
    return f"{one[f'rate{suffix}']:.2%} ({low:.2%} to {high:.2%})"


def rate(one: Mapping[str, Any], what: str) -> str:
    """Events of ``what`` in 1,000 hours with their interval."""
    low, high = one[f"{what}_per_1000_hours_ci95"]
    return f"{one[f'{what}_per_1000_hours']:,.1f} ({low:,.1f} to {high:,.1f})"


def seconds(found: float | None) -> str:
    return NONE if found is None else f"{found:.1f} s"
