"""Folding events into a read model, as if Kafka had each at the event's own time."""

from __future__ import annotations

from collections.abc import Iterable

from agents.oncall.read_model import ReadModel
from agents.oncall.rows import StreamRow
from schemas import Event
from tests.builders import SECOND

from .events import NOW

LATE = 30 * SECOND


def told(events: Iterable[Event | tuple[Event, int]], max_streams: int = 100) -> ReadModel:
    """``events``, each with when Kafka had it unless that is its own time."""
    model = ReadModel(max_streams=max_streams)
    for told in events:
        event, at = told if isinstance(told, tuple) else (told, told.time)
        model.apply(event, at)
    return model


def only_row(
    *events: Event | tuple[Event, int], now: int = NOW, late_after: int | None = None
) -> StreamRow:
    (row,) = told(events).rows(now, late_after_us=late_after)
    return row
