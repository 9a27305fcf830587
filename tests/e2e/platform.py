"""What stands around judgement workers on a real broker: who sends to them, and who reads."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas import (
    BreakerTripped,
    CommandAnswered,
    DecisionReversed,
    EscalationRaised,
    Event,
    OperatorCommanded,
    StreamUnwatched,
    TakedownAcknowledged,
    TakedownRequested,
    derive_id,
    topics,
)
from tests.brokers import BrokerKind, running_broker
from tests.builders import SECOND, detection, detections_made
from tests.e2e.support import CODEC, Reader, produce
from tests.e2e.workers import Workers, policy_file
from tests.waiting import wait_until
from topology.settings import Settings
from topology.topic_admin import apply_topics

WAIT = 30.0
READ: tuple[type[Event], ...] = (
    TakedownRequested,
    EscalationRaised,
    DecisionReversed,
    CommandAnswered,
    BreakerTripped,
    StreamUnwatched,
)


@dataclass
class Platform:
    """What stands around the topology: shards, operators, takedown services; and who reads."""

    bootstrap: str
    workers: Workers
    readers: dict[type[Event], Reader]
    frames: dict[str, int] = field(default_factory=dict)

    def show(
        self, stream: str, seconds: float, firearm: float = 0.9, *, drill: bool = False
    ) -> None:
        """``seconds`` more of a stream, at two frames a second, up to now in event time."""
        first, count = self.frames.get(stream, 0), round(seconds * 2)
        start = time.time_ns() // 1000 - (first + count) * SECOND // 2
        if first:
            start = self._starts[stream]
        self._starts.setdefault(stream, start)
        self.frames[stream] = first + count
        records = []
        for number in range(first, first + count):
            at = start + number * SECOND // 2
            made = detections_made(
                detection(
                    number,
                    firearm,
                    stream_id=stream,
                    session_id=f"{stream}-session",
                    captured_at=at,
                    appended_at=time.time_ns() // 1000,
                    drill=drill,
                )
            )
            records.append((stream.encode(), CODEC.encode(made)))
        produce(self.bootstrap, topics.DETECTIONS, records)

    def send(self, *events: Event) -> None:
        for event in events:
            topic = topics.TOPIC_OF[type(event).__name__]
            produce(self.bootstrap, topic, [(event.subject.encode(), CODEC.encode(event))])

    def order(self, command: str, stream: str = "", scope: str = "", minutes: float = 0) -> str:
        now = time.time_ns() // 1000
        until = now + round(minutes * 60 * SECOND) if minutes else 0
        command_id = str(uuid.uuid4())
        self.send(
            OperatorCommanded(
                command_id, command, "operator-7", "looked at it", now, stream, "", scope, until
            )
        )
        self.answer(command_id)
        return command_id

    def answer(self, command_id: str) -> CommandAnswered:
        def found() -> list[CommandAnswered]:
            return [it for it in self.events(CommandAnswered) if it.command_id == command_id]

        wait_until(lambda: bool(found()), WAIT, about=self.workers.told)
        return found()[0]

    def confirm(self, stream: str) -> None:
        """A takedown service stops the stream."""
        asked = self.of(TakedownRequested, stream)[-1]
        about = (asked.takedown_id, stream, asked.session_id)
        answer_id = derive_id("acknowledgement", asked.takedown_id)
        now = time.time_ns() // 1000
        self.send(TakedownAcknowledged(answer_id, *about, "stopped", "", "service-1", now))

    def events(self, event_type: type[Event]) -> list[Any]:
        return self.readers[event_type].events()

    def of(self, event_type: type[Event], stream: str) -> list[Any]:
        return [it for it in self.events(event_type) if it.stream_id == stream]

    def breakers(self) -> list[bool]:
        """Whether the breaker is open, as each worker knows it."""
        statuses = self.workers.status()
        return [status["runs"]["controls"]["breaker"]["open"] for status in statuses]

    def wait_for(self, event_type: type[Event], stream: str, count: int = 1) -> list[Any]:
        wait_until(
            lambda: len(self.of(event_type, stream)) >= count, WAIT, about=self.workers.status
        )
        return self.of(event_type, stream)

    _starts: dict[str, int] = field(default_factory=dict)


@contextmanager
def running_platform(
    kind: BrokerKind, folder: Path, workers: int, changes: Sequence[tuple[str, str]]
) -> Iterator[Platform]:
    """So many judgement workers under the default policy with ``changes`` (``policy_file``)."""
    with running_broker(kind, folder) as bootstrap:
        apply_topics(Settings(runtime_dir=folder), bootstrap)
        policy = policy_file(folder / "policy.toml", *changes)
        crew = Workers(bootstrap, folder / "workers", policy)
        readers = {each: Reader(bootstrap, each) for each in READ}
        try:
            for _ in range(workers):
                crew.start()
            yield Platform(bootstrap, crew, readers)
        finally:
            crew.end_all()
            for reader in readers.values():
                reader.__exit__()
