"""What the brokers' clock says, by the times that they gave to what this process published.

A worker's clock may jump by an hour. How long the brokers have had a record is told by the clock
that the record's time is of.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, TIMESTAMP_NOT_AVAILABLE


class BrokersClock:
    """Heard on one thread and asked on another. ``steady`` is a clock in nanoseconds that never
    jumps.

    It is behind by as long as the last acknowledgement was on its way, and never ahead. Brokers
    that leave records the time that they came with, as the embedded one does, are taken to have
    this machine's clock.
    """

    def __init__(self, steady: Callable[[], int] = time.monotonic_ns) -> None:
        self._steady = steady
        self._ahead: int | None = None
        """Microseconds by which it is ahead of the steady clock."""
        self._told = False
        """Whether brokers gave a time of their own."""

    def hear(self, kind: int, milliseconds: int) -> None:
        """A record was acknowledged just now, with this time; ``kind`` is librdkafka's."""
        own = kind == TIMESTAMP_LOG_APPEND_TIME
        if kind == TIMESTAMP_NOT_AVAILABLE or (self._told and not own):
            return
        self._told = own
        self._ahead = milliseconds * 1000 - self._steady() // 1000

    def now(self) -> int | None:
        """Microseconds since the epoch; ``None`` where nothing was acknowledged yet."""
        return None if self._ahead is None else self._ahead + self._steady() // 1000
