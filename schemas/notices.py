"""What people have to know about the topology itself. Nothing of it stops a stream."""

from __future__ import annotations

import msgspec

from .base import FrameRef, Record


class BundlesDisagreed(Record, frozen=True):
    """A bundle on trial judged a frame to the other side of its threshold than the one that counts.

    Nothing is decided by it: it is for people who weigh the one bundle against the other.
    """

    ID = "disagreement_id"

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
    def time(self) -> int:
        return self.frame.captured_at


class PoliciesDisagreed(Record, frozen=True):
    """A policy on trial would have asked for something else than the one that counts."""

    ID = "disagreement_id"
    TIME = "decided_at"

    disagreement_id: str
    stream_id: str
    session_id: str
    decided_at: int
    cause_id: str
    policy: str
    policy_digest: str
    effects: list[str]
    """Names of what was asked for, in order; empty where nothing was."""
    explanation: str
    shadow_policy: str
    shadow_digest: str
    shadow_effects: list[str]
    shadow_explanation: str
    drill: bool = False


class StreamUnwatched(Record, frozen=True):
    """A live stream's frames are not judged in time, or are again. Someone must look."""

    ID = "notice_id"
    TIME = "noticed_at"

    notice_id: str
    stream_id: str
    session_id: str
    noticed_at: int
    watched_again: bool
    reason: str
    """``never-judged``, ``frames-stopped`` or ``lagging``; what it was, once watched again."""
    since: int
    """When the newest judged frame was appended, or the stream started where there is none."""
    state: str
    viewers: int
    drill: bool = False


class BreakerTripped(Record, frozen=True):
    """Takedowns become escalations everywhere until ``expires_at`` or until an operator says so."""

    ID = "trip_id"
    TIME = "tripped_at"

    trip_id: str
    cause: str
    """``takedowns``, ``streams-at-risk`` or ``operator``."""
    tripped_at: int
    expires_at: int
    explanation: str
    policy: str
    policy_digest: str

    @property
    def subject(self) -> str:
        return "breaker"


class AlertRaised(Record, frozen=True):
    """Something that runs needs a person, such as a policy file that can't be used."""

    ID = "alert_id"
    TIME = "raised_at"

    alert_id: str
    kind: str
    """``policy-broken`` or ``policy-mended``."""
    raised_at: int
    source: str
    detail: str

    @property
    def subject(self) -> str:
        return self.source


class StreamShed(msgspec.Struct, frozen=True):
    """What of one session was not judged."""

    stream_id: str
    session_id: str
    at_risk: bool
    """Whether it was known to be at risk."""
    offsets: list[int]
    """Where the frames lie."""


class FramesShed(Record, frozen=True):
    """Frames that were not judged, as more came than could be or they were too old: by stream.

    They stay where they lie, in one partition of one topic.
    """

    ID = "shed_id"
    TIME = "shed_at"

    shed_id: str
    shed_at: int
    """When the newest of these frames was appended."""
    frame_topic: str
    frame_partition: int
    backlog_seconds: float
    """How long what waited would have taken to judge."""
    streams: list[StreamShed]
    reason: str = "backlog"
    """``backlog``, or ``too-old``: the brokers took them longer ago than ``FIREBREAK_SHED_AGE``."""

    @property
    def subject(self) -> str:
        return str(self.frame_partition)


class EventDeadLettered(Record, frozen=True):
    """An event that could not be processed, and why. The event itself stays where it lies."""

    ID = "dead_letter_id"

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
    attempt: int = 1
    """The how-manieth time it failed; it rises when it is redriven."""

    @property
    def time(self) -> int:
        return max(self.appended_at, 0)

    @property
    def subject(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


class EventRedriven(Record, frozen=True):
    """A dead letter's event was put back where it came from, to be processed once more."""

    ID = "dead_letter_id"
    TIME = "redriven_at"

    dead_letter_id: str
    redriven_at: int
    topic: str
    partition: int
    offset: int
    """Where the event lay that failed."""
    operator: str
    """Pseudonym of who ordered it."""
    reason: str
    order_id: str = ""
    """One order redrives many; empty where it came from the command line."""

    @property
    def subject(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"
