"""Who did what, when, why, and what came of it: people, services and the policy. Pure.

Nothing in it is ever changed or taken out but the oldest, to bound memory; the topics have all of
it for a year. An order and what became of it are one entry.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from schemas import Event

from .audit_entries import Entry, entry_of, ordered
from .fates import KnownOrders

MOST_ENTRIES = 20_000
MOST_PER_PAGE = 1_000
PER_PAGE = 50
_DROPPED_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Search:
    """Which entries; what is not said does not matter. ``page`` counts from 1."""

    kind: str = ""
    who: str = ""
    what: str = ""
    handle: str = ""
    since: int = 0
    """Inclusive."""
    until: int | None = None
    """Exclusive."""
    page: int = 1
    per_page: int = PER_PAGE


@dataclass(frozen=True, slots=True)
class Found:
    """A page of entries, newest first."""

    entries: list[Entry]
    total: int
    dropped: int
    """How many were too old to be kept, of all."""
    page: int
    pages: int


class Audit:
    """Keeps the newest ``most`` entries, and the orders that ``orders`` knows."""

    def __init__(self, orders: KnownOrders, most: int = MOST_ENTRIES) -> None:
        self._orders = orders
        self._most = most
        self._entries: dict[tuple[str, str], Entry] = {}
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._entries)

    def apply(self, event: Event, at: int) -> None:
        """Take in ``event``, which Kafka had ``at``; what nobody did by it changes nothing."""
        entry = entry_of(event, at)
        if entry is None:
            return
        key = (entry.kind, entry.id)
        known = self._entries.get(key)
        # The same record may come again: when it first came is when it was done.
        if known is None or entry.at < known.at:
            self._entries[key] = entry
        if len(self._entries) > self._most:
            self._drop()

    def search(self, search: Search) -> Found:
        """The page that is asked for; a page behind the last is the last."""
        found = [it for it in self._all() if _is_asked_for(it, search)]
        pages = max(-(-len(found) // search.per_page), 1)
        page = min(max(search.page, 1), pages)
        first = (page - 1) * search.per_page
        newest = heapq.nlargest(first + search.per_page, found, key=_age)[first:]
        return Found(newest, len(found), self._dropped + self._orders.dropped, page, pages)

    def _all(self) -> Iterator[Entry]:
        yield from self._entries.values()
        for known in self._orders:
            found = (known.order, known.answer)
            at, said = min((it for it in found if it), key=lambda it: it.at)
            yield ordered(said, known.answer.event if known.answer else None, at)

    def _drop(self) -> None:
        """Some at once, so that not all are looked through for each new one."""
        excess = len(self) - self._most + self._most // _DROPPED_AT_ONCE
        for entry in heapq.nsmallest(excess, self._entries.values(), key=_age):
            del self._entries[entry.kind, entry.id]
            self._dropped += 1


def _age(entry: Entry) -> tuple[int, str, str]:
    return entry.at, entry.kind, entry.id


def _is_asked_for(it: Entry, search: Search) -> bool:
    return (
        search.kind in ("", it.kind)
        and search.who in ("", it.who)
        and search.what in ("", it.what)
        and search.handle in ("", it.handle)
        and it.at >= search.since
        and (search.until is None or it.at < search.until)
    )
