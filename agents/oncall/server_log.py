"""What aiohttp's server logs: nothing of who asked, nor of what they wrote.

A request that is no HTTP is logged by it with the line that it can't read, query and all, and each
failure with the address of who caused it; anybody can cause the first.
"""

from __future__ import annotations

import logging
from collections import Counter

from aiohttp.http_exceptions import HttpProcessingError

_LOGGER = "aiohttp.server"
_COUNTED = "web refused not-http"


class Nameless(logging.Filter):
    """Leaves out what can't be read, which it counts, and the address of all else."""

    def __init__(self, counts: Counter[str]) -> None:
        super().__init__()
        self._counts = counts

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            self._counts[_COUNTED] += 1
            return False
        record.msg, record.args = "the web server failed at a request", ()
        return True


def keep_nameless(counts: Counter[str]) -> None:
    """From now on, for this process, whose ``counts`` these are."""
    log = logging.getLogger(_LOGGER)
    for former in [it for it in log.filters if isinstance(it, Nameless)]:
        log.removeFilter(former)
    log.addFilter(Nameless(counts))
