"""Waiting for a condition instead of sleeping for luck."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

_POLL_SECONDS = 0.02


def wait_until(
    condition: Callable[[], bool],
    limit_seconds: float,
    about: Callable[[], object] | None = None,
    every: float = _POLL_SECONDS,
) -> None:
    """Return once ``condition`` holds, looking ``every`` so many seconds; fail the test if it does
    not within the limit, with what ``about`` tells then."""
    deadline = time.monotonic() + limit_seconds
    while not condition():
        if time.monotonic() >= deadline:
            told = about() if about else condition
            raise AssertionError(f"not within {limit_seconds:g} s: {told}")
        time.sleep(every)


async def wait_until_async(condition: Callable[[], bool], limit_seconds: float) -> None:
    """``wait_until`` that lets the event loop go on."""
    async with asyncio.timeout(limit_seconds):
        while not condition():  # noqa: ASYNC110  # conditions don't announce themselves
            await asyncio.sleep(_POLL_SECONDS)
