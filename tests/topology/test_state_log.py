"""What the decision agent remembers comes back whole, from a real broker."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # stub's gap

from agents.publishing import ProcessUnfit
from deploy.kafka.cluster import KafkaCluster
from deploy.kafka.jars import kafka_missing
from schemas import Codec, topics
from topology.kafka_config import librdkafka_config
from topology.publisher import KafkaPublisher
from topology.reading import messages
from topology.settings import Settings
from topology.state_log import KafkaStateLog
from topology.topic_admin import apply_topics

PARTITION = 5
EMPTY = 2
"""It and the next are written to by one test each."""
LIMIT = 60.0


@pytest.fixture
async def state_log(kafka_settings: Settings, broker: str) -> AsyncIterator[KafkaStateLog]:
    apply_topics(kafka_settings, broker)
    config = librdkafka_config(kafka_settings, broker)
    publisher = KafkaPublisher(config, Codec(), "test")
    yield KafkaStateLog(config, publisher, give_up_seconds=5)
    publisher.close()


@pytest.fixture
async def another(kafka_settings: Settings, broker: str) -> AsyncIterator[KafkaStateLog]:
    """Another worker's."""
    config = librdkafka_config(kafka_settings, broker)
    publisher = KafkaPublisher(config, Codec(), "test")
    yield KafkaStateLog(config, publisher, give_up_seconds=5)
    publisher.close()


async def member() -> bool:
    return True


async def no_member() -> bool:
    return False


async def taken(state_log: KafkaStateLog) -> Mapping[bytes, bytes]:
    found = await state_log.take(PARTITION, member)
    assert found is not None
    return found


def key() -> bytes:
    return uuid.uuid4().bytes


def past(bootstrap: str, partition: int) -> list[Message]:
    """All records of ``partition``, as they lie there."""
    config = {"bootstrap.servers": bootstrap, "group.id": "test", "enable.partition.eof": True}
    consumer, found = Consumer(config), list[Message]()
    consumer.assign([TopicPartition(topics.DECISION_STATES, partition, OFFSET_BEGINNING)])
    for message in messages(consumer, LIMIT):
        if message.error() is not None:
            break
        found.append(message)
    consumer.close()
    return found


def copy_compacted(bootstrap: str, partition: int, into: int) -> None:
    """The last record of each key, in order: what compaction leaves."""
    last = {it.key(): it for it in past(bootstrap, partition)}
    producer = Producer({"bootstrap.servers": bootstrap})
    for it in sorted(last.values(), key=lambda it: it.offset() or 0):
        headers = cast(Any, it.headers())
        producer.produce(topics.DECISION_STATES, it.value(), it.key(), into, headers=headers)
    assert producer.flush(LIMIT) == 0


async def test_a_partition_that_nothing_was_written_to_is_empty(state_log: KafkaStateLog) -> None:
    assert await state_log.read(PARTITION - 1) == {}


async def test_the_last_value_of_each_key_is_read_back_but_of_those_removed(
    state_log: KafkaStateLog,
) -> None:
    one, two, three = key(), key(), key()
    for number in range(50):
        await state_log.write(PARTITION, one, b"%d" % number)
    await state_log.write(PARTITION, two, b"second")
    await state_log.write(PARTITION, three, b"third")
    await state_log.write(PARTITION, three, None)
    kept = await state_log.read(PARTITION)
    assert (kept[one], kept[two]) == (b"49", b"second")
    assert three not in kept


async def test_what_a_worker_writes_that_has_lost_the_partition_is_left_out(
    state_log: KafkaStateLog, another: KafkaStateLog
) -> None:
    first, second, third = key(), key(), key()
    await state_log.take(PARTITION, member)
    await state_log.write(PARTITION, first, b"before")
    await state_log.write(PARTITION, second, b"before")
    found = await taken(another)
    assert (found[first], found[second]) == (b"before", b"before")
    await another.write(PARTITION, first, b"after")
    for late in (first, second, third):
        await state_log.write(PARTITION, late, b"late")
    await state_log.write(PARTITION, first, None)
    kept = await state_log.read(PARTITION)
    assert (kept[first], kept[second]) == (b"after", b"before")
    assert third not in kept
    await state_log.take(PARTITION, member)
    await state_log.write(PARTITION, third, b"taken again")
    assert (await taken(another))[third] == b"taken again"


async def test_of_two_that_take_a_partition_at_once_one_has_it(
    state_log: KafkaStateLog, another: KafkaStateLog
) -> None:
    """And what either remembers is read by whoever takes it next, as far as it had it."""
    kept = key()
    await state_log.take(PARTITION, member)
    await state_log.write(PARTITION, kept, b"kept")
    both = await asyncio.gather(*(taken(it) for it in (state_log, another) * 3))
    assert all(it[kept] == b"kept" for it in both)
    await state_log.write(PARTITION, kept, b"one")
    await another.write(PARTITION, kept, b"other")
    found = await taken(state_log)
    assert found[kept] in (b"one", b"other")
    assert (await taken(another))[kept] == found[kept]


