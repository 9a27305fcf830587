"""What is produced arrives in order, and costs nothing while brokers don't answer."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # stub's gap

from tests.brokers import paused
from tests.waiting import wait_until
from topology.broker import EmbeddedBroker
from topology.polled import PolledProducer, Record, Report
from topology.settings import Settings

LIMIT = 20.0
TOPIC = "polled"
SECONDS = 2.0
"""The brokers say nothing for so long."""


class Ground:
    """A broker of the test's own, with a topic of one partition, and a producer to it."""

    def __init__(self, broker: EmbeddedBroker, changes: Mapping[str, Any]) -> None:
        self.pid = broker.pid
        self.config: dict[str, Any] = {"bootstrap.servers": broker.bootstrap, "log_level": 0}
        admin = AdminClient(self.config)
        admin.create_topics([NewTopic(TOPIC, 1)])[TOPIC].result(LIMIT)
        before = _threads()
        self.producer = PolledProducer({**self.config, **changes})
        self.reports: list[str | None] = []
        self._before = before.keys()

    def record(self, value: bytes) -> tuple[Record, Report]:
        return record(value, self.reports)

    def cpu_seconds(self) -> float:
        """What threads took that came with the producer: librdkafka's and its own."""
        return sum(cpu for thread, cpu in _threads().items() if thread not in self._before)

    def read(self, count: int) -> list[bytes | None]:
        consumer = Consumer({**self.config, "group.id": "test", "fetch.wait.max.ms": 10})
        with closing(consumer):
            consumer.assign([TopicPartition(TOPIC, 0, 0)])
            return [message.value() for message in consumer.consume(count, timeout=LIMIT)]


def record(value: bytes, reports: list[str | None]) -> tuple[Record, Report]:
    def report(error: KafkaError | None, _: Message | None) -> None:
        reports.append(None if error is None else error.name())

    return {"topic": TOPIC, "key": b"key", "value": value}, report


def _threads() -> dict[int, float]:
    threads = psutil.Process().threads()
    return {thread.id: thread.user_time + thread.system_time for thread in threads}


@pytest.fixture
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    """Its parameter, where a test gives one, is what the producer's configuration changes."""
    with EmbeddedBroker(Settings(runtime_dir=tmp_path)) as broker:
        ground = Ground(broker, getattr(request, "param", {}))
        yield ground
        ground.producer.close(0)


@pytest.mark.parametrize(
    "ground",
    [
        pytest.param({}, id="as it is"),
        pytest.param({"message.max.bytes": 2_000}, id="small requests"),
        pytest.param({"batch.size": 2_000}, id="small batches"),
    ],
    indirect=True,
)
def test_brokers_that_say_nothing_cost_no_cpu_and_then_get_all_in_order(ground: Ground) -> None:
    """However much is produced meanwhile. (By librdkafka alone it is a whole CPU, or as much as
    other processes leave of one.)"""
    values = [b"%0100d" % number for number in range(200)]
    ground.producer.produce([ground.record(values[0])])
    wait_until(lambda: ground.reports == [None], LIMIT)
    with paused(ground.pid):
        ground.producer.produce([ground.record(value) for value in values[1:100]])
        for value in values[100:]:
            ground.producer.produce([ground.record(value)])
            time.sleep(0.002)  # a stream of them, not one batch
        began, cpu = time.monotonic(), ground.cpu_seconds()
        assert ground.producer.flush(SECONDS) == len(values) - 1
        share = (ground.cpu_seconds() - cpu) / (time.monotonic() - began)
    assert ground.producer.flush(LIMIT) == 0
    assert ground.reports == [None] * len(values)
    assert ground.read(len(values)) == values
    assert share < 0.1


def test_what_is_too_large_is_refused_and_what_comes_behind_it_is_taken(ground: Ground) -> None:
    for value in (b"a", b"x" * 2_000_000, b"b"):
        ground.producer.produce([ground.record(value)])
    assert ground.producer.flush(LIMIT) == 0
    assert sorted(ground.reports, key=str) == ["MSG_SIZE_TOO_LARGE", None, None]
    assert ground.read(2) == [b"a", b"b"]


def test_where_there_is_no_room_none_is_taken(ground: Ground) -> None:
    config = {**ground.config, "queue.buffering.max.messages": 3}
    with closing(PolledProducer(config)) as producer, paused(ground.pid):
        producer.produce([ground.record(b"a"), ground.record(b"b")])
        with pytest.raises(BufferError):
            producer.produce([ground.record(b"c"), ground.record(b"d")])
        producer.produce([ground.record(b"e")])
        assert producer.flush(0) == 3


def test_what_no_broker_takes_is_told_after_its_time() -> None:
    """Nothing listens on port 1 of the loopback."""
    config = {"bootstrap.servers": "127.0.0.1:1", "message.timeout.ms": 300, "log_level": 0}
    reports: list[str | None] = []
    with closing(PolledProducer(config)) as producer:
        producer.produce([record(b"a", reports)])
        assert producer.flush(LIMIT) == 0
    assert reports == ["_MSG_TIMED_OUT"]
