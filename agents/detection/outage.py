"""When an origin of payloads is asked no more for a while. Pure."""

from __future__ import annotations

FAILURES = 16
"""So many in a row are needed: as many as are asked at once."""
PATIENCE = 5.0
"""Seconds for which nothing may have come: about as long as one payload is tried for."""
RETRY = 5.0
"""Seconds after which one more payload is asked for."""


class Outage:
    """Whether an origin hangs or fails, as opposed to being busy: nothing comes from it any more.

    Times are seconds by any clock.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._since = 0.0
        self._last = ""
        self._ask_at: float | None = None

    def refuses(self, now: float) -> str | None:
        """Why nothing is asked for at ``now``, the last failure; ``None`` where something is.

        In an outage that is once in ``RETRY``, so each ``None`` is to be used.
        """
        if self._ask_at is None:
            return None
        if now >= self._ask_at:
            self._ask_at = now + RETRY
            return None
        return self._last

    def answered(self) -> None:
        """Something came, be it a refusal."""
        self._failures = 0
        self._ask_at = None

    def failed(self, now: float, why: str) -> None:
        """An attempt failed in a way that may pass."""
        if self._failures == 0:
            self._since = now
        self._failures += 1
        self._last = why
        if self._failures >= FAILURES and now - self._since >= PATIENCE:
            self._ask_at = now + RETRY
