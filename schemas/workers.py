"""What every worker says of itself, every few seconds. Nothing is decided by it."""

from __future__ import annotations

import msgspec

from .base import Record


class AgentCounted(msgspec.Struct, frozen=True):
    """What one agent of a worker did since the worker started: rates are differences."""

    agent: str
    taken: int
    """Records that it is done with."""
    published: int
    """Events that came of them."""
    refused: int
    """What it deliberately did not take in or did not issue."""
    dead_lettered: int


class TopicCounted(msgspec.Struct, frozen=True):
    """One topic as a worker sees it; counts are since the worker started."""

    topic: str
    partitions: list[int]
    """Those that the worker has; none of a topic that it only writes to."""
    read: int
    """Records that it was given, those that it was given again among them."""
    written: int
    waiting: int
    """Records in its partitions that it is not done with, as far as the brokers told it."""
    lag_seconds: float
    """The age of the oldest of them, by the brokers' clock; 0 where none waits."""


class PartInForce(msgspec.Struct, frozen=True):
    """A model bundle or a policy that a worker works with."""

    kind: str
    """``bundle`` or ``policy``."""
    part: str
    """``live``, ``canary`` or ``shadow``."""
    label: str
    """Name and version; empty where it could not be loaded."""
    digest: str
    share: float = 1.0
    """Of the streams that it judges or decides about; 0 for a shadow, which settles nothing."""
    provider: str = ""
    """What a bundle runs on, as ONNX Runtime calls it."""


class WorkerReported(Record, frozen=True):
    """What a worker is and does. It names no machine and nobody."""

    ID = "report_id"
    TIME = "reported_at"
    SUBJECT = "worker_id"

    report_id: str
    worker_id: str
    """Made up by the process as it starts: a worker that is started again is another."""
    role: str
    """``detection`` or ``judgement``."""
    started_at: int
    reported_at: int
    agents: list[AgentCounted]
    topics: list[TopicCounted]
    in_force: list[PartInForce]
    not_ready: list[str]
    """What it lacks to do its whole work."""
    errors: list[str]
    """What is wrong with it now, in words."""
    batch_size: int
    """Frames that it judges at once, now; 0 for a worker that judges none."""
    batch_most: int
    seconds_per_batch: float
    """What a batch takes besides its frames, as it was learned."""
    seconds_per_frame: float
    rss_bytes: int
    """Memory that the process has."""
