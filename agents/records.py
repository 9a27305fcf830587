"""Kafka records as agents get them: in runs, records of one partition that came together.

A run is one event to Faust, so that what Faust does for an event is done once a run and not once a
record (``topology.runs`` makes them).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from faust.types import EventT

from schemas import ReadHeaders


class Record(Protocol):
    """One Kafka record, as aiokafka has it."""

    @property
    def topic(self) -> str: ...

    @property
    def partition(self) -> int: ...

    @property
    def offset(self) -> int: ...

    @property
    def timestamp(self) -> int:
        """Milliseconds since the epoch, by the topic's clock; -1 where there is none."""
        ...

    @property
    def key(self) -> bytes | None: ...

    @property
    def value(self) -> bytes | None: ...

    @property
    def headers(self) -> ReadHeaders: ...


Run = Sequence[Record]
RunEvent = EventT[Run]
