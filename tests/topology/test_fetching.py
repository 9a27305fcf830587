"""Fetching by librdkafka from a real broker: where it begins, and what a seek does."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from faust.types import TP

from topology.fetching import Fetched, Fetching

WAIT = 0.2


class Log:
    """A topic of two partitions."""

    def __init__(self, bootstrap: str) -> None:
        self.topic = f"fetching-{uuid.uuid4()}"
        admin = AdminClient({"bootstrap.servers": bootstrap})
        admin.create_topics([NewTopic(self.topic, 2, 1)])[self.topic].result()
        self._producer = Producer({"bootstrap.servers": bootstrap})

    def at(self, partition: int) -> TP:
        return TP(self.topic, partition)

    def append(self, partition: int, *values: bytes) -> None:
        for value in values:
            headers: Any = [("traceparent", b"trace")]
            self._producer.produce(self.topic, value, b"key", partition=partition, headers=headers)
        assert self._producer.flush(10) == 0


@pytest.fixture
def topic(broker: str) -> Log:
    return Log(broker)


@pytest.fixture
async def fetching(broker: str) -> AsyncIterator[Fetching]:
    made = Fetching({"bootstrap.servers": broker}, "fetching")
    yield made
    made.close()


async def values(
    fetching: Fetching, wanted: set[TP], expected: int, limit: int = 100
) -> dict[TP, list[bytes | None]]:
    """What comes until there are ``expected`` records, by partition."""
    found: dict[TP, list[bytes | None]] = {tp: [] for tp in wanted}
    for _ in range(limit):
        for tp, records in (await fetching.fetch(wanted, WAIT)).items():
            found[tp] += [record.value for record in records]
        if sum(map(len, found.values())) >= expected:
            break
    return found


async def test_partitions_are_read_from_their_beginning_in_order(
    topic: Log, fetching: Fetching
) -> None:
    topic.append(0, b"a", b"b", b"c")
    topic.append(1, b"x")
    found = await values(fetching, {topic.at(0), topic.at(1)}, 4)
    assert found == {topic.at(0): [b"a", b"b", b"c"], topic.at(1): [b"x"]}
    assert fetching.handed_out == {topic.topic: 4}
    assert set(fetching.waiting().values()) == {0}


async def test_a_record_comes_with_all_that_an_agent_looks_at(
    topic: Log, fetching: Fetching
) -> None:
    topic.append(1, b"x")
    found: list[Fetched] = []
    for _ in range(100):
        found += (await fetching.fetch({topic.at(1)}, WAIT)).get(topic.at(1), [])
        if found:
            break
    (one,) = found
    assert (one.topic, one.partition, one.offset) == (topic.topic, 1, 0)
    assert (one.key, one.value, one.headers) == (b"key", b"x", [("traceparent", b"trace")])
    assert one.timestamp > 1_700_000_000_000


async def test_reading_begins_where_it_was_sought(topic: Log, fetching: Fetching) -> None:
    topic.append(0, b"a", b"b", b"c")
    fetching.seek({topic.at(0): 2})
    assert await values(fetching, {topic.at(0)}, 1) == {topic.at(0): [b"c"]}


async def test_after_a_seek_what_was_read_comes_again_and_nothing_is_left_out(
    topic: Log, fetching: Fetching
) -> None:
    topic.append(0, b"a", b"b", b"c")
    await values(fetching, {topic.at(0)}, 3)
    fetching.seek({topic.at(0): 1})
    assert await values(fetching, {topic.at(0)}, 2) == {topic.at(0): [b"b", b"c"]}


async def test_a_partition_that_joins_others_does_not_make_them_begin_again(
    topic: Log, fetching: Fetching
) -> None:
    topic.append(0, b"a", b"b")
    assert await values(fetching, {topic.at(0)}, 2) == {topic.at(0): [b"a", b"b"]}
    topic.append(0, b"c")
    topic.append(1, b"x")
    found = await values(fetching, {topic.at(0), topic.at(1)}, 2)
    assert found == {topic.at(0): [b"c"], topic.at(1): [b"x"]}


async def test_a_partition_that_is_not_asked_for_is_not_read(
    topic: Log, fetching: Fetching
) -> None:
    topic.append(0, b"a")
    topic.append(1, b"x")
    assert await values(fetching, {topic.at(1)}, 1) == {topic.at(1): [b"x"]}
    assert await values(fetching, set(), 1, limit=2) == {}


async def test_a_seek_during_a_fetch_leaves_nothing_of_it(topic: Log, fetching: Fetching) -> None:
    topic.append(0, b"a")
    while not (fetched := await fetching.fetch({topic.at(0)}, WAIT)):
        pass
    assert fetched
    running = asyncio.create_task(fetching.fetch({topic.at(0)}, WAIT))
    await asyncio.sleep(0)
    topic.append(0, b"b")
    fetching.seek({topic.at(0): 0})
    assert await running == {}
    assert await values(fetching, {topic.at(0)}, 2) == {topic.at(0): [b"a", b"b"]}
