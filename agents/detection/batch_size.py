"""How many frames a micro-batch may hold, so that its detections are out in time. Pure.

A batch of n frames is taken to cost ``fixed + per_frame * n`` seconds. Both are learned from the
batches that were judged, by normalised least mean squares (Widrow and Hoff 1960; Nagumo and Noda
1967) on the logarithm of the cost: steps are in proportion, so that both stay positive, that one
batch that was held up counts for no more than a doubling, and that what changes (a busy machine,
another bundle) is followed within some ten batches.
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
    """Seconds that a batch takes from being taken up to its detections being with the brokers."""

    fixed: float
    per_frame: float

    def of(self, frames: int) -> float:
        return self.fixed + self.per_frame * frames

    def learn(self, frames: int, seconds: float) -> BatchCost:
        """What is believed after a batch of ``frames`` took ``seconds``, both above 0."""
        expected = self.of(frames)
        error = math.log(seconds / expected)
        error = min(max(error, -_LARGEST_ERROR), _LARGEST_ERROR)
        # The slopes of log cost over log fixed and over log per_frame; they add up to 1.
        fixed_slope = self.fixed / expected
        frame_slope = 1 - fixed_slope
        step = _STEP * error / (fixed_slope**2 + frame_slope**2)
        return BatchCost(
            self.fixed * math.exp(step * fixed_slope),
            self.per_frame * math.exp(step * frame_slope),
        )


def work_budget(target: float, wait: float) -> float:
    """Seconds a batch may take for a frame to be judged ``target`` seconds after it was read.

    A frame that comes as a batch begins waits for that batch, or for ``wait`` if that is longer,
    and then for its own: ``max(wait, work) + work <= target``. Frames behind a backlog wait longer.
    Positive where ``wait < target``.
    """
    return min(target / 2, target - wait)


class BatchSize:
    """The size of the next batch: as many frames as the cost allows, 1 to ``most``, and so many
    that their own cost is no less than what a batch takes besides.

    It starts by believing that one frame takes the whole budget, and grows as it sees better.
    Where one frame does take longer the target is out of reach, and ``cost`` says so.
    """

    def __init__(self, budget: float, most: int) -> None:
        self.most = most
        self._budget = budget
        self.cost = BatchCost(fixed=0.5 * budget, per_frame=0.5 * budget)
        self._observed = 0

    def seconds_for(self, frames: int) -> float:
        """How long ``frames`` take in full batches one after the other; 0 as long as what a batch
        costs is only believed."""
        return frames / self.size * self.cost.of(self.size) if self._observed >= _TO_LEARN else 0.0

    @property
    def size(self) -> int:
        fixed = self.cost.fixed
        within = (self._budget - fixed) / self.cost.per_frame
        # Where brokers are slow to acknowledge, that is what a batch takes, however small it is:
        # single frames would come no sooner, and soon wait behind each other.
        worthwhile = max(fixed / self.cost.per_frame, 1)
        if within < 1 and self._observed % _TRY_MORE == 0:
            # From batches of one size nobody learns what more frames would add.
            worthwhile *= 2
        return int(min(max(within, worthwhile), self.most))

    def observe(self, events: int, seconds: float) -> None:
        """A batch of ``events`` took ``seconds``."""
        self._observed += 1
        self.cost = self.cost.learn(events, max(seconds, _SHORTEST))
