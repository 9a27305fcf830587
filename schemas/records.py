"""The events on the wire, as Python records.

The Avro files under ``avro/`` are the source; these records follow them field for field, and a
test holds the two together. Times are integers, microseconds since the Unix epoch (UTC). Event
time is ``captured_at``, set by the shard; every other time that takes part in a decision is
derived from it.
"""

from __future__ import annotations

import msgspec

MICROSECONDS = 1_000_000
"""In a second: the unit of every time on the wire."""


class FrameRef(msgspec.Struct, frozen=True):
    """Where a frame sample lies in Kafka: evidence is pointed at, never copied along."""

    topic: str
    partition: int
    offset: int
    captured_at: int
    score: float
    """The firearm signal of this frame, 0 to 1."""


class FrameSampled(msgspec.Struct, frozen=True):
    """One frame taken from a live stream by a shard."""

    stream_id: str
    session_id: str
    shard_id: str
    sequence: int
    """Number of this sample within the session, from 0."""
    captured_at: int
    codec: str
    """``jpeg``, ``png``, ``webp`` for pictures; ``h264``, ``hevc``, ``av1`` for one key frame."""
    width: int
    height: int
    payload: bytes
    drill: bool = False

    @property
    def subject(self) -> str:
        return self.stream_id


class StreamUpdated(msgspec.Struct, frozen=True):
    """Something about a stream itself changed."""

    stream_id: str
    session_id: str
    shard_id: str
    change: str
    """``started`` or ``ended``."""
    updated_at: int
    drill: bool = False

    @property
    def subject(self) -> str:
        return self.stream_id


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


class DetectionsMade(msgspec.Struct, frozen=True):
    """A micro-batch of one bundle's detections, of frames of one partition, in offset order."""

    bundle: str
    bundle_digest: str
    frame_topic: str
    frame_partition: int
    signals: list[str]
    detections: list[Detection]

    @property
    def subject(self) -> str:
        return f"{self.frame_topic}/{self.frame_partition}"


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


class RiskAssessed(msgspec.Struct, frozen=True):
    """The windows of one stream after a frame that moved them."""

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

    @property
    def subject(self) -> str:
        return self.stream_id


class TakedownRequested(msgspec.Struct, frozen=True):
    """Stop this stream."""

    takedown_id: str
    incident_id: str
    stream_id: str
    session_id: str
    requested_at: int
    rule: str
    explanation: str
    risk: float
    evidence: list[FrameRef]
    cause_id: str
    """``risk_id`` of the event that tipped the decision."""
    policy: str
    policy_digest: str
    bundle: str
    bundle_digest: str
    drill: bool = False

    @property
    def subject(self) -> str:
        return self.stream_id


class EscalationRaised(msgspec.Struct, frozen=True):
    """Put this stream before a person."""

    escalation_id: str
    incident_id: str
    stream_id: str
    session_id: str
    raised_at: int
    severity: str
    """``high`` or ``critical``."""
    rule: str
    explanation: str
    risk: float
    evidence: list[FrameRef]
    cause_id: str
    policy: str
    policy_digest: str
    bundle: str
    bundle_digest: str
    drill: bool = False

    @property
    def subject(self) -> str:
        return self.stream_id


class BundlesDisagreed(msgspec.Struct, frozen=True):
    """A bundle on trial judged a frame to the other side of its threshold than the one that counts.

    Nothing is decided by it: it is for people who weigh the one bundle against the other.
    """

    disagreement_id: str
    stream_id: str
    session_id: str
    frame: FrameRef
    signal: str
    bundle: str
    bundle_digest: str
    score: float
    threshold: float
    """At or above it the signal is on; each bundle has its own."""
    shadow_bundle: str
    shadow_digest: str
    shadow_score: float
    shadow_threshold: float
    drill: bool = False

    @property
    def subject(self) -> str:
        return self.stream_id


class EventDeadLettered(msgspec.Struct, frozen=True):
    """An event that could not be processed, and why. The event itself stays where it lies."""

    dead_letter_id: str
    topic: str
    partition: int
    offset: int
    appended_at: int
    """Kafka's time of the record, microseconds since the epoch; -1 where the broker gave none."""
    agent: str
    cause: str
    """A member of ``DeadLetterCause``."""
    detail: str
    key: bytes
    stream_id: str = ""
    """Empty where the record could not be read far enough to know."""

    @property
    def subject(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


Event = (
    FrameSampled
    | StreamUpdated
    | DetectionsMade
    | RiskAssessed
    | TakedownRequested
    | EscalationRaised
    | BundlesDisagreed
    | EventDeadLettered
)

_EVENTS: tuple[type[Event], ...] = (
    FrameSampled,
    StreamUpdated,
    DetectionsMade,
    RiskAssessed,
    TakedownRequested,
    EscalationRaised,
    BundlesDisagreed,
    EventDeadLettered,
)

EVENT_TYPES: dict[str, type[Event]] = {event.__name__: event for event in _EVENTS}
