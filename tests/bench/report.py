"""The figures of a benchmark as a table for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Figures = Mapping[str, Any]


def table(told: Figures) -> str:
    """Every figure that is there, a line each: its median, and from least to most."""
    rows = [row for name, section in told.items() for row in _rows((name,), section)]
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in rows)


def _rows(path: tuple[str, ...], node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        if {"median", "least", "most"} <= node.keys():
            yield _named(path), f"{node['median']:g}  ({node['least']:g} to {node['most']:g})"
            return
        for key, value in node.items():
            yield from _rows((*path, str(key)), value)
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _rows((*path, str(number)), value)
    elif node is not None:
        yield _named(path), f"{node:g}" if isinstance(node, float) else str(node)


def _named(path: tuple[str, ...]) -> str:
    return " / ".join(path)
