"""What the demo saw of each stream, folded from the topics. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from agents.aggregation.windows import WindowSpec
from agents.oncall.sessions import shows_something
from schemas import (
    MICROSECONDS,
    DetectionsMade,
    EscalationRaised,
    Event,
    EventDeadLettered,
    RiskAssessed,
    TakedownAcknowledged,
    TakedownRequested,
)


@dataclass
class StreamTally:
    """One stream. Event times and Kafka's times are microseconds since the epoch."""

    judged: dict[int, int] = field(default_factory=dict)
    """Kafka's time of each frame by the frame's event time: a frame judged again counts once."""
    first_captured_at: int | None = None
    first_seen_at: int | None = None
    """Event time of the first frame whose firearm signal is a hit."""
    peak: float = 0.0
    risk: float = 0.0
    stirs: bool = False
    """Whether the windows of the newest risk show anything."""
    drill: bool = False
    dead_letters: int = 0
    escalation: EscalationRaised | None = None
    takedown: TakedownRequested | None = None
    takedown_appended_at: int | None = None
    stopped_at: int | None = None
    """Kafka's time of the first answer that the stream was stopped."""

    @property
    def state(self) -> str:
        if self.takedown:
            return "stopped" if self.stopped_at else "taken down"
        if self.escalation:
            return "escalated"
        return "watching" if self.stirs else "clear"

    def onset(self, labelled_seconds: float | None) -> int | None:
        """Event time of the first judged frame with a firearm.

        By the clip's label, in seconds from its start, where it has one; by the model otherwise.
        """
        if labelled_seconds is None or self.first_captured_at is None:
            return self.first_seen_at
        shown = self.first_captured_at + round(labelled_seconds * MICROSECONDS)
        return min((at for at in self.judged if at >= shown), default=None)

    def seconds_to_takedown(self, labelled_seconds: float | None) -> tuple[float, float] | None:
        """From onset to takedown in event time and in Kafka's time, in seconds."""
        onset = self.onset(labelled_seconds)
        if self.takedown is None or self.takedown_appended_at is None or onset is None:
            return None
        event_time = self.takedown.requested_at - onset
        wall = self.takedown_appended_at - self.judged[onset]
        return event_time / MICROSECONDS, wall / MICROSECONDS

    @property
    def seconds_to_stop_wall(self) -> float | None:
        """From the takedown to the answer that it is done, in Kafka's time."""
        if self.takedown_appended_at is None or self.stopped_at is None:
            return None
        return (self.stopped_at - self.takedown_appended_at) / MICROSECONDS


@dataclass
class Tally:
    """All streams of a run."""

    streams: dict[str, StreamTally] = field(default_factory=dict)
    dead_letters: Counter[str] = field(default_factory=Counter)
    bundle: str = ""
    last_settled_at: int = 0
    """Kafka's time of the last detections or dead letter."""

    def stream(self, stream_id: str) -> StreamTally:
        return self.streams.setdefault(stream_id, StreamTally())

    @property
    def settled(self) -> int:
        """Frames judged or dead-lettered."""
        judged = sum(len(stream.judged) for stream in self.streams.values())
        return judged + sum(self.dead_letters.values())

    @property
    def unanswered(self) -> bool:
        """Whether a takedown waits for its service."""
        return any(it.takedown and it.stopped_at is None for it in self.streams.values())

    def apply(self, event: Event, appended_at: int) -> None:
        """Take in one event that Kafka took at ``appended_at``."""
        match event:
            case DetectionsMade():
                self.bundle = event.bundle
                self.last_settled_at = max(self.last_settled_at, appended_at)
                self._count(event)
            case RiskAssessed():
                stream = self.stream(event.stream_id)
                stream.risk, stream.stirs = event.risk, shows_something(event)
            case EscalationRaised():
                stream = self.stream(event.stream_id)
                stream.escalation = stream.escalation or event
            case TakedownRequested():
                stream = self.stream(event.stream_id)
                if stream.takedown is None:
                    stream.takedown, stream.takedown_appended_at = event, appended_at
            case TakedownAcknowledged() if event.outcome == "stopped":
                stream = self.stream(event.stream_id)
                stream.stopped_at = stream.stopped_at or appended_at
            case EventDeadLettered():
                self.dead_letters[event.cause] += 1
                self.last_settled_at = max(self.last_settled_at, appended_at)
                if event.stream_id:
                    self.stream(event.stream_id).dead_letters += 1

    def _count(self, batch: DetectionsMade) -> None:
        firearm = batch.signals.index("firearm")
        for item in batch.detections:
            stream = self.stream(item.stream_id)
            at, score = item.captured_at, item.scores[firearm]
            stream.judged.setdefault(at, item.appended_at)
            stream.first_captured_at = min(at, stream.first_captured_at or at)
            stream.peak = max(stream.peak, score)
            stream.drill = item.drill
            if score >= WindowSpec().hit:
                stream.first_seen_at = min(at, stream.first_seen_at or at)
