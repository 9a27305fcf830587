"""When events of other partitions came to be, by one clock. Pure.

Controls compare times of events that come from shards, workers and people, each with a clock of
its own. The brokers' time of a record is the one that all share; an event's own is gone by only
until its record has come round through the topic. The same event may be published again, a
takedown that is asked for again for one: it came to be when it was published first.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Generic, NamedTuple, TypeVar

from schemas import MICROSECONDS

T = TypeVar("T")

_LAST_SECOND = int(datetime.max.replace(tzinfo=UTC).timestamp()) - 1


class Moment(NamedTuple):
    """Of two of the same event the lesser is right: the brokers' before its own, then the first."""

    own: bool
    at: int
    """Microseconds since the epoch."""


def moment(time: int, appended_at: int) -> Moment:
    """Of an event with a ``time`` of its own that the brokers appended at ``appended_at``, which
    is -1 where that is not known."""
    return Moment(own=True, at=time) if appended_at < 0 else Moment(own=False, at=appended_at)


class Remembered(Generic[T]):
    """Events by their id, each with its moment.

    Up to ``capacity`` of them the order in which they come changes nothing; one beyond that drops
    the one that came first.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._events: dict[str, tuple[Moment, T]] = {}

    def note(self, event_id: str, when: Moment, event: T) -> tuple[str, T] | None:
        """Remember it; what was dropped for it, if anything was."""
        known = self._events.get(event_id)
        if known is not None:
            self._events[event_id] = min(known, (when, event), key=lambda it: it[0])
            return None
        self._events[event_id] = (when, event)
        if len(self._events) <= self._capacity:
            return None
        dropped = next(iter(self._events))
        return dropped, self._events.pop(dropped)[1]

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._events

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[tuple[int, str, T]]:
        """When each came to be, its id, and it."""
        return ((when.at, event_id, event) for event_id, (when, event) in self._events.items())

    def get(self, event_id: str) -> tuple[int, T] | None:
        """When it came to be, and it."""
        known = self._events.get(event_id)
        return None if known is None else (known[0].at, known[1])


def told(at: int) -> str:
    """``at`` for people, to the second; what no calendar has is the last second that one has."""
    return datetime.fromtimestamp(min(at // MICROSECONDS, _LAST_SECOND), UTC).isoformat(" ")
