"""Where a stream's risk is going, from its newest minute, in constant space. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from schemas import MICROSECONDS

SPAN = 4
"""Seconds of event time that one point stands for."""
POINTS = 16
"""From the oldest to the newest is a minute."""
_STEADY = 0.05
"""A change of the risk within a minute that is none, exclusive."""
_STEPS = 254
_NONE = 255
_ENOUGH = 3


class Direction(StrEnum):
    """The values are what pages and the API say."""

    RISING = "rising"
    FALLING = "falling"
    STEADY = "steady"


@dataclass(slots=True)
class Trend:
    """The newest risk in each of the last ``POINTS`` spans, to half a hundredth."""

    _last: int = 0
    """Number of the newest span, counted from the epoch."""
    _points: bytearray = field(default_factory=lambda: bytearray([_NONE]) * POINTS)
    """Oldest first."""

    def take(self, at: int, risk: float) -> None:
        """The risk, 0 to 1, was told for ``at`` (microseconds, event time); none after it was."""
        span = at // (SPAN * MICROSECONDS)
        ahead = min(max(span - self._last, 0), POINTS)
        if ahead:
            self._points = self._points[ahead:] + bytearray([_NONE]) * ahead
            self._last = span
        if self._last - span < POINTS:
            self._points[POINTS - 1 - (self._last - span)] = round(risk * _STEPS)

    def values(self) -> tuple[float | None, ...]:
        """The risk in each span, oldest first; ``None`` where none was told."""
        return tuple(None if it == _NONE else round(it / _STEPS, 3) for it in self._points)

    def change(self) -> float | None:
        """The newest risk less the oldest that is known of the minute before it: -1 to 1.

        ``None`` where fewer than ``_ENOUGH`` points are known: two may be a moment apart.
        """
        told = [it for it in self._points if it != _NONE]
        return round((told[-1] - told[0]) / _STEPS, 3) if len(told) >= _ENOUGH else None


def direction(change: float) -> Direction:
    """What a ``change`` of the risk within a minute is in a word."""
    if abs(change) < _STEADY:
        return Direction.STEADY
    return Direction.RISING if change > 0 else Direction.FALLING
