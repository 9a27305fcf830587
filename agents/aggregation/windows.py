"""Sliding windows in event time over the detections of one session of a stream. Pure.

Time is cut into slots of half a second, and a ring holds the last 64 of them. What time it is: the
watermark, the latest ``captured_at`` seen of the session. Which frames count: those within
``grace`` of the watermark when they come, each once. What is computed: see :mod:`.summary` and
:mod:`.evidence`, over the slots that end with the watermark's; a window of 3 s is the last six.

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

RECENT = 8
"""Slots of which it is known which frames are in: grace reaches no further back."""
_RESIDUES = 61
"""Numbers of a slot's frames are told apart by their remainder: more than fit a slot, in 64 bits,
and a prime, so that frames numbered by clocks or in strides are told apart as well."""
KNOWN_RANK = 1024
"""Above any score: a frame of known content is better evidence than any firearm."""
_LONG_AGO = -(1 << 40)
"""A slot before all others."""


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """Lengths and rules of the windows; times in microseconds.

    Raises ``ValueError`` where the ring can't hold them.
    """

    lengths: tuple[int, ...] = (3 * MICROSECONDS, 10 * MICROSECONDS, 30 * MICROSECONDS)
    """Ascending, in whole slots."""
    grace: int = 2 * MICROSECONDS
    """How far behind the watermark a frame may come and still count; inclusive."""
    hit: float = 0.5
    """A frame whose signal is at least this is a hit of that signal."""

    def __post_init__(self) -> None:
        if any(length <= 0 or length % SLOT for length in self.lengths):
            raise ValueError(f"windows of {self.lengths} µs: not in half seconds")
        if not self.lengths or self.lengths[-1] > SLOTS * SLOT or self.grace >= RECENT * SLOT:
            raise ValueError(f"windows of {self.lengths} µs with {self.grace} µs grace: too long")

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
    MALFORMED = "malformed"


class BestFrames:
    """Of each slot the frame that is the best evidence; there only while there is any."""

    __slots__ = ("offset", "rank", "within")

    def __init__(self) -> None:
        self.rank = array("H", bytes(2 * SLOTS))
        """1 + the frame's firearm score, scaled, + ``KNOWN_RANK`` for known content; 0: none."""
        self.offset = array("q", bytes(8 * SLOTS))
        self.within = array("I", bytes(4 * SLOTS))
        """When it was captured, microseconds into the slot."""

    def offer(self, at: int, rank: int, offset: int, within: int) -> None:
        """Keep the frame if it is better; of equals the one of the lower offset."""
        held = self.rank[at]
        if rank > held or (rank == held and offset < self.offset[at]):
            self.rank[at], self.offset[at], self.within[at] = rank, offset, within


