"""A partition's past is had from brokers that die while they are asked for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from confluent_kafka import Producer

from deploy.kafka.cluster import KafkaCluster
from deploy.kafka.jars import kafka_missing
from deploy.kafka.process import QUICK_START
from schemas import topics
from topology.history import KafkaHistory
from topology.kafka_config import PRODUCER, librdkafka_config
from topology.settings import Settings
from topology.topic_admin import apply_topics

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.kafka,
    pytest.mark.skipif(kafka_missing() is not None, reason=str(kafka_missing())),
]
RECORDS = [(offset, b"detection %d" % offset) for offset in range(3)]


def test_the_past_is_waited_for_while_the_broker_is_away(tmp_path: Path) -> None:
    """It is away for longer than one question for the first offset may take."""
    with KafkaCluster(tmp_path / "kafka", java_options=QUICK_START) as kafka:
        apply_topics(Settings(), kafka.bootstrap)
        config = librdkafka_config(Settings(), kafka.bootstrap)
        producer = Producer(config | PRODUCER)
        for _, value in RECORDS:
            producer.produce(topics.DETECTIONS, value, partition=0)
        assert producer.flush(30) == 0
        kafka.kill(1)

        async def read_while_it_is_started() -> list[tuple[int, bytes]]:
            reading = asyncio.create_task(
                KafkaHistory(config).read(topics.DETECTIONS, 0, 0, len(RECORDS))
            )
            await asyncio.sleep(0)
            kafka.start_broker(1)
            return await reading

        assert asyncio.run(read_while_it_is_started()) == RECORDS
