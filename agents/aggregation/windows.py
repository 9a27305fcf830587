"""Sliding windows in event time over the detections of one session of a stream. Pure.

What time it is: the watermark, the latest ``captured_at`` seen of the session. Which frames
count: those within ``grace`` of the watermark when they come, each once. What is computed: one
:class:`WindowSummary` for each length, over ``(watermark - length, watermark]``.

The state after a frame depends on nothing older than the longest window plus grace, so it can be
rebuilt from the log and need not be stored.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from schemas import MICROSECONDS, FrameRef, WindowSummary


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """Lengths and rules of the windows; times in microseconds."""

    lengths: tuple[int, ...] = (3 * MICROSECONDS, 10 * MICROSECONDS, 30 * MICROSECONDS)
    """Ascending. The first is the one that risk is read from."""
    grace: int = 2 * MICROSECONDS
    """How far behind the watermark a frame may come and still count; inclusive."""
    hold: int = MICROSECONDS
    """How long one frame vouches for its stream: a longer silence is not covered."""
    hit: float = 0.5
    """A frame whose firearm signal is at least this is a hit."""
    samples: int = 240
    """Most frames kept for a stream, oldest dropped: bounds the state at any sampling rate."""

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


@dataclass(frozen=True, slots=True, order=True)
class Sample:
    """One judged frame in a window. Ordered by event time, then by place in the log."""

    captured_at: int
    offset: int
    sequence: int = field(compare=False)
    score: float = field(compare=False)
    fictional: float = field(compare=False, default=0.0)
    drill: bool = field(compare=False, default=False)


@dataclass(slots=True)
class SessionWindows:
    """The windows of one session of one stream; what time it is comes with the frames."""

    spec: WindowSpec
    samples: list[Sample] = field(default_factory=list)
    watermark: int = 0

    def observe(self, sample: Sample) -> FrameRefused | None:
        """Take one frame in, or say why not. The watermark never goes back."""
        if sample.captured_at < self.watermark - self.spec.grace:
            return FrameRefused.LATE
        if self._seen(sample):
            return FrameRefused.DUPLICATE
        insort(self.samples, sample)
        self.watermark = max(self.watermark, sample.captured_at)
        oldest = self.watermark - self.spec.horizon
        excess = max(len(self.samples) - self.spec.samples, 0)
        stale = bisect_right(self.samples, oldest, key=lambda kept: kept.captured_at)
        del self.samples[: max(excess, stale)]
        return None

    def _seen(self, sample: Sample) -> bool:
        """Whether this frame, or another of its number, is in already."""
        near = bisect_left(self.samples, sample.captured_at, key=lambda kept: kept.captured_at)
        at_same_time = self.samples[near : near + 1]
        if at_same_time and at_same_time[0].captured_at == sample.captured_at:
            return True
        return any(kept.sequence == sample.sequence for kept in reversed(self.samples))

    def summaries(self) -> list[WindowSummary]:
        """One summary a length, shortest first."""
        return [self._summary(length) for length in self.spec.lengths]

    def evidence(self, topic: str, partition: int, most: int = 3) -> list[FrameRef]:
        """The highest-scoring hits of the longest window, highest first."""
        hits = [sample for sample in self._within(self.spec.lengths[-1]) if self.is_hit(sample)]
        best = sorted(hits, key=lambda sample: (-sample.score, sample.captured_at))[:most]
        return [frame_ref(topic, partition, sample) for sample in best]

    @property
    def drill(self) -> bool:
        """Whether every frame kept is a drill's: one real frame makes the stream real."""
        return all(sample.drill for sample in self.samples)

    def is_hit(self, sample: Sample) -> bool:
        return sample.score >= self.spec.hit

    def _within(self, length: int) -> list[Sample]:
        start = self.watermark - length
        first = bisect_right(self.samples, start, key=lambda kept: kept.captured_at)
        return self.samples[first:]

    def _summary(self, length: int) -> WindowSummary:
        inside = self._within(length)
        scores = [sample.score for sample in inside]
        return WindowSummary(
            seconds=length / MICROSECONDS,
            frames=len(inside),
            hits=sum(self.is_hit(sample) for sample in inside),
            coverage=sum(self._vouched(inside, length)) / length,
            mean=sum(scores) / len(scores),
            peak=max(scores),
            fictional=sum(sample.fictional for sample in inside) / len(inside),
        )

    def _vouched(self, inside: list[Sample], length: int) -> Iterator[int]:
        """Time before each frame that it vouches for, at most ``hold``, within the window."""
        earlier = self.watermark - length
        for sample in inside:
            yield min(sample.captured_at - earlier, self.spec.hold)
            earlier = sample.captured_at


def frame_ref(topic: str, partition: int, sample: Sample) -> FrameRef:
    """Where the frame of ``sample`` lies."""
    return FrameRef(topic, partition, sample.offset, sample.captured_at, sample.score)
