"""Which frames are not judged when more come than can be. Pure.

Nothing is shed as long as what waits can be judged within a few seconds, however old it is: after
a worker was lost its successor is soon done with what lay there. Beyond that frames of calm streams
are thinned out, to one in so many seconds of each stream; far beyond it those of streams at risk
too, to two a second. A partition is read in its order, so the oldest frames go first, and as soon
as little enough waits all are judged again.

No stream is left without a frame for longer than ``keep_every``, though that be too much: then what
waits grows, and that streams are judged late is told as it always is (``firebreak.unwatched.v1``).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from schemas import MICROSECONDS, FrameSampled

KEEP_AT_RISK = MICROSECONDS // 2
"""Of a stream at risk at least a frame in so many microseconds of event time is judged."""
AT_RISK_LATER = 3.0
"""How many times more has to wait until frames of streams at risk are shed."""
RISK_LASTS = 60 * MICROSECONDS
"""A risk that was told longer ago says nothing any more."""
_MOST_SESSIONS = 200_000
"""The sessions least recently heard of are forgotten: their next frame is judged."""

Key = tuple[str, str]
"""Stream and session."""


@dataclass(frozen=True, slots=True)
class ShedLimits:
    """``backlog``: seconds that what waits may take to judge. ``patience``: for how many seconds it
    may seem to take longer. ``keep_every``: of each stream a frame in so many microseconds of event
    time is judged, whatever comes."""

    backlog: float
    keep_every: int
    patience: float


@dataclass(slots=True)
class Risky:
    """Which sessions are known to be at risk: told so within the last minute, by the clock of the
    brokers that told it."""

    level: float
    _told_at: OrderedDict[Key, int] = field(default_factory=OrderedDict)

    def take(self, key: Key, risk: float, at: int) -> None:
        """At ``at``, in microseconds, ``risk`` was told of a session."""
        if risk >= self.level:
            self._told_at[key] = at
            self._told_at.move_to_end(key)
        else:
            self._told_at.pop(key, None)
        while self._told_at and at - next(iter(self._told_at.values())) > RISK_LASTS:
            self._told_at.popitem(last=False)

    def __contains__(self, key: Key) -> bool:
        return key in self._told_at


class Shedder:
    """Says of each frame, in the order of its partition, whether it is judged."""

    def __init__(self, limits: ShedLimits, risky: Risky) -> None:
        self._limits = limits
        self._risky = risky
        self._kept: OrderedDict[Key, int] = OrderedDict()
        """When the newest frame of a session was captured that is judged."""
        self._pressed_since: float | None = None

    def at_risk(self, key: Key) -> bool:
        return key in self._risky

    def presses(self, backlog: float, now: float) -> bool:
        """Whether frames are to be looked at one by one: ``backlog`` seconds of work wait, and did
        not only begin to. ``now`` is in seconds by any clock.

        Where much was waiting for brokers, batches are soon larger and what waits is soon done.
        """
        if backlog <= self._limits.backlog:
            self._pressed_since = None
            self._kept.clear()
            return False
        if self._pressed_since is None:
            self._pressed_since = now
        return now - self._pressed_since >= self._limits.patience

    def keeps(self, frame: FrameSampled, backlog: float) -> bool:
        """Whether ``frame`` is judged although ``backlog`` seconds of work wait."""
        key = frame.stream_id, frame.session_id
        if key in self._risky:
            every = KEEP_AT_RISK if backlog > self._limits.backlog * AT_RISK_LATER else 0
        else:
            every = self._limits.keep_every
        before = self._kept.get(key)
        if before is not None and 0 <= frame.captured_at - before < every:
            return False
        self._kept[key] = max(frame.captured_at, before or 0)
        self._kept.move_to_end(key)
        if len(self._kept) > _MOST_SESSIONS:
            self._kept.popitem(last=False)
        return True
