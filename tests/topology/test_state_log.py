"""What the decision agent remembers comes back whole, from a real broker."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping

import pytest

from agents.publishing import ProcessUnfit
from schemas import Codec, topics
from topology.kafka_config import librdkafka_config
from topology.publisher import KafkaPublisher
from topology.settings import Settings
from topology.state_log import KafkaStateLog
from topology.topic_admin import apply_topics

PARTITION = 5


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


async def test_a_log_that_cannot_be_read_says_that_the_process_is_unfit(
    state_log: KafkaStateLog,
) -> None:
    with pytest.raises(ProcessUnfit):
        await state_log.read(99)
