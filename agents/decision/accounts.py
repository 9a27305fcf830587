"""Which accounts and streams were taken down of late, so that a restart is recognised. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from schemas import MICROSECONDS, TakedownRequested

from .moments import Moment, Remembered

KEPT = 24 * 3600 * MICROSECONDS
"""A restart within this of a takedown is recognised as one."""
_TAKEDOWNS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Former:
    """A takedown of the same stream, or of the same account, that nobody has taken back."""

    incident_id: str
    takedown_id: str
    stream_id: str
    requested_at: int


class TakenDown:
    """Folds takedowns and reversals, in whatever order they come.

    Remembers the last 10,000 of each, without what they rested on.
    """

    def __init__(self) -> None:
        self._takedowns: Remembered[TakedownRequested] = Remembered(_TAKEDOWNS_KEPT)
        self._reversed: Remembered[None] = Remembered(_TAKEDOWNS_KEPT)
        self._by_name: defaultdict[tuple[str, str], set[str]] = defaultdict(set)

    def mark(self, takedown: TakedownRequested, when: Moment) -> None:
        """The stream and its account were taken down."""
        for name in _names(takedown.stream_id, takedown.account_id):
            self._by_name[name].add(takedown.takedown_id)
        dropped = self._takedowns.note(takedown.takedown_id, when, takedown)
        if dropped is not None:
            self._forget(*dropped)

    def unmark(self, takedown_id: str, when: Moment) -> None:
        """A person took the takedown back."""
        self._reversed.note(takedown_id, when, None)

    def former(
        self, stream_id: str, account_id: str, session_id: str, now: int, drill: bool
    ) -> Former | None:
        """The newest takedown of ``stream_id`` or of ``account_id``, but of another session.

        A drill is followed by a drill only: what it did to an account is no word against it.
        """
        found = [
            (at, takedown)
            for at, takedown in self._of(stream_id, account_id)
            if takedown.drill == drill
            and at > now - KEPT
            and takedown.takedown_id not in self._reversed
            and (takedown.stream_id, takedown.session_id) != (stream_id, session_id)
        ]
        if not found:
            return None
        _, last = max(found, key=lambda it: (it[0], it[1].takedown_id))
        return Former(last.incident_id, last.takedown_id, last.stream_id, last.requested_at)

    def _of(self, stream_id: str, account_id: str) -> Iterator[tuple[int, TakedownRequested]]:
        ids: set[str] = set()
        for name in _names(stream_id, account_id):
            ids |= self._by_name.get(name, set())
        for takedown_id in ids:
            known = self._takedowns.get(takedown_id)
            if known is not None:
                yield known

    def _forget(self, takedown_id: str, takedown: TakedownRequested) -> None:
        for name in _names(takedown.stream_id, takedown.account_id):
            self._by_name[name].discard(takedown_id)
            if not self._by_name[name]:
                del self._by_name[name]


def _names(stream_id: str, account_id: str) -> list[tuple[str, str]]:
    """What a takedown is found again by. Not knowing an account is nothing in common."""
    return [("stream", stream_id), *([("account", account_id)] if account_id else [])]
