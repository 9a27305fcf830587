"""Dead letters as people go through them: which there are, and which were redriven. Pure.

Letters and redrives come from different topics, in any order and more than once. Every letter is
counted by its cause; the newest are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from schemas import Event, EventDeadLettered, EventRedriven

from .bounds import bounded_id
from .handles import handle_of

LETTERS_KEPT = 2_000
_REDRIVES_KEPT = 4_000
_CAUSES = 32
OTHER = "other"
MOST_ATTEMPTS = 3
"""What has failed as often is left to lie: it would fail again."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter. Times are Kafka's, in microseconds since the epoch."""

    event: EventDeadLettered
    """Without the record's key, which says whose it is."""
    buried_at: int
    redriven: EventRedriven | None = None

    @property
    def handle(self) -> str:
        """The stream's, for addresses; empty where the stream is not known."""
        return handle_of(self.event.stream_id) if self.event.stream_id else ""

    @property
    def redrivable(self) -> bool:
        """Whether its record may be put back."""
        return self.redriven is None and self.event.attempt < MOST_ATTEMPTS


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters: those of all that is given."""

    cause: str = ""
    topic: str = ""
    stream: str = ""
    """A stream's handle."""

    def __contains__(self, letter: Letter) -> bool:
        return (
            self.cause in ("", letter.event.cause)
            and self.topic in ("", letter.event.topic)
            and self.stream in ("", letter.handle)
        )


@dataclass(frozen=True, slots=True)
class Redrive:
    """What came back from the topic of one order to redrive."""

    operator: str
    reason: str
    at: int
    """When the first of its records was put back."""
    letters: int


class Letters:
    """Keeps the newest 2,000 letters, and counts all that it was told of."""

    def __init__(self) -> None:
        self._letters: dict[str, Letter] = {}
        self._redrives: dict[str, EventRedriven] = {}
        self._by_cause: Counter[str] = Counter()
        self._redriven = 0

    @property
    def by_cause(self) -> Mapping[str, int]:
        """How many there were of each cause; of causes beyond 32 together, as ``other``."""
        return self._by_cause

    @property
    def redriven(self) -> int:
        """How many records were put back."""
        return self._redriven

    def apply(self, event: Event, at: int) -> None:
        """Fold in what Kafka had ``at``; only dead letters and redrives change anything."""
        match event:
            case EventDeadLettered():
                self._bury(event, at)
            case EventRedriven():
                self._redrive(event)

    def get(self, letter_id: str) -> Letter | None:
        """The letter, if it is among the newest."""
        return self._letters.get(bounded_id(letter_id))

    def wanted(self, wanted: Wanted) -> list[Letter]:
        """The letters that are ``wanted``, newest first."""
        found = (it for it in self._letters.values() if it in wanted)
        return sorted(found, key=lambda it: (-it.buried_at, it.event.dead_letter_id))

    def ordered(self, order_id: str) -> Redrive | None:
        """What has come back of the order; none while nothing has."""
        redrives = [it for it in self._redrives.values() if it.order_id == order_id]
        if not order_id or not redrives:
            return None
        first = min(redrives, key=lambda it: it.redriven_at)
        return Redrive(first.operator, first.reason, first.redriven_at, len(redrives))

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._letters)

    def _bury(self, event: EventDeadLettered, at: int) -> None:
        if event.dead_letter_id in self._letters:
            return
        known = event.cause in self._by_cause or len(self._by_cause) < _CAUSES
        self._by_cause[event.cause if known else OTHER] += 1
        redriven = self._redrives.get(event.dead_letter_id)
        self._letters[event.dead_letter_id] = Letter(replace(event, key=b""), at, redriven)
        if len(self._letters) > LETTERS_KEPT:
            del self._letters[next(iter(self._letters))]

    def _redrive(self, event: EventRedriven) -> None:
        name = event.dead_letter_id
        if name in self._redrives:
            return
        self._redriven += 1
        self._redrives[name] = event
        if len(self._redrives) > _REDRIVES_KEPT:
            del self._redrives[next(iter(self._redrives))]
        if (letter := self._letters.get(name)) is not None:
            self._letters[name] = Letter(letter.event, letter.buried_at, event)


def redrivable(letters: Iterable[Letter], most: int) -> list[Letter]:
    """Those whose records may be put back: ``most`` of them, the first to fail first."""
    found = [it for it in letters if it.redrivable]
    return sorted(found, key=lambda it: (it.buried_at, it.event.dead_letter_id))[:most]
