"""Giving orders through the on-call view, and hearing what became of them.

An order goes out under the name that the token is for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import msgspec

from agents.oncall.handles import handle_of

from .api_client import Api
from .override import OrderUnanswered

_LONGEST_WAIT = 30
_PAUSE_SECONDS = 0.5


class Became(msgspec.Struct, frozen=True):
    """An order, and what became of it, as far as the view knows."""

    order_id: str
    phase: str
    final: bool
    command: str = ""
    stream_id: str = ""
    session_id: str = ""
    scope: str = ""
    until: int | None = None
    refusal: str = ""
    refusal_told: str = ""
    state_before: str = ""
    state_after: str = ""
    incident_id: str = ""
    held_by: str = ""


class Foretold(msgspec.Struct, frozen=True):
    """What an order would do."""

    follows: list[str]
    refusal: str
    session_id: str = ""
    """Empty of an order that is of no stream."""
    already: str = ""
    """Why it is likely to change nothing."""


def order_stream(api: Api, handle: str, body: Mapping[str, object]) -> Became:
    """Order something of the stream. Raises ``ApiUnreachable``, ``ApiRefused``."""
    return api.post(f"/api/v1/streams/{handle}/orders", body, Became)


def order(api: Api, stream_id: str, body: Mapping[str, object]) -> Became:
    """Order something of the stream, or of what ``body`` says its scope is where that is empty."""
    if stream_id:
        return order_stream(api, handle_of(stream_id), body)
    return api.post("/api/v1/orders", body, Became)


def wait_for(
    api: Api,
    given: Became,
    seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Became:
    """What became of the order once nothing more does.

    Raises ``OrderUnanswered`` after ``seconds``, ``ApiUnreachable`` and ``ApiRefused``.
    """
    until = clock() + seconds
    became = given
    while not became.final:
        left = until - clock()
        if left <= 0:
            raise OrderUnanswered(
                f"order {given.order_id} was sent, and it is not known whether it took effect: "
                f"no worker answered within {seconds:g} s"
            )
        asked_at = clock()
        wait = max(min(int(left), _LONGEST_WAIT), 1)
        became = api.get(f"/api/v1/orders/{given.order_id}", Became, wait=wait)
        if not became.final and clock() - asked_at < _PAUSE_SECONDS:
            # A worker that stops, or at which too many wait, keeps nobody waiting.
            pause(_PAUSE_SECONDS)
    return became
