"""Following topics on a broker: what was there, what comes, and what happens when it is away."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # stub's gap

from agents.following import Followed, Follower, Progress
from schemas import Codec, Event, StreamUpdated
from tests.brokers import BrokerKind, paused
from tests.builders import SECOND, START
from tests.oncall.events import stream_updated
from tests.waiting import wait_until_async
from topology.broker import EmbeddedBroker
from topology.settings import Settings

LIMIT = 20.0
"""Seconds within which anything here must have happened."""
HOUR = 3600 * SECOND
PARTITIONS = 2


@dataclass
class Topic:
    """One of the test's own, and what followers of it took."""

    bootstrap: str
    name: str = field(default_factory=lambda: f"followed-{uuid.uuid4()}")
    taken: list[tuple[str, int]] = field(default_factory=list)

    def follower(
        self, now_us: Callable[[], int] = lambda: START + HOUR, *, committed: bool = False
    ) -> Follower:
        def take(event: Event, appended_at: int) -> None:
            self.taken.append((event.subject, appended_at))

        followed = {self.name: Followed(StreamUpdated, HOUR)}
        kafka = {"bootstrap_servers": self.bootstrap}
        return Follower(
            "the test", followed, take, Codec(), kafka, committed=committed, now_us=now_us
        )

    def write(self, *streams: str, at_us: int = START) -> None:
        for stream in streams:
            self.write_raw(Codec().encode(stream_updated(stream_id=stream)), at_us)

    def write_raw(self, value: bytes, at_us: int = START) -> None:
        """What is longer by a byte goes to the other partition."""
        self._produce(Producer({"bootstrap.servers": self.bootstrap}), value, at_us)

    def begin(self, stream: str) -> Producer:
        """A transaction with an event of ``stream`` in it."""
        config = {"bootstrap.servers": self.bootstrap, "transactional.id": self.name}
        producer = Producer(config)
        producer.init_transactions(LIMIT)
        producer.begin_transaction()
        self._produce(producer, Codec().encode(stream_updated(stream_id=stream)), START)
        return producer

    def _produce(self, producer: Producer, value: bytes, at_us: int) -> None:
        partition = len(value) % PARTITIONS
        producer.produce(self.name, value, partition=partition, timestamp=at_us // 1000)
        assert producer.flush(LIMIT) == 0

    def streams(self) -> list[str]:
        return sorted(stream for stream, _ in self.taken)


def create(bootstrap: str) -> Topic:
    topic = Topic(bootstrap)
    admin = AdminClient({"bootstrap.servers": bootstrap})
    # Its records say that they are years old: at its next look Kafka would delete them unread.
    new = NewTopic(topic.name, PARTITIONS, 1, config={"retention.ms": "-1"})
    for created in admin.create_topics([new]).values():
        created.result(LIMIT)
    return topic


@pytest.fixture
def topic(broker: str) -> Topic:
    return create(broker)


def _now_us() -> int:
    return time.time_ns() // 1000


@pytest.mark.e2e
async def test_what_was_there_is_taken_before_it_is_fresh_and_then_what_comes(
    topic: Topic,
) -> None:
    """Of all partitions, each event with the time at which it was appended."""
    topic.write("a", "bb", "ccc")
    follower = topic.follower()
    assert (follower.progress, follower.fresh) == (Progress.CATCHING_UP, False)
    async with follower:
        await wait_until_async(lambda: follower.fresh, LIMIT)
        assert topic.streams() == ["a", "bb", "ccc"]
        topic.write("dddd")
        await wait_until_async(lambda: len(topic.taken) == 4, LIMIT)
    assert topic.taken[-1] == ("dddd", START)


@pytest.mark.e2e
async def test_a_past_that_does_not_matter_is_not_read(topic: Topic) -> None:
    """Appended longer ago than the topic's hour when reading begins."""
    # The embedded broker looks records up by when it got them, Apache Kafka by what they say.
    topic.write("old", at_us=_now_us())
    between = time.time_ns() // 1_000_000 + 1
    await wait_until_async(lambda: time.time_ns() // 1_000_000 > between, LIMIT)
    topic.write("young", at_us=_now_us())
    follower = topic.follower(lambda: between * 1_000 + HOUR)
    async with follower:
        await wait_until_async(lambda: follower.fresh, LIMIT)
    assert topic.streams() == ["young"]


@pytest.mark.e2e
async def test_what_can_not_be_read_is_counted_and_passed_over(topic: Topic) -> None:
    topic.write_raw(b"rubbish")
    topic.write("a")
    follower = topic.follower()
    async with follower:
        await wait_until_async(lambda: follower.fresh, LIMIT)
    assert (topic.streams(), follower.undecodable) == (["a"], 1)


@pytest.mark.e2e
async def test_who_reads_what_is_committed_takes_nothing_of_a_transaction_before_and_is_not_fresh(
    topic: Topic,
) -> None:
    """What lies behind it is taken once it has ended."""
    topic.write("a", "bb")
    follower = topic.follower(committed=True)
    async with follower:
        await wait_until_async(lambda: follower.fresh, LIMIT)
        transaction = topic.begin("first")
        topic.write("later")
        await wait_until_async(lambda: not follower.fresh, LIMIT)
        assert topic.streams() == ["a", "bb"]
        transaction.commit_transaction(LIMIT)
        await wait_until_async(lambda: follower.fresh, LIMIT)
        assert topic.streams() == ["a", "bb", "first", "later"]


@pytest.mark.kafka
async def test_who_reads_what_is_committed_takes_nothing_that_was_aborted(
    topic: Topic, broker_kind: BrokerKind
) -> None:
    if broker_kind != "kafka":
        pytest.skip("the embedded broker does not tell readers what was aborted")
    follower = topic.follower(committed=True)
    async with follower:
        topic.begin("first").abort_transaction(LIMIT)
        topic.write("later")
        await wait_until_async(lambda: topic.streams() == ["later"], LIMIT)
        await wait_until_async(lambda: follower.fresh, LIMIT)


@pytest.mark.e2e
async def test_others_read_past_a_transaction_that_is_open(topic: Topic) -> None:
    follower = topic.follower()
    async with follower:
        transaction = topic.begin("first")
        topic.write("later")
        await wait_until_async(lambda: topic.streams() == ["first", "later"], LIMIT)
        await wait_until_async(lambda: follower.fresh, LIMIT)
    transaction.abort_transaction(LIMIT)


async def test_without_kafka_it_is_lost_says_why_and_ends_when_told() -> None:
    follower = Topic("127.0.0.1:1").follower()
    async with follower:
        await wait_until_async(lambda: follower.progress is Progress.LOST, LIMIT)
        assert not follower.fresh
        assert "KafkaConnectionError" in (follower.last_error or "")


@pytest.mark.e2e
async def test_a_broker_that_stops_answering_leaves_it_not_fresh_until_it_is_back(
    tmp_path: Path,
) -> None:
    """Nothing is taken twice, and what came meanwhile is not missed."""
    with EmbeddedBroker(Settings(runtime_dir=tmp_path)) as embedded:
        topic = create(embedded.bootstrap)
        topic.write("before")
        follower = topic.follower()
        async with follower:
            await wait_until_async(lambda: follower.fresh, LIMIT)
            with paused(embedded.pid):
                await wait_until_async(lambda: not follower.fresh, LIMIT)
            topic.write("after")
            await wait_until_async(lambda: follower.fresh and len(topic.taken) == 2, LIMIT)
        assert topic.streams() == ["after", "before"]
