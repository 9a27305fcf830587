"""How many frames a micro-batch may hold, so that its detections are out in time. Pure.

A batch of n frames is taken to cost ``fixed + per_frame * n`` seconds of work. Both are learned
from the batches that were judged, by normalised least mean squares (Widrow and Hoff 1960; Nagumo
and Noda 1967) on the logarithm of the cost: steps are in proportion, so that both stay positive,
that one batch that was held up counts for no more than a doubling, and that what changes (a busy
machine, another bundle) is followed within some ten batches. The first batch is believed as it is.

How long brokers take to acknowledge is followed by itself, as it hardly depends on the size: a
worker that begins where brokers are slow would else take its single frames for slow ones, and fall
far behind before it has learned better.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_STEP = 0.2
"""Share of the error that one batch corrects: above 0, below 2."""
_LARGEST_ERROR = math.log(2.0)
_TO_LEARN = 100
"""Batches until what is believed is what was seen, however far off it was at first."""
_TRY_MORE = 8
"""One batch in so many is larger, where the target is out of reach."""
_SHORTEST = 1e-6
"""Seconds. A clock too coarse to see a batch says that it took none."""


@dataclass(frozen=True, slots=True)
class BatchCost:
    """Seconds that a batch takes to be judged."""

    fixed: float
    per_frame: float

    def of(self, frames: int) -> float:
        return self.fixed + self.per_frame * frames

    def learn(self, frames: int, seconds: float, *, first: bool = False) -> BatchCost:
        """What is believed after a batch of ``frames`` took ``seconds``, both above 0. Before the
        ``first`` nothing is known."""
        expected = self.of(frames)
        share, error = _STEP, _error(expected, seconds)
        if first:
            share, error = 1.0, math.log(seconds / expected)
        # The slopes of log cost over log fixed and over log per_frame; they add up to 1.
        fixed_slope = self.fixed / expected
        frame_slope = 1 - fixed_slope
        step = share * error / (fixed_slope**2 + frame_slope**2)
        return BatchCost(
            self.fixed * math.exp(step * fixed_slope),
            self.per_frame * math.exp(step * frame_slope),
        )


def _error(expected: float, seen: float) -> float:
    """Of what was ``expected``, as a logarithm. Nothing makes a batch faster than it is, but much
    may hold one up."""
    return min(math.log(seen / expected), _LARGEST_ERROR)


def work_budget(target: float, wait: float) -> float:
    """Seconds a batch may take, until its outputs are with the brokers, for a frame to be judged
    ``target`` seconds after it was read.

    A frame that comes as a batch begins waits for that batch, or for ``wait`` if that is longer,
    and then for its own: ``max(wait, work) + work <= target``. Frames behind a backlog wait longer.
    Positive where ``wait < target``.
    """
    return min(target / 2, target - wait)


class BatchSize:
    """The size of the next batch: as many frames as the cost allows, 1 to ``most``, and so many
    that their own cost is no less than what a batch takes besides.

    It starts with a single frame. Where one frame takes longer than the budget the target is out of
    reach, and ``cost`` says so.
    """

    def __init__(self, budget: float, most: int) -> None:
        self.most = most
        self._budget = budget
        self.cost = BatchCost(fixed=0.5 * budget, per_frame=0.5 * budget)
        self.acknowledged = 0.0
        """Seconds until brokers have what comes of a batch; 0 before there was one."""
        self._observed = 0

    def seconds_for(self, frames: int) -> float:
        """How long ``frames`` take in full batches one after the other; 0 as long as what a batch
        costs is only believed."""
        if self._observed < _TO_LEARN:
            return 0.0
        return frames / self.size * (self.cost.of(self.size) + self.acknowledged)

    @property
    def besides(self) -> float:
        """Seconds that a batch takes besides its frames, until brokers have what comes of it."""
        return self.cost.fixed + self.acknowledged

    @property
    def size(self) -> int:
        fixed = self.besides
        within = (self._budget - fixed) / self.cost.per_frame
        # Where brokers are slow to acknowledge, that is what a batch takes, however small it is:
        # single frames would come no sooner, and soon wait behind each other.
        worthwhile = max(fixed / self.cost.per_frame, 1)
        if within < 1 and self._observed % _TRY_MORE == 0:
            # From batches of one size nobody learns what more frames would add.
            worthwhile *= 2
        return int(min(max(within, worthwhile), self.most))

    def observe(self, events: int, seconds: float, acknowledged: float) -> None:
        """A batch of ``events`` took ``seconds``, and its outputs then ``acknowledged``."""
        first = self._observed == 0
        self._observed += 1
        self.cost = self.cost.learn(events, max(seconds, _SHORTEST), first=first)
        took = max(acknowledged, _SHORTEST)
        before = self.acknowledged or took
        self.acknowledged = before * math.exp(_STEP * _error(before, took))
