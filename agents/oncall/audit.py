"""Who did what, when, why, and what came of it: people, services and the policy. Pure.

It goes back 7 days, on every worker: what is older is in the topics, which keep it for a year.
Within that nothing is changed or taken out but the oldest of a kind that there are too many of, to
bound memory: looks at pictures push out no decisions. An order and what became of it are one entry.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

from schemas import MICROSECONDS, Event

from .audit_entries import Entry, Kind, entry_of, ordered
from .audit_groups import grouped
from .drill_marks import DrillMarks
from .fates import KnownOrders

GOES_BACK = 7 * 24 * 3600 * MICROSECONDS
"""As long as incidents stay open and people's orders hold under the default policy."""
MOST_OF_A_KIND = 10_000
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
    as_groups: bool = False
    """One row for what is one deed to people (``audit_groups``)."""


@dataclass(frozen=True, slots=True)
class Begins:
    """From when on the audit has what was done: all of it, or all of a kind."""

    at: int
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of entries, newest first."""

    entries: list[Entry]
    total: int
    dropped: int
    """How many were too many to be kept, of all."""
    page: int
    pages: int
    begins: tuple[Begins, ...]
    """Of all kinds first, then of those of which there is less."""


class Audit:
    """Keeps the newest ``most`` entries of each kind, and the orders that ``orders`` knows."""

    def __init__(self, orders: KnownOrders, most: int = MOST_OF_A_KIND) -> None:
        self._orders = orders
        self._most = most
        self._entries: dict[Kind, dict[str, Entry]] = {kind: {} for kind in Kind}
        self._dropped = 0
        self._dropped_until: dict[Kind, int] = {}
        self._changes_since: int | None = None
        self._drills = DrillMarks()

    def __len__(self) -> int:
        return sum(map(len, self._entries.values()))

    def apply(self, event: Event, at: int) -> None:
        """Take in ``event``, which Kafka had ``at``; what nobody did by it changes nothing."""
        self._drills.take(event)
        entry = entry_of(event, at)
        if entry is not None:
            self._note(entry)

    def note_changes(self, entries: Iterable[Entry], at: int) -> None:
        """Take in what changed by a worker's report, which Kafka had ``at``. Reports are kept for
        hours and read for minutes: there is nothing before the first."""
        if self._changes_since is None or at < self._changes_since:
            self._changes_since = at
        for entry in entries:
            self._note(entry)

    def search(self, search: Search, now: int) -> Found:
        """The page that is asked for; a page behind the last is the last."""
        since = max(search.since, now - GOES_BACK)
        found = [it for it in self._all() if it.at >= since and _is_asked_for(it, search)]
        if search.as_groups:
            found = grouped(found)
        pages = max(-(-len(found) // search.per_page), 1)
        page = min(max(search.page, 1), pages)
        first = (page - 1) * search.per_page
        newest = heapq.nlargest(first + search.per_page, found, key=_age)[first:]
        dropped = self._dropped + self._orders.dropped
        return Found(self._marked(newest), len(found), dropped, page, pages, self._begins(now))

    def controlled(self, most: int, now: int) -> list[Entry]:
        """What was changed of what holds for all streams, newest first: orders of scopes, the
        breaker, drills, policies and bundles."""
        kept = (self._entries[it].values() for it in (Kind.BREAKER, Kind.DRILL, Kind.CHANGE))
        of_scopes = (ordered(it) for it in self._orders if it.scope)
        since = now - GOES_BACK
        found = (it for it in chain(*kept, of_scopes) if it.at >= since)
        return self._marked(heapq.nlargest(most, found, key=_age))

    def _all(self) -> Iterator[Entry]:
        for kept in self._entries.values():
            yield from kept.values()
        yield from map(ordered, self._orders)

    def _marked(self, entries: Iterable[Entry]) -> list[Entry]:
        return [replace(it, drill=it in self._drills) for it in entries]

    def _begins(self, now: int) -> tuple[Begins, ...]:
        since = now - GOES_BACK
        later = {**self._dropped_until, Kind.ORDER: self._orders.dropped_until}
        if self._changes_since is not None:
            later[Kind.CHANGE] = max(self._changes_since, later.get(Kind.CHANGE, 0))
        return Begins(since), *(Begins(at, kind) for kind, at in later.items() if at > since)

    def _note(self, entry: Entry) -> None:
        kept = self._entries[entry.kind]
        known = kept.get(entry.id)
        # The same record may come again: when it first came is when it was done.
        if known is None or entry.at < known.at:
            kept[entry.id] = entry
        if len(kept) > self._most:
            self._drop(entry.kind)

    def _drop(self, kind: Kind) -> None:
        """Some at once, so that not all are looked through for each new one."""
        kept = self._entries[kind]
        excess = len(kept) - self._most + self._most // _DROPPED_AT_ONCE
        for entry in heapq.nsmallest(excess, kept.values(), key=_age):
            del kept[entry.id]
            self._dropped += 1
            self._dropped_until[kind] = max(self._dropped_until.get(kind, 0), entry.at)


def _age(entry: Entry) -> tuple[int, str, str]:
    return entry.at, entry.kind, entry.id


def _is_asked_for(it: Entry, search: Search) -> bool:
    return (
        search.kind in ("", it.kind)
        and search.who in ("", it.who)
        and search.what in ("", it.what)
        and search.handle in ("", it.handle)
        and (search.until is None or it.at < search.until)
    )
