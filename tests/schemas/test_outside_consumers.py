"""A takedown service reads decisions with the published schema, or with the schemas alone."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from agents.publishing import Outgoing
from schemas import Codec, TakedownRequested, topics
from tests.decision.timeline import Timeline, risk
from topology.publisher import KafkaPublisher

SCHEMAS = Path(__file__).parents[2] / "schemas"
HEADER_BYTES = 10
"""Avro single-object encoding: two bytes of magic, eight of fingerprint."""
STREAM = "contract"


def a_takedown() -> TakedownRequested:
    """As the decision core issues it."""
    timeline = Timeline()
    timeline.play(risk(0, 8, stream=STREAM))
    return timeline.all(TakedownRequested)[0]


async def publish(brokers: str, event: TakedownRequested) -> None:
    """Publish as the decision agent does."""
    publisher = KafkaPublisher({"bootstrap.servers": brokers}, Codec(), "test")
    outgoing = Outgoing(event, event.takedown_id, event.requested_at, STREAM.encode(), partition=0)
    await publisher.publish([outgoing])
    publisher.close()


@pytest.fixture
def mock_cluster() -> Iterator[str]:
    """librdkafka's own broker: Debian's kcat is too old a client for the embedded one."""
    keeper = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "ignored"})
    (broker,) = keeper.list_topics(timeout=10).brokers.values()
    yield f"{broker.host}:{broker.port}"
    del keeper


def read_with_consumer(broker: str) -> list[bytes]:
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "contract"})
    consumer.assign([TopicPartition(topics.TAKEDOWNS, 0, OFFSET_BEGINNING)])
    values: list[bytes] = []
    while not values:
        # Other tests write to the topic too, what is no takedown among it.
        read = [m for m in consumer.consume(100, timeout=5) if not m.error()]
        values = [m.value() or b"" for m in read if m.key() == STREAM.encode()]
    consumer.close()
    return values


def read_with_kcat(broker: str) -> list[bytes]:
    # Each value behind its length in bytes, as values are binary.
    command = ["kcat", "-C", "-b", broker, "-t", topics.TAKEDOWNS, "-p", "0", "-o", "beginning"]
    ended = subprocess.run(
        [*command, "-e", "-q", "-f", "%S\n%s"], capture_output=True, timeout=30, check=True
    )
    stream, values = io.BytesIO(ended.stdout), []
    while length := stream.readline():
        values.append(stream.read(int(length)))
    return values


def assert_readable(values: list[bytes], takedown: TakedownRequested) -> None:
    """Decode with the schema file and a stock Avro library."""
    schema = json.loads((SCHEMAS / "avro/TakedownRequested.avsc").read_text())
    found: list[Any] = [
        fastavro.schemaless_reader(io.BytesIO(value[HEADER_BYTES:]), schema, None)
        for value in values
    ]
    (ours, *_) = [datum for datum in found if datum["stream_id"] == STREAM]
    assert ours["takedown_id"] == takedown.takedown_id
    assert ours["requested_at"].isoformat() == "2023-11-14T22:13:20+00:00"
    assert ours["evidence"][0]["topic"] == topics.FRAME_SAMPLES
    assert ours["drill"] is False


async def test_a_plain_consumer_reads_a_takedown_with_nothing_but_the_published_schema(
    topics_broker: str,
) -> None:
    takedown = a_takedown()
    await publish(topics_broker, takedown)
    assert_readable(read_with_consumer(topics_broker), takedown)


@pytest.mark.skipif(shutil.which("kcat") is None, reason="kcat is not installed (Debian: kcat)")
async def test_kcat_reads_a_takedown_with_nothing_but_the_published_schema(
    mock_cluster: str,
) -> None:
    takedown = a_takedown()
    await publish(mock_cluster, takedown)
    assert_readable(read_with_kcat(mock_cluster), takedown)


def test_the_schemas_install_alone_and_bring_nothing_else_with_them(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(SCHEMAS, source, ignore=shutil.ignore_patterns("__pycache__"))
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run(
        [*install, "--no-build-isolation", "--target", tmp_path / "alone", source],
        check=True,
        timeout=120,
    )
    value = Codec().encode(a_takedown())
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from firebreak_schemas import Codec, TakedownRequested\n"
        "print(Codec().decode(bytes.fromhex(sys.argv[2]), TakedownRequested).rule)\n"
        "loaded = {'faust', 'topology', 'agents', 'schemas', 'numpy'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "alone", value.hex()],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=60,
    )
    assert ended.stdout.strip() == "sustained-firearm", ended.stderr
