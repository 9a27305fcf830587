"""What costs much to make and is the same for all who look: made for one, given to all. Pure.

Pages renew themselves about once a second, on the event loop that agents share: what each open page
costs is taken from deciding.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

from schemas import MICROSECONDS

T = TypeVar("T")

LASTS = MICROSECONDS
"""For so long something is given on (exclusive)."""
MOST = 32
"""Are kept at once, the newest."""


class _Made(NamedTuple, Generic[T]):
    at: int
    rests_on: object
    what: T


class Shared(Generic[T]):
    """Gives on what was made, for less than a second and while what it rests on is the same."""

    def __init__(self) -> None:
        self._made: dict[Hashable, _Made[T]] = {}

    def get(self, key: Hashable, rests_on: object, now: int, make: Callable[[], T]) -> T:
        """What ``make`` gives, or gave for the same ``key`` a moment ago.

        ``rests_on`` is what nobody may be told late of; ``now`` is in microseconds. A clock that
        was put back has it made anew.
        """
        self._made = {it: made for it, made in self._made.items() if 0 <= now - made.at < LASTS}
        found = self._made.get(key)
        if found is None or found.rests_on != rests_on:
            self._made.pop(key, None)
            if len(self._made) >= MOST:
                del self._made[next(iter(self._made))]
            found = self._made[key] = _Made(now, rests_on, make())
        return found.what
