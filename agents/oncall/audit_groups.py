"""Entries as people read them: what is one deed to them is one row. Pure.

A page of pictures is a dozen looks, and an order to redrive a hundred records: each is an entry,
and on its own in what is exported.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace

from schemas import MICROSECONDS

from .audit_entries import Entry, Kind

_MINUTE = 60 * MICROSECONDS


def grouped(entries: Iterable[Entry]) -> list[Entry]:
    """One row for the looks of a person at a stream within a minute, and for what an order put
    back; each as of its newest entry."""
    rows: list[Entry] = []
    groups: dict[Hashable, list[Entry]] = {}
    for entry in entries:
        key = _key(entry)
        if key is None:
            rows.append(entry)
        else:
            groups.setdefault(key, []).append(entry)
    return rows + [_row(group) for group in groups.values()]


def _key(it: Entry) -> Hashable | None:
    """What entries of one row have alike; ``None`` for a row of its own."""
    if it.kind is Kind.EVIDENCE and it.stream_id:
        return it.who, it.what, it.why, it.stream_id, it.incident_id, it.at // _MINUTE
    if it.kind is Kind.REDRIVE:
        return it.who, it.why, it.order_id or it.at // _MINUTE
    return None


def _row(group: list[Entry]) -> Entry:
    if len(group) == 1:
        return group[0]
    newest = max(group, key=lambda it: (it.at, it.id))
    return replace(newest, outcome=f"{newest.outcome}, and {len(group) - 1} more")
