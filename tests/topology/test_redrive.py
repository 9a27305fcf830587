"""Dead letters' records are put back once, however often it is asked for and wherever it ended."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest
from click.testing import CliRunner
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from faust.types import TP

from agents.dead_letters import DeadLetterCause, Rejection, dead_letter
from agents.intake import coordinates
from schemas import ATTEMPT, Codec, Event, EventDeadLettered, EventRedriven, read_attempt, topics
from tests.brokers import BrokerKind
from tests.waiting import wait_until
from topology.cli import main
from topology.fetching import Fetched, Fetching
from topology.incident.log import TopicLog
from topology.kafka_config import largest_record
from topology.publisher import KafkaPublisher
from topology.redrive import Choice, NotRedriven, _begin, _bundles, _put_back, redrive
from topology.settings import Settings

CODEC = Codec()
LIMIT = 20.0


class Failed:
    """Records of a stream that failed, with their dead letters, on topics that tests share."""

    def __init__(self, bootstrap: str) -> None:
        self.config: Mapping[str, Any] = {
            "bootstrap.servers": bootstrap,
            "message.max.bytes": largest_record(Settings()),
        }
        self.stream = str(uuid.uuid4())
        self._producer = Producer(dict(self.config))

    @property
    def choice(self) -> Choice:
        return Choice(stream_id=self.stream)

    def fail(
        self, value: bytes, cause: DeadLetterCause = DeadLetterCause.INTERNAL_ERROR
    ) -> EventDeadLettered:
        """A frame sample of ``value`` fails."""
        return self.fail_again(self._produce(value), cause)

    async def bury(self, value: bytes) -> EventDeadLettered:
        """``fail``, for who has an event loop."""
        return await asyncio.to_thread(self.fail, value)

    def _produce(self, value: bytes) -> Any:
        placed: list[Any] = []
        self._producer.produce(
            topics.FRAME_SAMPLES,
            value,
            self.stream.encode(),
            headers=[("ce_id", b"kept")],
            on_delivery=lambda _, message: placed.append(message),
        )
        assert self._producer.flush(LIMIT) == 0
        return placed[0]

    def fail_again(
        self, message: Any, cause: DeadLetterCause = DeadLetterCause.INTERNAL_ERROR
    ) -> EventDeadLettered:
        place = message.topic(), message.partition(), message.offset()
        record = Fetched(*place, 1_000, message.key(), message.value(), message.headers)
        letter = dead_letter("detection", coordinates(record), Rejection(cause, "", self.stream))
        publisher = KafkaPublisher(self.config, CODEC, "test")
        asyncio.run(publisher.publish([letter]))
        publisher.close()
        assert isinstance(letter.event, EventDeadLettered)
        return letter.event

    def redrive(self, choice: Choice | None = None, *, dry_run: bool = False) -> list[str]:
        """The ids of the dead letters that were redriven."""
        outcome = redrive(
            self.config,
            CODEC,
            choice or self.choice,
            operator="op-1",
            reason="mended",
            dry_run=dry_run,
        )
        return [letter.dead_letter_id for letter in outcome.redriven]

    def reads_within(self, value: bytes, limit: float) -> float:
        """How many seconds it takes a worker's way of reading to come by the stream's ``value``."""
        begun = time.monotonic()

        async def read() -> None:
            fetching = Fetching(self.config, "firebreak-detection")
            places = [TP(topics.FRAME_SAMPLES, number) for number in range(8)]
            try:
                async with asyncio.timeout(limit):
                    while True:
                        for records in (await fetching.fetch(places, 1.0)).values():
                            if any(
                                (it.key, it.value) == (self.stream.encode(), value)
                                for it in records
                            ):
                                return
            finally:
                fetching.close()

        asyncio.run(read())
        return time.monotonic() - begun

    def end(self, letter: EventDeadLettered) -> int:
        """Of the letter's partition, with what is not committed."""
        config = {**self.config, "group.id": "test", "isolation.level": "read_uncommitted"}
        with closing(Consumer(config)) as consumer:
            place = TopicPartition(letter.topic, letter.partition)
            return consumer.get_watermark_offsets(place, timeout=LIMIT)[1]

    def copies(self) -> list[Any]:
        """The stream's records that were put back."""
        with closing(TopicLog(self.config)) as log:
            records: Iterator[Any] = log.read([topics.FRAME_SAMPLES])
            return [
                message
                for message in records
                if message.key() == self.stream.encode() and read_attempt(message.headers()) > 1
            ]


@pytest.fixture
def failed(topics_broker: str) -> Failed:
    return Failed(topics_broker)


def test_a_record_is_put_back_as_it_was_and_noted(failed: Failed) -> None:
    letter = failed.fail(b"a frame")
    assert failed.redrive() == [letter.dead_letter_id]
    (copy,) = failed.copies()
    assert (copy.value(), copy.partition()) == (b"a frame", letter.partition)
    assert copy.headers() == [("ce_id", b"kept"), (ATTEMPT, b"2")]
    with closing(TopicLog(failed.config)) as log:
        notes = [CODEC.decode(it.value(), EventRedriven) for it in log.read([topics.REDRIVES])]
    (note,) = [it for it in notes if it.dead_letter_id == letter.dead_letter_id]
    assert (note.operator, note.reason, note.offset) == ("op-1", "mended", letter.offset)


def test_it_is_put_back_once(failed: Failed) -> None:
    failed.fail(b"a frame")
    assert len(failed.redrive()) == 1
    assert failed.redrive() == []
    assert len(failed.copies()) == 1


