"""Ending single streams of a run from outside: what a takedown service does on its shard."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import StrEnum


class StopOutcome(StrEnum):
    """What became of a request to stop a stream."""

    STOPPED = "stopped"
    """It has ended, by this or before."""
    NOT_CARRIED = "not-carried"
    """The run has no such session of the stream: another shard may."""
    STILL_RUNNING = "still-running"
    """It did not end in time; it ends as soon as it can."""


@dataclass(frozen=True, slots=True)
class Carried:
    """One session that a run samples: whether it is to end, and whether it has."""

    asked_to_end: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)


class Stops:
    """The sessions that a run samples, to be ended one by one from any thread."""

    def __init__(self) -> None:
        self._carried: dict[tuple[str, str], Carried] = {}

    def carry(self, stream_id: str, session_id: str) -> Carried:
        """The run says that it samples this session, or is about to."""
        return self._carried.setdefault((stream_id, session_id), Carried())

    def stop(self, stream_id: str, session_id: str, seconds: float) -> StopOutcome:
        """End a session, and wait up to ``seconds`` until nothing more of it is sampled."""
        carried = self._carried.get((stream_id, session_id))
        if carried is None:
            return StopOutcome.NOT_CARRIED
        carried.asked_to_end.set()
        return StopOutcome.STOPPED if carried.ended.wait(seconds) else StopOutcome.STILL_RUNNING
