"""Drills that people run: a marked stream that goes the whole way, and that nothing acts on."""

from __future__ import annotations

from .base import Record


class DrillOrdered(Record, frozen=True):
    """A person started a drill, or ended it before it was over, or it failed.

    It is an event of its own and no command: nothing is decided by it, and nobody but the worker
    that samples the drill's frames obeys it. It is no alert either: who ordered it and why are part
    of the record of what people did, which is kept. It is told before the first frame is: a drill
    that can't be told of is not run.
    """

    ID = "order_id"
    TIME = "ordered_at"

    order_id: str
    change: str
    """``started``, ``stopped`` or ``failed``."""
    stream_id: str
    """The drill's own stream."""
    operator: str
    """Pseudonym of who ordered it; of one that failed, who had started it."""
    reason: str
    """Of one that failed, what it failed on."""
    ordered_at: int
    until: int
    """When it is over at the latest; of one that was stopped or failed, when that was."""
