"""Events of all partitions, as controls get them; times in seconds of the timeline."""

from __future__ import annotations

from typing import Any

from schemas import BreakerTripped, DecisionReversed, StreamsCounted, TakedownRequested
from tests.oncall.events import takedown_requested

from .timeline import STREAM, at


def takedown(seconds: float, stream: str = STREAM, **given: Any) -> TakedownRequested:
    """The takedown of a stream; asked for again it is the same."""
    about: dict[str, Any] = {
        "takedown_id": f"takedown-of-{stream}",
        "incident_id": f"incident-of-{stream}",
        "stream_id": stream,
        "session_id": "session-1",
        "requested_at": at(seconds),
    }
    return takedown_requested(**{**about, **given})


def reversal(seconds: float, stream: str = STREAM) -> DecisionReversed:
    """A person takes ``takedown`` of the stream back."""
    return DecisionReversed(
        reversal_id=f"reversal-of-{stream}",
        incident_id=f"incident-of-{stream}",
        takedown_id=f"takedown-of-{stream}",
        stream_id=stream,
        session_id="session-1",
        reversed_at=at(seconds),
        operator="operator-7",
        reason="a film",
        cause_id="command-1",
        policy="test/1",
        policy_digest="c" * 64,
    )


def counted(
    seconds: float, partition: int = 0, live: int = 0, at_risk: int = 0, *, unwatched: int = 0
) -> StreamsCounted:
    return StreamsCounted(partition, at(seconds), live, at_risk, unwatched)


def tripped(seconds: float, until: float, cause: str = "takedowns") -> BreakerTripped:
    """By another worker."""
    return BreakerTripped(
        trip_id=f"trip-{seconds}",
        cause=cause,
        tripped_at=at(seconds),
        expires_at=at(until),
        explanation="5 takedowns within 10 minutes",
        policy="test/1",
        policy_digest="c" * 64,
    )
