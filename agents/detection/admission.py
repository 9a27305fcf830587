"""Whether a frame sample's event time is believable. Pure."""

from __future__ import annotations

from ..dead_letters import DeadLetterCause, Rejection

MAX_AHEAD = 60 * 1_000_000
"""How far, in microseconds, a shard's clock may be ahead of the broker's. One frame of the far
future would make every honest frame after it late."""
MAX_BEHIND = 24 * 3600 * 1_000_000
"""How old, in microseconds, a frame may be when it is appended."""


def admit_time(captured_at: int, appended_at: int, stream_id: str) -> Rejection | None:
    """Why ``captured_at`` is refused beside the time Kafka took the record; ``None`` if it is not.

    Both are microseconds since the epoch; both bounds are inclusive. Kafka's time and not this
    machine's clock, so that a replay admits the same frames.
    """
    ahead = captured_at - appended_at
    if -MAX_BEHIND <= ahead <= MAX_AHEAD:
        return None
    direction = "after" if ahead > 0 else "before"
    detail = f"captured {abs(ahead) // 1_000_000} s {direction} it was appended"
    return Rejection(DeadLetterCause.EVENT_TIME_OUT_OF_RANGE, detail, stream_id)