async def test_a_worker_learns_by_its_next_write_that_another_has_the_partition(
    state_log: KafkaStateLog, another: KafkaStateLog
) -> None:
    assert not await state_log.holds(PARTITION)
    await state_log.take(PARTITION, member)
    assert await state_log.holds(PARTITION)
    assert await state_log.write(PARTITION, key(), b"mine")
    # Late, and no mark: nothing is lost by it.
    await another.write(PARTITION, key(), b"late")
    assert await state_log.write(PARTITION, key(), b"mine")
    await another.take(PARTITION, member)
    both = [state_log.write(PARTITION, key(), b"late") for _ in range(3)]
    assert await asyncio.gather(*both) == [False] * 3
    assert not await state_log.holds(PARTITION)
    assert await another.write(PARTITION, key(), b"its own")
    await state_log.take(PARTITION, member)
    assert await state_log.holds(PARTITION)


async def test_a_worker_that_is_no_member_any_more_takes_nothing_from_who_is(
    state_log: KafkaStateLog, another: KafkaStateLog
) -> None:
    await another.take(PARTITION, member)
    assert await state_log.take(PARTITION, no_member) is None
    assert await another.holds(PARTITION)


async def test_what_was_written_before_there_were_owners_is_read(state_log: KafkaStateLog) -> None:
    old = key()
    place = (topics.DECISION_STATES, PARTITION + 2)
    await state_log._publisher.put(*place, old, b"old")
    assert (await state_log.read(PARTITION + 2))[old] == b"old"


async def test_partitions_are_kept_apart(state_log: KafkaStateLog) -> None:
    mine = key()
    await state_log.write(PARTITION, mine, b"mine")
    assert mine not in await state_log.read(PARTITION + 1)


async def test_compaction_keeps_what_counts_though_a_late_record_came_after_it(
    state_log: KafkaStateLog, another: KafkaStateLog, broker: str
) -> None:
    """Who takes the partition writes it again."""
    changed, removed, new, untouched = key(), key(), key(), key()
    await state_log.take(PARTITION, member)
    for each in (changed, removed, untouched):
        await state_log.write(PARTITION, each, b"before")
    await another.take(PARTITION, member)
    await another.write(PARTITION, changed, b"after")
    await state_log.write(PARTITION, changed, b"late")
    await state_log.write(PARTITION, removed, None)
    await state_log.write(PARTITION, new, b"late")
    before = await taken(another)
    assert (before[changed], before[removed], before.get(new)) == (b"after", b"before", None)
    end = len(past(broker, PARTITION))
    copy_compacted(broker, PARTITION, EMPTY)
    assert await another.read(EMPTY) == before
    # What counts is last again: there is nothing to write for who takes it next.
    await another.take(PARTITION, member)
    assert len(past(broker, PARTITION)) == end + 1


async def test_compaction_keeps_what_was_written_before_a_worker_asked_whether_it_counts(
    state_log: KafkaStateLog, another: KafkaStateLog, broker: str
) -> None:
    """The mark that it rests on stays before it."""
    mine = key()
    await another.take(PARTITION, member)
    await state_log.take(PARTITION, member)
    await state_log.write(PARTITION, mine, b"mine")
    assert await state_log.holds(PARTITION)
    copy_compacted(broker, PARTITION, EMPTY + 1)
    assert (await another.read(EMPTY + 1))[mine] == b"mine"


async def test_who_has_the_partition_is_told_of_the_keys_that_a_late_record_came_for(
    state_log: KafkaStateLog, another: KafkaStateLog
) -> None:
    """With its own next write, and once."""
    late, own = key(), key()
    await state_log.take(PARTITION, member)
    await another.take(PARTITION, member)
    await another.write(PARTITION, own, b"own")
    assert set(another.take_buried(PARTITION)) == set()
    await state_log.write(PARTITION, late, b"late")
    await state_log.write(PARTITION, own, b"late")
    assert await another.write(PARTITION, own, b"later")
    assert set(another.take_buried(PARTITION)) == {late}
    assert set(another.take_buried(PARTITION)) == set()


@pytest.mark.kafka
@pytest.mark.e2e
async def test_a_broker_that_compacts_keeps_what_counts(tmp_path: Path) -> None:
    """With segments of half a second: all but the last are compacted."""
    if (missing := kafka_missing()) is not None:
        pytest.skip(missing)
    soon = {"log.cleaner.backoff.ms": "200", "log.cleaner.min.cleanable.ratio": "0.001"}
    with KafkaCluster(tmp_path / "kafka", properties=lambda _: soon) as kafka:
        admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
        config = {"cleanup.policy": "compact", "segment.ms": "500"}
        made = admin.create_topics([NewTopic(topics.DECISION_STATES, 1, 1, config=config)])
        made[topics.DECISION_STATES].result(60)
        settings = Settings(bootstrap_servers=kafka.bootstrap)
        client = librdkafka_config(settings, kafka.bootstrap)
        publisher = KafkaPublisher(client, Codec(), "test")
        former, owner = KafkaStateLog(client, publisher), KafkaStateLog(client, publisher)
        kept, filler = key(), key()
        await former.take(0, member)
        await former.write(0, kept, b"kept")
        await owner.take(0, member)
        await former.write(0, kept, b"late")
        await owner.take(0, member)

        def compacted() -> bool:
            return [it.key() for it in past(kafka.bootstrap, 0)].count(kept) == 1

        async with asyncio.timeout(LIMIT):
            while not await asyncio.to_thread(compacted):
                await owner.write(0, filler, b"a segment is closed when a record comes")
        assert (await owner.read(0))[kept] == b"kept"
        publisher.close()


async def test_a_log_that_cannot_be_read_says_that_the_process_is_unfit(
    state_log: KafkaStateLog,
) -> None:
    with pytest.raises(ProcessUnfit):
        await state_log.read(99)
