"""Dead letters' records put back where they came from, each once.

The copy and the note that it was made are one transaction. Whoever redrives first shuts out any
other that is at it, and then reads which letters are done with, so that however often it is called,
and wherever it was cut off, a dead letter is redriven once. A copy that fails again has a dead
letter of its own, with one attempt more.

Nobody reads past a transaction that is open, in none of the partitions that it touches: neither
frames nor detections nor acknowledgements. So transactions are small, and begun once everything
that goes into them has been read; what goes wrong in one ends it; and the brokers end that of a
process that was killed or hangs.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
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
_TRANSACTION_MS = 6_000
"""Then the brokers end it: at the next of their rounds, which come every 10 s by default
(``transaction.abort.timed.out.transaction.cleanup.interval.ms``)."""
_BEGIN_SECONDS = 30.0
_COMMIT_SECONDS = 8.0
"""Longer than a transaction lasts: what it could not deliver until then is known to have failed."""
_ABORT_SECONDS = 2.0
_AT_ONCE = 100
_BYTES_AT_ONCE = 4 * 1024 * 1024
"""Of records in one transaction; one that is larger by itself has one to itself."""
_CLOCKS_DIFFER = 60 * MICROSECONDS
"""Of brokers, at most: each tells the time of what it appends."""

_Found = tuple[EventDeadLettered, Any]
"""A letter and the record that it is about, librdkafka's."""


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
        for some in _bundles(_there(log, left, outcome.gone)):
            if producer is not None:
                _put_back(producer, codec, some, operator, reason, order_id=order_id)
            outcome.redriven += [letter for letter, _ in some]
    return outcome


def _there(
    log: TopicLog, letters: Iterable[EventDeadLettered], gone: list[EventDeadLettered]
) -> Iterator[_Found]:
    """The letters with their records; those whose record is not kept any more go to ``gone``."""
    for letter in letters:
        record = log.at(letter.topic, letter.partition, letter.offset)
        if record is None:
            gone.append(letter)
        else:
            yield letter, record


def _bundles(found: Iterable[_Found]) -> Iterator[list[_Found]]:
    """What goes into one transaction each, in order."""
    bundle: list[_Found] = []
    size = 0
    for letter, record in found:
        more = len(record.value() or b"") + len(record.key() or b"")
        if bundle and (len(bundle) >= _AT_ONCE or size + more > _BYTES_AT_ONCE):
            yield bundle
            bundle, size = [], 0
        bundle.append((letter, record))
        size += more
    if bundle:
        yield bundle


def _begin(config: Mapping[str, Any]) -> Producer:
    """Shuts out whoever began before."""
    producer = Producer(
        {
            **config,
            **PRODUCER,
            # Of two, the first could be lost as its leader dies: see topology/lanes.py.
            "max.in.flight": 1,
            "transactional.id": _TRANSACTIONAL_ID,
            "transaction.timeout.ms": _TRANSACTION_MS,
        }
    )
    try:
        producer.init_transactions(_BEGIN_SECONDS)
    except KafkaException as error:
        raise NotRedriven(error.args[0].str()) from error
    return producer


def _put_back(
    producer: Producer,
    codec: Codec,
    letters: Iterable[_Found],
    operator: str,
    reason: str,
    *,
    order_id: str = "",
) -> None:
    with _transaction(producer):
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


@contextmanager
def _transaction(producer: Producer) -> Iterator[None]:
    """Committed at the end, and aborted by whatever is raised. Raises ``NotRedriven``."""
    try:
        producer.begin_transaction()
        yield
        producer.commit_transaction(_COMMIT_SECONDS)
    except BaseException as error:
        # Of who was shut out, or whose commit is on its way, nothing can be aborted.
        with suppress(KafkaException):
            producer.abort_transaction(_ABORT_SECONDS)
        if isinstance(error, KafkaException):
            raise NotRedriven(error.args[0].str()) from error
        raise


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
