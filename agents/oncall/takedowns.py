"""The takedowns of a stream, each with what services answered. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas import Event, TakedownAcknowledged, TakedownRequested


@dataclass(frozen=True, slots=True)
class Asked:
    """A takedown that was asked for, and what services answered, in order."""

    takedown: TakedownRequested
    answers: tuple[TakedownAcknowledged, ...]


def takedowns_of(events: Sequence[Event]) -> list[Asked]:
    """Each takedown once, in order of time, however often it was asked for."""
    takedowns = {it.takedown_id: it for it in events if isinstance(it, TakedownRequested)}
    answers = [it for it in events if isinstance(it, TakedownAcknowledged)]
    return [
        Asked(takedown, tuple(it for it in answers if it.takedown_id == name))
        for name, takedown in takedowns.items()
    ]
