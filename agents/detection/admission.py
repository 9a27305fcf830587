"""Whether what a frame sample says of itself is believable. Pure."""

from __future__ import annotations

from schemas import MICROSECONDS, FrameSampled

from ..dead_letters import DeadLetterCause, Rejection
from ..event_time import MAX_AHEAD

MAX_BEHIND = 24 * 3600 * MICROSECONDS
"""How old, in microseconds, a frame may be when it is appended."""
MAX_ID = 256
"""Bytes of an id in UTF-8. Ids go into every record downstream: one of megabytes would make records
that no broker takes, and the worker would stumble over that frame for ever."""


def admit(frame: FrameSampled, appended_at: int) -> Rejection | None:
    """Why ``frame``, taken by Kafka at ``appended_at``, is refused; ``None`` if it is not.

    Times are microseconds since the epoch; all bounds are inclusive. Kafka's time and not this
    machine's clock, so that a replay admits the same frames.
    """
    for name in ("stream_id", "session_id"):
        size = len(getattr(frame, name).encode())
        if not 1 <= size <= MAX_ID:
            detail = f"{name} of {size} bytes, 1 to {MAX_ID} are allowed"
            return Rejection(DeadLetterCause.INVALID_ID, detail)
    ahead = frame.captured_at - appended_at
    if not -MAX_BEHIND <= ahead <= MAX_AHEAD:
        direction = "after" if ahead > 0 else "before"
        detail = f"captured {abs(ahead) // MICROSECONDS} s {direction} it was appended"
        return Rejection(DeadLetterCause.EVENT_TIME_OUT_OF_RANGE, detail, frame.stream_id)
    return None
