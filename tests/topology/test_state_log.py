"""What the decision agent remembers comes back whole, from a real broker."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import pytest

from agents.publishing import ProcessUnfit
from schemas import Codec
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


async def test_partitions_are_kept_apart(state_log: KafkaStateLog) -> None:
    mine = key()
    await state_log.write(PARTITION, mine, b"mine")
    assert mine not in await state_log.read(PARTITION + 1)


async def test_a_log_that_cannot_be_read_says_that_the_process_is_unfit(
    state_log: KafkaStateLog,
) -> None:
    with pytest.raises(ProcessUnfit):
        await state_log.read(99)
