"""Drills: which one runs, and who ordered it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from schemas import MICROSECONDS, DrillOrdered

from .sessions import Seen

LASTS = 120 * MICROSECONDS
"""A drill is over after this at the latest, however long its clip."""
STARTED, STOPPED, FAILED = "started", "stopped", "failed"
"""As ``DrillOrdered.change`` says it."""
_KEPT = 32
_STREAM = "drill-"
_ID_CHARACTERS = 8


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill, as its orders came back from Kafka."""

    started: Seen[DrillOrdered]
    ended: Seen[DrillOrdered] | None
    """That somebody stopped it, or that it failed; none where its clip or its time was over."""

    def runs(self, now: int) -> bool:
        """Whether it may still be running at ``now``; its clip may have ended by itself."""
        return self.ended is None and now < self.started.event.until

    @property
    def failure(self) -> str:
        """Why it failed, in words; empty where it did not."""
        ended = self.ended
        return ended.event.reason if ended and ended.event.change == FAILED else ""


@dataclass(slots=True)
class Drills:
    """The newest drills, by their stream, in whatever order their orders come."""

    _started: dict[str, Seen[DrillOrdered]] = field(default_factory=dict)
    _ended: dict[str, Seen[DrillOrdered]] = field(default_factory=dict)

    def take(self, event: DrillOrdered, at: int) -> None:
        """Take in an order, which Kafka had ``at``. Of one that comes again the first counts."""
        known = self._ended if event.change in (STOPPED, FAILED) else self._started
        if event.stream_id not in known or at < known[event.stream_id].at:
            known[event.stream_id] = Seen(at, event)
        if len(known) > _KEPT:
            del known[min(known, key=lambda it: (known[it].at, it))]

    def newest(self) -> Drill | None:
        """The one that was started last."""
        started = max(self._started.values(), key=lambda it: (it.at, it.event.id), default=None)
        if started is None:
            return None
        return Drill(started, self._ended.get(started.event.stream_id))

    def knows(self, order_id: str) -> bool:
        """Whether the order of this id came back."""
        orders = (*self._started.values(), *self._ended.values())
        return any(it.event.order_id == order_id for it in orders)

    def is_stopped(self, stream_id: str) -> bool:
        """Whether somebody stopped the drill of this stream, or it failed."""
        return stream_id in self._ended


def stream_of(order_id: str) -> str:
    """The stream of the drill that an order starts: the same order starts no second one."""
    return f"{_STREAM}{order_id[:_ID_CHARACTERS]}"


class AlreadyRunning(Exception):
    """This worker runs a drill: one at a time."""


class RunDrills(Protocol):
    """Sends a marked stream through production."""

    async def begin(self, order: DrillOrdered) -> None:
        """Put ``order`` on record, and send the drill's frames until it is over or stopped.

        A drill that fails is put on record with why. The same order again changes nothing.

        Raises ``AlreadyRunning``, and ``NotOrdered`` where the order can't be put on record: then
        no drill is run.
        """
        ...

    async def end(self, order: DrillOrdered) -> None:
        """Put it on record that the drill ends; the worker that runs it reads it there. Raises
        ``NotOrdered``."""
        ...


IsStopped = Callable[[str], bool]
"""Whether somebody ended the drill of a stream, as far as it came back from Kafka."""