class SessionWindows:
    """The windows of one session of one stream; what time it is comes with the frames."""

    __slots__ = (
        "best",
        "frames",
        "hits",
        "known",
        "last_hit",
        "last_real",
        "newest",
        "numbers",
        "peak",
        "signals",
        "spec",
        "sums",
        "watermark",
    )

    def __init__(self, spec: WindowSpec, signals: tuple[str, ...] = KNOWN_SIGNALS[:1]) -> None:
        self.spec = spec
        self.signals = signals
        self.known = _known(signals)
        """Where known content is among ``signals``; at the firearm where it is not."""
        self.newest = _LONG_AGO
        """Number of the watermark's slot since the epoch."""
        self.watermark = _LONG_AGO * SLOT
        self.last_hit = self.last_real = _LONG_AGO - SLOTS
        """Slots of the newest frame with a firearm or known content, and not of a drill."""
        self.frames = bytearray(SLOTS)
        self.numbers = array("Q", bytes(8 * RECENT))
        """Of the newest slots, which residues the numbers of the frames in each have, as bits."""
        self.peak = array("H", bytes(2 * SLOTS))
        """The highest firearm score of each slot, scaled."""
        # One ring for each signal, one after the other.
        self.sums = array("H", bytes(2 * SLOTS * len(signals)))
        self.hits = bytearray(SLOTS * len(signals))
        self.best: BestFrames | None = None

    def observe(
        self,
        captured_at: int,
        offset: int,
        sequence: int,
        scores: Sequence[float],
        drill: bool = False,
    ) -> FrameRefused | None:
        """Take one frame in, or say why not, which changes nothing. The watermark never goes back.

        ``scores`` are those of ``signals``. A frame is known again by its number within its half
        second, whatever the numbers elsewhere: a shard that begins to count anew is not refused.
        """
        if not _are_scores(scores, len(self.signals)):
            return FrameRefused.MALFORMED
        slot = captured_at // SLOT
        at = slot % SLOTS
        frames, numbers = self.frames, self.numbers
        number = 1 << sequence % _RESIDUES
        watermark = self.watermark
        if slot > self.newest:
            self._advance(slot)
        elif captured_at < watermark - self.spec.grace:
            return FrameRefused.LATE
        elif frames[at] >= FRAMES_A_SLOT:
            return FrameRefused.CROWDED
        elif numbers[slot % RECENT] & number:
            return FrameRefused.DUPLICATE
        if captured_at > watermark:
            self.watermark = captured_at
        frames[at] += 1
        numbers[slot % RECENT] |= number
        hit, sums = self.spec.hit, self.sums
        cell = at
        for score in scores:
            sums[cell] += int(score * SCALE + 0.5)
            if score >= hit:
                self.hits[cell] += 1
            cell += SLOTS
        firearm = int(scores[0] * SCALE + 0.5)
        peak = self.peak[at]
        if firearm > peak:
            self.peak[at] = firearm
        if scores[0] >= hit or scores[self.known] >= hit:
            self._keep_best(slot, offset, captured_at, scores)
        if not drill and slot > self.last_real:
            self.last_real = slot
        return None

    def is_hit(self, scores: Sequence[float]) -> bool:
        """Whether a frame with these scores sees a firearm or known content."""
        hit = self.spec.hit
        return scores[0] >= hit or scores[self.known] >= hit

    def keep_signals(self, signals: tuple[str, ...]) -> None:
        """Go on with other signals: a bundle was swapped for one that says others."""
        sums, hits = self.sums, self.hits
        rings = {name: slice(n * SLOTS, (n + 1) * SLOTS) for n, name in enumerate(self.signals)}
        self.sums, self.hits = array("H"), bytearray()
        for name in signals:
            ring = rings.get(name)
            self.sums += sums[ring] if ring else array("H", bytes(2 * SLOTS))
            self.hits += hits[ring] if ring else bytes(SLOTS)
        self.signals, self.known = signals, _known(signals)

    @property
    def drill(self) -> bool:
        """Whether every frame kept is a drill's: one real frame makes the stream real."""
        return self.newest - self.last_real >= SLOTS

    @property
    def clear(self) -> bool:
        """Whether the longest window has no hit of a firearm or of known content."""
        return self.newest - self.last_hit >= self.spec.lengths[-1] // SLOT

    def _advance(self, slot: int) -> None:
        """Make ``slot`` the newest; what it takes the place of is forgotten."""
        steps = slot - self.newest
        if self.best is not None and slot - self.last_hit >= SLOTS:
            self.best = None
        frames, numbers, first = self.frames, self.numbers, self.newest + 1
        for passed in range(slot - RECENT + 1 if steps > RECENT else first, slot + 1):
            numbers[passed % RECENT] = 0
        for passed in range(slot - SLOTS + 1 if steps > SLOTS else first, slot + 1):
            at = passed % SLOTS
            if frames[at]:
                frames[at] = self.peak[at] = 0
                if self.best is not None:
                    self.best.rank[at] = 0
                for cell in range(at, len(self.hits), SLOTS):
                    self.sums[cell] = self.hits[cell] = 0
        self.newest = slot

    def _keep_best(self, slot: int, offset: int, captured_at: int, scores: Sequence[float]) -> None:
        self.last_hit = max(self.last_hit, slot)
        rank = 1 + int(scores[0] * SCALE + 0.5)
        if self.known and scores[self.known] >= self.spec.hit:
            rank += KNOWN_RANK
        if self.best is None:
            self.best = BestFrames()
        self.best.offer(slot % SLOTS, rank, offset, captured_at - slot * SLOT)


def _are_scores(scores: Sequence[float], count: int) -> bool:
    for score in scores:
        # Written so that what is not a number is none.
        if not 0.0 <= score <= 1.0:
            return False
    return len(scores) == count


def _known(signals: tuple[str, ...]) -> int:
    return signals.index("known_content") if "known_content" in signals else 0
