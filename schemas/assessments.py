"""What is found out about streams: detections, windows, risk, and which streams are watched."""

from __future__ import annotations

import msgspec

from .base import FrameRef, Record
from .ids import derive_id


class Detection(msgspec.Struct, frozen=True):
    """What the model says of one frame sample."""

    stream_id: str
    session_id: str
    sequence: int
    captured_at: int
    offset: int
    """Offset of the frame sample in the partition that the batch names."""
    appended_at: int
    """Kafka's time of the frame sample, microseconds since the epoch."""
    drill: bool
    scores: list[float]
    """One score, 0 to 1, for each signal that the batch names, in its order."""


class DetectionsMade(Record, frozen=True):
    """A micro-batch of one bundle's detections, of frames of one partition, in offset order."""

    bundle: str
    bundle_digest: str
    frame_topic: str
    frame_partition: int
    signals: list[str]
    detections: list[Detection]

    @property
    def id(self) -> str:
        offsets = [detection.offset for detection in self.detections]
        return derive_id(
            "detections", self.frame_topic, self.frame_partition, self.bundle_digest, *offsets
        )

    @property
    def time(self) -> int:
        """Of the newest frame."""
        return max((detection.captured_at for detection in self.detections), default=0)

    @property
    def subject(self) -> str:
        return f"{self.frame_topic}/{self.frame_partition}"


class SignalSummary(msgspec.Struct, frozen=True):
    """One signal over one window."""

    signal: str
    hits: int
    """Frames in which it reached the hit threshold."""
    on: int
    """Of the window's observed half seconds, those with a hit: the k of k-of-n."""
    mean: float


class WindowSummary(msgspec.Struct, frozen=True):
    """One stream's detections over one sliding window that ends at ``assessed_at``."""

    seconds: float
    frames: int
    hits: int
    """Frames whose firearm signal reached the hit threshold."""
    coverage: float
    """Observed share of the window, 0 to 1, in time and not in frames."""
    mean: float
    peak: float
    fictional: float = 0.0
    """Mean of the fictional signal (game or film), 0 to 1; 0 where the model has none."""
    observed: int = 0
    """Half seconds with a frame: the n of k-of-n."""
    signals: list[SignalSummary] = []


class SignalEvidence(msgspec.Struct, frozen=True):
    """How far one signal's frames speak for it, taken together, as a sequential test."""

    signal: str
    log_odds: float
    """Cumulative sum, never below 0, over the longest window; see ``aggregation.evidence``."""
    since: int
    """Event time at which that sum last left 0; 0 where it is 0."""


class RiskAssessed(Record, frozen=True):
    """The windows of one stream after a frame that moved them."""

    ID = "risk_id"
    TIME = "assessed_at"

    risk_id: str
    stream_id: str
    session_id: str
    assessed_at: int
    """The stream's watermark, in event time."""
    risk: float
    windows: list[WindowSummary]
    evidence: list[FrameRef]
    """The highest-scoring frames of the longest window, highest first."""
    cause: FrameRef
    bundle: str
    bundle_digest: str
    drill: bool = False
    signals: list[SignalEvidence] = []


class StreamHeard(msgspec.Struct, frozen=True):
    """The newest judged frame of a session."""

    stream_id: str
    session_id: str
    captured_at: int
    appended_at: int
    """Kafka's time of the frame sample: how far judging lags behind, whatever the shard's clock."""
    frames: int = 0
    """Frames judged since the session was told of last; 0 where they were not counted."""


class StreamsHeard(Record, frozen=True):
    """The sessions of a partition with frames judged of late, each every few seconds."""

    TIME = "heard_at"

    partition: int
    heard_at: int
    streams: list[StreamHeard]

    @property
    def id(self) -> str:
        return derive_id("heard", self.partition, self.heard_at)

    @property
    def subject(self) -> str:
        return str(self.partition)


class StreamsCounted(Record, frozen=True):
    """How the streams of a partition stand: from all of these the share at risk follows."""

    TIME = "counted_at"

    partition: int
    counted_at: int
    live: int
    at_risk: int
    unwatched: int

    @property
    def id(self) -> str:
        return derive_id("counted", self.partition, self.counted_at)

    @property
    def subject(self) -> str:
        return str(self.partition)
