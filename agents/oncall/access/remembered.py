"""Ids that were used up, for as long as it matters, within bounds. Pure."""

from __future__ import annotations

import heapq

LIMIT = 10_000


class Remembered:
    """At most ``limit`` ids, each until it would have expired anyway.

    When there are more, those that expire soonest are forgotten: they leave the least time for
    misuse. Only ids out of tokens that we signed come in, so that nobody can fill it from outside.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._ids: set[str] = set()
        self._by_expiry: list[tuple[int, str]] = []

    def __contains__(self, name: str) -> bool:
        return name in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, name: str, expires_at: int, now: int) -> bool:
        """Remember ``name`` until ``expires_at``; false if it is remembered already."""
        if name in self._ids:
            return False
        self._ids.add(name)
        heapq.heappush(self._by_expiry, (expires_at, name))
        while self._by_expiry[0][0] <= now or len(self._ids) > self._limit:
            self._ids.remove(heapq.heappop(self._by_expiry)[1])
            if not self._by_expiry:
                break
        return True
