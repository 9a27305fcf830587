"""Which live streams are watched: a stream whose frames are not judged in time is an event. Pure.

How far judging lags is measured by Kafka's time of the newest judged frame and not by the shard's
clock, which may be wrong.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from schemas import MICROSECONDS

Key = tuple[str, str]
"""Stream and session."""

_RECENTLY = 7 * MICROSECONDS
"""Streams that are judged at all are told of every five seconds (``aggregation.hearing``)."""


class Unwatched(StrEnum):
    """Why a live stream counts as unwatched."""

    NEVER_JUDGED = "never-judged"
    FRAMES_STOPPED = "frames-stopped"
    LAGGING = "lagging"


@dataclass(slots=True)
class _Live:
    frame_at: int
    """When the newest judged frame was appended; when it was first known of before that."""
    told_at: int = 0
    """When it was last told of; 0 where no frame has been judged yet."""


@dataclass(slots=True)
class Watch:
    """The live sessions of a partition. Its cost goes by what falls due, not by how many live."""

    live: dict[Key, _Live] = field(default_factory=dict)
    _due: list[tuple[int, Key]] = field(default_factory=list)

    def begin(self, key: Key, now: int) -> None:
        """From ``now`` on frames of ``key`` are expected."""
        if key not in self.live:
            self.live[key] = _Live(now)
            heapq.heappush(self._due, (now, key))

    def hear(self, key: Key, frame_at: int, now: int) -> None:
        """A frame of ``key`` that was appended at ``frame_at`` has been judged."""
        known = self.live.get(key)
        if known is None:
            self.begin(key, frame_at)
            known = self.live[key]
        known.frame_at = max(known.frame_at, frame_at)
        known.told_at = now

    def end(self, key: Key) -> None:
        """No more frames are expected."""
        self.live.pop(key, None)

    def is_watched(self, key: Key, now: int, after: int) -> bool:
        known = self.live.get(key)
        return known is not None and known.frame_at + after > now

    def overdue(self, now: int, after: int) -> Iterator[tuple[Key, Unwatched, int]]:
        """Sessions whose newest judged frame is older than ``after``, why, and since when.

        Each is told again every ``after`` for as long as it is so.
        """
        while self._due and self._due[0][0] <= now:
            _, key = heapq.heappop(self._due)
            known = self.live.get(key)
            if known is None:
                continue
            in_time = known.frame_at + after > now
            heapq.heappush(self._due, (known.frame_at + after if in_time else now + after, key))
            if not in_time:
                yield key, _reason(known, now), known.frame_at


def _reason(known: _Live, now: int) -> Unwatched:
    if known.told_at == 0:
        return Unwatched.NEVER_JUDGED
    return Unwatched.LAGGING if now - known.told_at < _RECENTLY else Unwatched.FRAMES_STOPPED
