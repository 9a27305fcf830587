"""What every record on the wire has: an id, a time and a subject, under names of its own.

The Avro files under ``avro/`` are the source; the records follow them field for field, and a test
holds the two together. Times are integers, microseconds since the Unix epoch (UTC). Event time is
``captured_at``, set by the shard; every other time that takes part in a decision is derived from
it, or is Kafka's.
"""

from __future__ import annotations

from typing import ClassVar, cast

import msgspec

MICROSECONDS = 1_000_000
"""In a second: the unit of every time on the wire."""


class Record(msgspec.Struct, frozen=True):
    """An event. ``ID`` and ``TIME`` name the fields that say which it is, and when it was."""

    ID: ClassVar[str]
    TIME: ClassVar[str]
    SUBJECT: ClassVar[str] = "stream_id"

    @property
    def id(self) -> str:
        """What becomes ``ce_id``: the same event has the same, whoever sends it, however often."""
        return cast(str, getattr(self, self.ID))

    @property
    def time(self) -> int:
        """What becomes ``ce_time``, microseconds since the epoch."""
        return cast(int, getattr(self, self.TIME))

    @property
    def subject(self) -> str:
        """What the event is about, which is also its key unless its topic says otherwise."""
        return cast(str, getattr(self, self.SUBJECT))


class FrameRef(msgspec.Struct, frozen=True):
    """Where a frame sample lies in Kafka: evidence is pointed at, never copied along."""

    topic: str
    partition: int
    offset: int
    captured_at: int
    score: float
    """The firearm signal of this frame, 0 to 1."""
