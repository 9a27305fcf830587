"""What Kafka's client logs while brokers are away: each thing once in a while, with a count.

It tries again many times a second, and has a line for each: a minute without a broker would be a
thousand lines of every worker, among which an on-call engineer looks for the one that matters.
"""

from __future__ import annotations

import logging

LOGGERS = (
    "aiokafka",
    "aiokafka.conn",
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
)
"""A logger's filter sees what is logged by that name alone, so each is named."""
QUIET_SECONDS = 10.0
MOST_KNOWN = 256
"""Messages with offsets in them are each of their own: so many are kept apart, the newest."""


class OnceInAWhile(logging.Filter):
    """Leaves out what was said word for word less than ``QUIET_SECONDS`` ago, and counts it."""

    def __init__(self) -> None:
        super().__init__()
        # When it was last let through, by the record's clock, and how often it came since.
        self._said: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        at, since = self._said.pop(message, (float("-inf"), 0))
        # A clock that was put back is no reason for silence.
        if 0 <= record.created - at < QUIET_SECONDS:
            self._said[message] = at, since + 1
            return False
        self._said[message] = record.created, 0
        if len(self._said) > MOST_KNOWN:
            del self._said[next(iter(self._said))]
        if since:
            record.msg, record.args = f"{message} (and {since} times in between)", ()
        return True


def spare_repeats() -> None:
    """From now on, for this process."""
    for name in LOGGERS:
        log = logging.getLogger(name)
        if not any(isinstance(it, OnceInAWhile) for it in log.filters):
            log.addFilter(OnceInAWhile())
