"""Dead letters' records put back where they came from, each once.

The copy and the note that it was made are one transaction. Whoever redrives first shuts out any
other that is at it, and then reads which letters are done with, so that however often it is called,
and wherever it was cut off, a dead letter is redriven once. A copy that fails again has a dead
letter of its own, with one attempt more.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, cast

from confluent_kafka import KafkaException, Producer

from schemas import (
    ATTEMPT,
    MICROSECONDS,
    CloudEvent,
    Codec,
    EventDeadLettered,
    EventRedriven,
    EventUnreadable,
    topics,
    write_headers,
)

from .errors import OperatorError
from .incident.log import TopicLog
from .kafka_config import PRODUCER

_TRANSACTIONAL_ID = "firebreak-redrive"
_REQUEST_SECONDS = 30.0
_AT_ONCE = 100
_CLOCKS_DIFFER = 60 * MICROSECONDS
"""Of brokers, at most: each tells the time of what it appends."""


class NotRedriven(OperatorError):
    """Kafka did not take the transaction, or somebody else began to redrive."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which dead letters: those of all that is given. ``since`` is microseconds since the epoch."""

    causes: frozenset[str] = frozenset()
    stream_id: str = ""
    since: int = 0
    most_attempts: int = 3
    """What failed as often is left to lie."""
    letters: frozenset[str] = frozenset()
    """Ids."""

    def __contains__(self, letter: EventDeadLettered) -> bool:
        return (
            (not self.causes or letter.cause in self.causes)
            and (not self.letters or letter.dead_letter_id in self.letters)
            and self.stream_id in ("", letter.stream_id)
            and letter.appended_at >= self.since
            and letter.attempt < self.most_attempts
        )


@dataclass(slots=True)
class Redriven:
    """What became of the dead letters that were chosen."""

    redriven: list[EventDeadLettered] = field(default_factory=list)
    gone: list[EventDeadLettered] = field(default_factory=list)
    """Kafka does not keep their records any more."""
    done_before: int = 0
    """How many had been put back."""


def redrive(
    config: Mapping[str, Any],
    codec: Codec,
    choice: Choice,
    *,
    operator: str,
    reason: str,
    order_id: str = "",
    dry_run: bool = False,
) -> Redriven:
    """Put back the records of ``choice`` that have not been put back.

    ``config`` is librdkafka's. Raises ``NotRedriven`` and ``RecordsUnreadable``; what was put back
    until then stays so.
    """
    outcome = Redriven()
    with closing(TopicLog(config)) as log:
        producer = None if dry_run else _begin(config)
        # A letter is written after its record, and a redrive after its letter.
        since = max(choice.since - _CLOCKS_DIFFER, 0) or None
        chosen = [letter for letter in _letters(log, codec, since) if letter in choice]
        redriven = _read(log, codec, topics.REDRIVES, EventRedriven, since)
        done = {event.dead_letter_id for event in redriven}
        left = [letter for letter in chosen if letter.dead_letter_id not in done]
        outcome.done_before = len(chosen) - len(left)
        for at in range(0, len(left), _AT_ONCE):
            some = left[at : at + _AT_ONCE]
            found = [
                (letter, log.at(letter.topic, letter.partition, letter.offset)) for letter in some
            ]
            outcome.gone += [letter for letter, record in found if record is None]
            there = [(letter, record) for letter, record in found if record is not None]
            if producer is not None and there:
                _put_back(producer, codec, there, operator, reason, order_id=order_id)
            outcome.redriven += [letter for letter, _ in there]
    return outcome


def _begin(config: Mapping[str, Any]) -> Producer:
    """Shuts out whoever began before."""
    producer = Producer({**config, **PRODUCER, "transactional.id": _TRANSACTIONAL_ID})
    try:
        producer.init_transactions(_REQUEST_SECONDS)
    except KafkaException as error:
        raise NotRedriven(error.args[0].str()) from error
    return producer


def _put_back(
    producer: Producer,
    codec: Codec,
    letters: Iterable[tuple[EventDeadLettered, Any]],
    operator: str,
    reason: str,
    *,
    order_id: str = "",
) -> None:
    try:
        producer.begin_transaction()
        for letter, record in letters:
            headers = [it for it in record.headers() or [] if it[0] != ATTEMPT]
            producer.produce(
                letter.topic,
                record.value(),
                record.key(),
                letter.partition,
                headers=[*headers, (ATTEMPT, str(letter.attempt + 1).encode())],
            )
            producer.produce(**_note(codec, letter, operator, reason, order_id))
        producer.commit_transaction(_REQUEST_SECONDS)
    except KafkaException as error:
        raise NotRedriven(error.args[0].str()) from error


def _note(
    codec: Codec, letter: EventDeadLettered, operator: str, reason: str, order_id: str
) -> dict[str, Any]:
    event = EventRedriven(
        dead_letter_id=letter.dead_letter_id,
        redriven_at=time.time_ns() // 1000,
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        operator=operator,
        reason=reason,
        order_id=order_id,
    )
    name = type(event).__name__
    cloud_event = CloudEvent(
        event.id, f"firebreak.{name}", "firebreak/redrive", event.subject, event.time
    )
    return {
        "topic": topics.REDRIVES,
        "key": event.subject.encode(),
        "value": codec.encode(event),
        "headers": cast(Any, write_headers(cloud_event, None)),
    }


def _letters(log: TopicLog, codec: Codec, since: int | None) -> list[EventDeadLettered]:
    """Each once, in the order of their records."""
    found = {
        letter.dead_letter_id: letter
        for letter in _read(log, codec, topics.DEAD_LETTERS, EventDeadLettered, since)
    }
    return sorted(found.values(), key=lambda it: (it.topic, it.partition, it.offset))


def _read(
    log: TopicLog, codec: Codec, topic: str, event_type: Any, since: int | None
) -> Iterator[Any]:
    for message in log.read([topic], since=since):
        try:
            yield codec.decode(message.value(), event_type)
        except EventUnreadable:
            continue
