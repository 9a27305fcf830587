"""Which frames are not judged: more come than can be, or they are too old to matter. Pure.

Nothing is shed as long as what waits can be judged within a few seconds and is not too old: after
a worker was lost its successor is soon done with what lay there. Beyond that frames of calm streams
are thinned out, to one in so many seconds of each stream; far beyond it those of streams at risk
too, to two a second. A partition is read in its order, so the oldest frames go first, and as soon
as little enough waits all are judged again.

Frames that the brokers took longer ago than any failover lasts are thinned out alike, those of
streams at risk too, however little waits: what is live comes after them. What is judged of them is
told as risk like any other, and the policy that ships decides from a frame in two seconds.

No stream is left without a frame for longer than ``keep_every``, though that be too much: then what
waits grows, and that streams are judged late is told as it always is (``firebreak.unwatched.v1``).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum

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


class ShedReason(StrEnum):
    """Why a frame is not judged."""

    BACKLOG = "backlog"
    TOO_OLD = "too-old"


@dataclass(frozen=True, slots=True)
class ShedLimits:
    """``backlog``: seconds that what waits may take to judge. ``patience``: for how many seconds it
    may seem to take longer. ``keep_every``: of each stream a frame in so many microseconds of event
    time is judged, whatever comes. ``age``: microseconds since the brokers took a frame, inclusive,
    for which it is not too old."""

    backlog: float
    keep_every: int
    patience: float
    age: int


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


class Pressed:
    """Whether what waits somewhere presses. Several may press on the same frames."""

    def __init__(self, limits: ShedLimits) -> None:
        self._limits = limits
        self._since: float | None = None

    def by(self, backlog: float, now: float) -> float:
        """``backlog``, the seconds of work that wait, where it is too much and did not only begin
        to be; else 0. ``now`` is in seconds by any clock.

        Where much was waiting for brokers, batches are soon larger and what waits is soon done.
        """
        if backlog <= self._limits.backlog:
            self._since = None
            return 0.0
        if self._since is None:
            self._since = now
        return backlog if now - self._since >= self._limits.patience else 0.0


class Shedder:
    """Says of each frame, in the order of its partition, whether it is judged."""

    def __init__(self, limits: ShedLimits, risky: Risky) -> None:
        self._limits = limits
        self._risky = risky
        self._kept: OrderedDict[Key, int] = OrderedDict()
        """When the newest frame of a session was captured that is judged."""

    def at_risk(self, key: Key) -> bool:
        return key in self._risky

    def is_too_old(self, age: int) -> bool:
        """Of a frame that the brokers took ``age`` microseconds ago."""
        return age > self._limits.age

    def sheds(self, frame: FrameSampled, pressure: float, age: int) -> ShedReason | None:
        """Why ``frame`` is not judged; ``None`` where it is.

        ``pressure`` is the seconds of work that wait where that presses, and 0 where it does not;
        ``age`` is as for ``is_too_old``.
        """
        key = frame.stream_id, frame.session_id
        too_old = self.is_too_old(age)
        before = self._kept.get(key)
        every = self._every(key, pressure, too_old)
        # The very frame that was kept may come again, after a rebalance: it is kept again.
        if before is not None and 0 < frame.captured_at - before < every:
            return ShedReason.TOO_OLD if too_old else ShedReason.BACKLOG
        self._kept[key] = max(frame.captured_at, before or 0)
        self._kept.move_to_end(key)
        if len(self._kept) > _MOST_SESSIONS:
            self._kept.popitem(last=False)
        return None

    def _every(self, key: Key, pressure: float, too_old: bool) -> int:
        """In how many microseconds of event time a frame of the session is judged; 0: all are."""
        most, every = self._limits.backlog, self._limits.keep_every
        if key in self._risky:
            most, every = most * AT_RISK_LATER, KEEP_AT_RISK
        return every if too_old or pressure > most else 0
