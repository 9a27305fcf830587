"""A stream's past from Kafka: what the model said of its frames, its risk, and what was decided.

All of a stream lies in the partition of one number, together with the other streams of it, so
what is read is bounded and what had to be left out is said. Detections, of which there are most,
are read from the newest minute backwards.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar

from confluent_kafka import Message

from agents.oncall.belonging import belongs_to
from agents.oncall.bounds import bounded_id
from agents.oncall.ports import History, Moment, Sample, Span
from schemas import (
    MICROSECONDS,
    Codec,
    CommandAnswered,
    DecisionReversed,
    DetectionsMade,
    EscalationRaised,
    Event,
    EventUnreadable,
    IncidentClosed,
    OperatorCommanded,
    ReferralPrepared,
    RiskAssessed,
    SamplingBoostRequested,
    StreamUnwatched,
    StreamUpdated,
    TakedownAcknowledged,
    TakedownRequested,
    topics,
)

from ..incident.log import TopicLog, place_of
from ..incident.records import IncidentRecord, Place, in_order, utc
from ..incident.timeline import shown
from ..kafka_config import partition_of
from .readings import Briefly, Readings

E = TypeVar("E", bound=Event)

_SECONDS = 12.0
"""For all of a reading; each of its parts ends by itself after ``_PART_SECONDS``."""
_PART_SECONDS = 3.0
_PART_BYTES = 48 * 1024 * 1024
_PART_RECORDS = 100_000
_MOST = 20_000
"""Of samples, of risks and of events that are kept of one stream."""
_NEWEST = 60 * MICROSECONDS
_KEPT_SECONDS = 5.0
_KEPT = 4
_LEAN = {"queued.max.messages.kbytes": 16 * 1024}
_NEWS: tuple[type[Event], ...] = (StreamUpdated, StreamUnwatched)
_DECIDED: tuple[type[Event], ...] = (
    OperatorCommanded,
    SamplingBoostRequested,
    EscalationRaised,
    TakedownRequested,
    ReferralPrepared,
    TakedownAcknowledged,
    CommandAnswered,
    DecisionReversed,
    IncidentClosed,
)


class KafkaHistory:
    """A ``ReadHistory``. ``config`` is librdkafka's; ``partitions`` is how many each topic has."""

    def __init__(
        self,
        config: Mapping[str, Any],
        codec: Codec,
        partitions: int,
        readings: Readings,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = {**config, **_LEAN}
        self._codec = codec
        self._partitions = partitions
        self._readings = readings
        self._briefly: Briefly[History] = Briefly(_KEPT_SECONDS, _KEPT)
        self._now = now

    async def __call__(self, stream_id: str, span: Span) -> History:
        async def read() -> History:
            return await self._readings.run(lambda: self._read(stream_id, span), _SECONDS)

        # Whatever the times: a page and its plot, or two people, ask for nearly the same.
        return await self._briefly.get((stream_id, span.session_id), read)

    def _read(self, stream_id: str, span: Span) -> History:
        with closing(TopicLog(self._config)) as log:
            reading = _Reading(log, self._codec, stream_id, self._partitions, self._now)
            return reading.history(span)


@dataclass(slots=True)
class _Budget:
    """What one part of a reading may cost."""

    deadline: float
    now: Callable[[], float]
    records: int = _PART_RECORDS
    size: int = _PART_BYTES

    def spend(self, message: Message) -> bool:
        """Whether ``message`` is still within it."""
        self.records -= 1
        self.size -= len(message.value() or b"")
        return self.records >= 0 and self.size >= 0 and self.now() < self.deadline


class _Reading:
    def __init__(
        self,
        log: TopicLog,
        codec: Codec,
        stream_id: str,
        partitions: int,
        now: Callable[[], float],
    ) -> None:
        self._log = log
        self._codec = codec
        self._stream_id = stream_id
        self._key = stream_id.encode()
        self._partition = partition_of(self._key, partitions)
        self._now = now
        self._unreadable = 0
        self._omitted: list[str] = []

    def history(self, span: Span) -> History:
        decided = self._told(_DECIDED, span.decided_since, "decisions and orders")
        news = self._told(_NEWS, span.since, "news of the stream")
        risks = self._risks(span)
        samples = self._samples(span)
        found = [*decided, *news, *risks]
        belongs = belongs_to(span.session_id, (event for event, _ in found))
        told = in_order([it for it in found if belongs(it[0])])
        if self._unreadable:
            self._omitted.append(f"{self._unreadable} records that can't be read")
        moments = tuple(
            Moment(it.at, it.event, it.who, it.what, it.why, len(it.places) - 1)
            for it in shown(IncidentRecord("", told))
        )
        events = [found.event for found in told]
        return History(
            samples=tuple(
                sorted(
                    (it for it in samples if _is_wanted(it, span)), key=lambda it: it.captured_at
                )
            ),
            risks=tuple(it for it in events if isinstance(it, RiskAssessed)),
            events=tuple(it for it in events if not isinstance(it, RiskAssessed)),
            moments=moments,
            omitted=tuple(self._omitted),
        )

    def _told(
        self, types: Iterable[type[Event]], since: int, what: str
    ) -> list[tuple[Event, Place]]:
        kinds = {topics.TOPIC_OF[kind.__name__]: kind for kind in types}
        found: list[tuple[Event, Place]] = []
        budget = self._budget()
        for message in self._log.read(kinds, {self._partition}, since):
            if not budget.spend(message) or len(found) >= _MOST:
                self._omitted.append(f"some {what}: there is too much to read at once")
                break
            if message.key() == self._key:
                place = place_of(message)
                event = self._event(message, kinds[place.topic])
                if event is not None:
                    found.append((event, place))
        return found

    def _risks(self, span: Span) -> list[tuple[Event, Place]]:
        found: list[tuple[Event, Place]] = []
        budget = self._budget()
        for message in self._within(topics.RISK, span.since, span.until):
            if not budget.spend(message) or len(found) >= _MOST:
                after = utc(place_of(message).appended_at)
                self._omitted.append(f"risk from {after} on: there is too much to read at once")
                break
            if message.key() == self._key and (event := self._event(message, RiskAssessed)):
                found.append((event, place_of(message)))
        return found

    def _samples(self, span: Span) -> list[Sample]:
        found: list[Sample] = []
        budget = self._budget()
        until, length = span.until, _NEWEST
        while until > span.since:
            since = max(until - length, span.since)
            part = self._samples_within(since, until, budget)
            if part is None or len(found) + len(part) > _MOST:
                before = utc(until)
                self._omitted.append(f"signals before {before}: there are too many to read at once")
                break
            found += part
            # Each part is looked for anew, so the next is longer.
            until, length = since, 2 * length
        return found

    def _samples_within(self, since: int, until: int, budget: _Budget) -> list[Sample] | None:
        """``None`` where it would cost too much."""
        found: list[Sample] = []
        for message in self._within(topics.DETECTIONS, since, until):
            if not budget.spend(message):
                return None
            # Avro writes a string as it is, so what does not hold the id need not be decoded.
            if self._key not in (message.value() or b""):
                continue
            batch = self._event(message, DetectionsMade)
            if batch is not None:
                found += [
                    Sample(
                        it.captured_at,
                        it.session_id,
                        dict(zip(batch.signals, it.scores, strict=False)),
                    )
                    for it in batch.detections
                    if it.stream_id == self._stream_id
                ]
        return found

    def _within(self, topic: str, since: int, until: int) -> Iterator[Message]:
        """Records of the stream's partition, by Kafka's clock; ``until`` is exclusive."""
        for message in self._log.read([topic], {self._partition}, since):
            if place_of(message).appended_at >= until:
                return
            yield message

    def _event(self, message: Message, kind: type[E]) -> E | None:
        try:
            return self._codec.decode(message.value(), kind)
        except EventUnreadable:
            self._unreadable += 1
            return None

    def _budget(self) -> _Budget:
        return _Budget(self._now() + _PART_SECONDS, self._now)


def _is_wanted(sample: Sample, span: Span) -> bool:
    return span.session_id in ("", bounded_id(sample.session_id))
