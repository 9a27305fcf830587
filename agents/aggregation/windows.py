"""Sliding windows in event time over the detections of one session of a stream. Pure.

Time is cut into slots of half a second, and a ring holds the last 64 of them: the longest window
and the grace. What time it is: the watermark, the latest ``captured_at`` seen of the session. Which
frames count: those within ``grace`` of the watermark when they come, each once. What is computed:
one :class:`WindowSummary` for each length, over the slots that end with the watermark's; a window
of 3 s is the last six.

A slot holds counts and sums of whole numbers, so the order in which frames come within grace
changes nothing, to the bit, and the state is as large at 30 frames a second as at one. Windows
count time and not frames where they can: ``coverage`` and the half seconds with a hit mean the same
at any sampling rate.

The state after a frame depends on nothing older than the ring, so it can be rebuilt from the log
and need not be stored.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from schemas import MICROSECONDS

SLOT = MICROSECONDS // 2
SLOTS = 64
SCALE = 1000
"""Scores are summed in thousandths."""
FRAMES_A_SLOT = 60
"""More in half a second are refused, so that sums stay within 16 bits."""
KNOWN_SIGNALS = ("firearm", "fictional", "first_person", "known_content")
"""What windows are kept of, where a model says it; the first is always there."""

SEEN = frozenset({"firearm", "known_content"})
"""Signals whose hits make a stream not clear."""
_RING = (1 << SLOTS) - 1
_NUMBERS = 256
_ALL_NUMBERS = (1 << _NUMBERS) - 1
_NEVER = -SLOTS


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """Lengths and rules of the windows; times in microseconds."""

    lengths: tuple[int, ...] = (3 * MICROSECONDS, 10 * MICROSECONDS, 30 * MICROSECONDS)
    """Ascending, in whole slots; the longest and the grace fit the ring."""
    grace: int = 2 * MICROSECONDS
    """How far behind the watermark a frame may come and still count; inclusive."""
    hit: float = 0.5
    """A frame whose signal is at least this is a hit of that signal."""

    @property
    def horizon(self) -> int:
        """How far back frames are kept."""
        return self.lengths[-1] + self.grace

    @property
    def memory(self) -> int:
        """How far back of a frame the log decides what follows from it: its own windows reach one
        horizon back, and whether its stream was clear at the frame before rests on another."""
        return 2 * self.horizon


class FrameRefused(StrEnum):
    """Why a judged frame does not enter the windows."""

    LATE = "late"
    DUPLICATE = "duplicate"
    CROWDED = "crowded"


class SessionWindows:
    """The windows of one session of one stream; what time it is comes with the frames."""

    __slots__ = (
        "best",
        "best_at",
        "best_offset",
        "frames",
        "hits",
        "last_hit",
        "last_real",
        "newest",
        "number",
        "numbers",
        "observed",
        "signals",
        "spec",
        "sums",
        "watermark",
    )

    def __init__(self, spec: WindowSpec, signals: tuple[str, ...] = KNOWN_SIGNALS[:1]) -> None:
        self.spec = spec
        self.signals = signals
        self.watermark = 0
        self.newest = 0
        """Number of the watermark's slot since the epoch."""
        self.observed = 0
        """Bit ``i``: the slot ``i`` before the newest has a frame."""
        self.number = -1
        self.numbers = 0
        """Bit ``i``: the frame of the number ``i`` below ``number`` is in."""
        self.last_hit = _NEVER
        """Slot of the newest frame that saw a firearm or known content."""
        self.last_real = _NEVER
        """Slot of the newest frame that is not a drill's."""
        self.frames = array("B", bytes(SLOTS))
        self.best = array("H", bytes(2 * SLOTS))
        """The highest firearm score of a slot, scaled; and the frame that has it."""
        self.best_offset = array("q", bytes(8 * SLOTS))
        self.best_at = array("I", bytes(4 * SLOTS))
        """Microseconds into the slot."""
        self.sums = [array("H", bytes(2 * SLOTS)) for _ in signals]
        self.hits = [array("B", bytes(SLOTS)) for _ in signals]

    def observe(
        self,
        captured_at: int,
        offset: int,
        sequence: int,
        scores: Sequence[float],
        drill: bool = False,
    ) -> FrameRefused | None:
        """Take one frame in, or say why not. The watermark never goes back.

        ``scores`` are those of ``signals``, 0 to 1. Numbers of a session grow with time; a shard
        that begins to count anew goes on where it is. Raises ``ValueError`` for other scores.
        """
        slot = captured_at // SLOT
        ahead = captured_at - self.watermark
        if -ahead > self.spec.grace:
            return FrameRefused.LATE
        scaled = [int(score * SCALE + 0.5) for score in scores]
        if not 0 <= min(scaled) <= max(scaled) <= SCALE:
            raise ValueError("a score lies outside 0 to 1")
        if slot > self.newest:
            self._advance(slot)
        at = slot % SLOTS
        frames = self.frames[at]
        if frames >= FRAMES_A_SLOT:
            return FrameRefused.CROWDED
        if not self._is_new(sequence, newer=ahead > 0):
            return FrameRefused.DUPLICATE
        if ahead > 0:
            self.watermark = captured_at
        self.frames[at] = frames + 1
        self.observed |= 1 << (self.newest - slot)
        for sums, score in zip(self.sums, scaled, strict=True):
            sums[at] += score
        if max(scores) >= self.spec.hit:
            self._hit(slot, scores)
        best = scaled[0]
        held = self.best[at]
        if best > held or frames == 0 or (best == held and offset < self.best_offset[at]):
            self.best[at], self.best_offset[at] = best, offset
            self.best_at[at] = captured_at - slot * SLOT
        if not drill and slot > self.last_real:
            self.last_real = slot
        return None

    def is_hit(self, scores: Sequence[float]) -> bool:
        """Whether a frame with these scores sees a firearm or known content."""
        return any(
            score >= self.spec.hit and signal in SEEN
            for signal, score in zip(self.signals, scores, strict=True)
        )

    def keep_signals(self, signals: tuple[str, ...]) -> None:
        """Go on with other signals: a bundle was swapped for one that says others."""
        kept = {
            name: rings for name, *rings in zip(self.signals, self.sums, self.hits, strict=True)
        }
        empty = [array("H", bytes(2 * SLOTS)), array("B", bytes(SLOTS))]
        rings = [kept.get(name) or [empty[0][:], empty[1][:]] for name in signals]
        self.signals = signals
        self.sums = [ring[0] for ring in rings]
        self.hits = [ring[1] for ring in rings]

    @property
    def drill(self) -> bool:
        """Whether every frame kept is a drill's: one real frame makes the stream real."""
        return self.newest - self.last_real >= SLOTS

    @property
    def clear(self) -> bool:
        """Whether the longest window has no hit of a firearm or of known content."""
        return self.newest - self.last_hit >= self.spec.lengths[-1] // SLOT

    def last(self, values: array[int], slots: int) -> array[int]:
        """The newest ``slots`` values of a ring, oldest first."""
        end = self.newest % SLOTS + 1
        if slots <= end:
            return values[end - slots : end]
        return values[end - slots :] + values[:end]

    def _advance(self, slot: int) -> None:
        """Make ``slot`` the newest; what it takes the place of is forgotten."""
        steps = slot - self.newest
        self.observed = (self.observed << steps) & _RING if steps < SLOTS else 0
        for step in range(max(steps - SLOTS, 0), steps):
            at = (self.newest + 1 + step) % SLOTS
            if self.frames[at]:
                self.frames[at] = self.best[at] = self.best_offset[at] = self.best_at[at] = 0
                for sums in self.sums:
                    sums[at] = 0
                for hits in self.hits:
                    hits[at] = 0
        self.newest = slot

    def _is_new(self, sequence: int, newer: bool) -> bool:
        """Whether the number is new; if so it is noted. A frame of a time of its own is."""
        above = sequence - self.number
        if above > 0:
            # A far jump must not make a number as long.
            shifted = self.numbers << above if above < _NUMBERS else 0
            self.number, self.numbers = sequence, (shifted | 1) & _ALL_NUMBERS
            return True
        if newer:
            self.number, self.numbers = sequence, 1
            return True
        bit = 1 << -above if -above < _NUMBERS else 0
        if not bit or self.numbers & bit:
            return False
        self.numbers |= bit
        return True

    def _hit(self, slot: int, scores: Sequence[float]) -> None:
        for hits, signal, score in zip(self.hits, self.signals, scores, strict=True):
            if score >= self.spec.hit:
                hits[slot % SLOTS] += 1
                if signal in SEEN:
                    self.last_hit = max(self.last_hit, slot)
