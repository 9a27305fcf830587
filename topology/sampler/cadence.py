"""Which frames of a stream are sampled: exact arithmetic on presentation times, no clock.

All times are seconds as ``Fraction``, so a boundary such as n/29.97 s is met exactly and nothing
drifts however long a stream runs.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor

MAX_BACKWARD = Fraction(1)
"""Presentation times this far behind the latest are disorder, not a new beginning."""
MAX_FORWARD = Fraction(60)
"""A presentation time further ahead than this is a discontinuity, not a pause."""


class Timeline:
    """Media time of each frame: 0 at the first, whatever the presentation times start from.

    A frame without a presentation time follows the latest by ``step``, the source's usual
    distance between frames. So does one after a discontinuity (an encoder that started anew, a
    jump of over a minute): the media time goes on, and later frames are placed relative to it.
    """

    def __init__(self, step: Fraction) -> None:
        if step <= 0:
            raise ValueError(f"step must be positive, not {step}")
        self._step = step
        self._origin: Fraction | None = None
        self._latest: Fraction | None = None

    def place(self, pts: Fraction | None) -> Fraction:
        """Media time of the next frame; disorder may put it before the frames already placed."""
        following = Fraction(0) if self._latest is None else self._latest + self._step
        at = following if pts is None or self._origin is None else pts - self._origin
        latest = at if self._latest is None else self._latest
        if not latest - MAX_BACKWARD <= at <= latest + MAX_FORWARD:
            at, self._origin = following, None
        if pts is not None and self._origin is None:
            self._origin = pts - at
        self._latest = max(latest, at)
        return at


class Cadence:
    """Takes the first frame at or after each n/``fps`` seconds of media time.

    Periods are [n/fps, (n+1)/fps) and at most one frame is taken of each. A period without a
    frame stays without one; the next is not moved by it. The rate may change between any two
    frames: the periods are then the new rate's, and what was taken before counts in its own.
    """

    def __init__(self, fps: Fraction) -> None:
        self._taken: Fraction | None = None
        self.change(fps)

    def change(self, fps: Fraction) -> None:
        """Go on at ``fps`` samples a second. Raises ``ValueError`` unless it is positive."""
        if fps <= 0:
            raise ValueError(f"fps must be positive, not {fps}")
        self._fps = fps

    def takes(self, at: Fraction) -> bool:
        """Whether the frame at media time ``at`` is sampled."""
        if self._taken is not None and floor(at * self._fps) <= floor(self._taken * self._fps):
            return False
        self._taken = at
        return True