def test_a_dry_run_puts_nothing_back(failed: Failed) -> None:
    letter = failed.fail(b"a frame")
    assert failed.redrive(dry_run=True) == [letter.dead_letter_id]
    assert failed.copies() == []


def test_what_was_cut_off_is_put_back_by_the_next_and_once(failed: Failed) -> None:
    """The copy lies there already, in a transaction that nobody will commit."""
    letter = failed.fail(b"a frame")
    cut_off = _begin(failed.config)
    cut_off.begin_transaction()
    cut_off.produce(letter.topic, b"a frame", failed.stream.encode(), letter.partition)
    cut_off.flush(LIMIT)
    assert failed.redrive() == [letter.dead_letter_id]
    assert len(failed.copies()) == 1


def test_whoever_comes_later_shuts_out_the_earlier(failed: Failed) -> None:
    letter = failed.fail(b"a frame")
    earlier = _begin(failed.config)
    assert failed.redrive() == [letter.dead_letter_id]
    with closing(TopicLog(failed.config)) as log:
        record = log.at(letter.topic, letter.partition, letter.offset)
    with pytest.raises(NotRedriven):
        _put_back(earlier, CODEC, [(letter, record)], "op-2", "at the same time")
    assert len(failed.copies()) == 1


class Told(Exception):
    """What a note could not be made for."""


def test_what_goes_wrong_in_a_transaction_ends_it_and_nobody_waits_for_it(failed: Failed) -> None:
    """Who reads on finds what was written behind it at once."""
    letter = failed.fail(b"a frame")
    end = failed.end(letter)

    class Broken(Codec):
        def encode(self, event: Event) -> bytes:
            wait_until(lambda: failed.end(letter) > end, LIMIT)  # the copy lies there
            raise Told

    with pytest.raises(Told):
        redrive(failed.config, Broken(), failed.choice, operator="op-1", reason="mended")
    assert failed.fail(b"behind it").partition == letter.partition
    assert failed.reads_within(b"behind it", LIMIT) < 4  # the brokers would end it after six


@pytest.mark.kafka
def test_a_redrive_that_hangs_stalls_readers_until_the_brokers_end_its_transaction(
    failed: Failed, broker_kind: BrokerKind
) -> None:
    """After its six seconds, at the next of the brokers' rounds, which come every ten."""
    if broker_kind != "kafka":
        pytest.skip("the embedded broker ends a transaction when another is begun, not in time")
    letter = failed.fail(b"a frame")
    hanging = _begin(failed.config)
    hanging.begin_transaction()
    hanging.produce(letter.topic, b"a frame", failed.stream.encode(), letter.partition)
    assert hanging.flush(LIMIT) == 0
    assert failed.fail(b"behind it").partition == letter.partition
    assert 1 < failed.reads_within(b"behind it", 60) < 6 + 10 + 4
    with pytest.raises(KafkaException):
        hanging.commit_transaction(LIMIT)


def test_a_transaction_holds_few_bytes_of_records_and_one_record_at_least(failed: Failed) -> None:
    """In the order of their letters, none of them left out."""
    large, small = b"x" * 3_000_000, b"x" * 1_000
    letters = [failed.fail(value) for value in (large, large, small, small)]
    with closing(TopicLog(failed.config)) as log:
        records = [(it, log.at(it.topic, it.partition, it.offset)) for it in letters]
    found = [(letter, record) for letter, record in records if record is not None]
    assert list(_bundles(found)) == [found[:1], found[1:]]
    assert [len(it) for it in _bundles(found[2:] * 75)] == [100, 50]
    assert failed.redrive() == [it.dead_letter_id for it in letters]
    assert sorted(len(it.value()) for it in failed.copies()) == [1_000, 1_000, *[3_000_000] * 2]


def test_what_fails_again_is_redriven_until_it_has_failed_too_often(failed: Failed) -> None:
    failed.fail(b"a frame")
    failed.redrive()
    (second,) = failed.copies()
    again = failed.fail_again(second)
    assert again.attempt == 2
    assert failed.redrive() == [again.dead_letter_id]
    third = max(failed.copies(), key=lambda it: read_attempt(it.headers()))
    assert failed.fail_again(third).attempt == 3
    assert failed.redrive() == []


def test_only_what_is_chosen_is_put_back(failed: Failed) -> None:
    failed.fail(b"one")
    other = failed.fail(b"other", DeadLetterCause.DECODER_CRASHED)
    crashed = Choice(frozenset({DeadLetterCause.DECODER_CRASHED}), failed.stream)
    assert failed.redrive(crashed) == [other.dead_letter_id]


def test_the_command_says_what_it_did(failed: Failed, topics_broker: str) -> None:
    failed.fail(b"a frame")
    told = CliRunner().invoke(
        main,
        ["redrive", "--stream", failed.stream, "--operator", "op-1", "--reason", "mended"],
        env={"FIREBREAK_BOOTSTRAP_SERVERS": topics_broker},
    )
    assert told.exit_code == 0, told.output
    assert "redriven: 1 internal-error" in told.output
    wait_until(lambda: len(failed.copies()) == 1, LIMIT)


def test_the_command_says_what_it_would_do(failed: Failed, topics_broker: str) -> None:
    failed.fail(b"a frame")
    told = CliRunner().invoke(
        main,
        ["redrive", "--stream", failed.stream, "--operator", "op-1", "--reason", "x", "--dry-run"],
        env={"FIREBREAK_BOOTSTRAP_SERVERS": topics_broker},
    )
    assert told.exit_code == 0, told.output
    assert "would be redriven: 1 internal-error" in told.output
    assert failed.copies() == []
