"""Publishing returns when the brokers have the events, and says so when they don't."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from typing import cast

import pytest
from confluent_kafka import Consumer, Message, TopicPartition

from agents.publishing import Outgoing, OutputTooLarge, PublishFailed
from schemas import Codec, Event, ReadHeaders, RiskAssessed, TakedownRequested, topics
from schemas.signatures import SIGNATURE, Signer, Verifier, key_set, new_private_key
from tests.brokers import BrokerKind
from tests.builders import START, frame_sampled, risk_assessed
from tests.oncall.events import takedown_requested
from topology.kafka_config import librdkafka_config
from topology.publisher import KafkaPublisher
from topology.settings import Settings
from topology.topic_admin import apply_topics

PARTITIONS = 8
LIMIT_SECONDS = 10.0


@pytest.fixture
async def publisher(kafka_settings: Settings, broker: str) -> AsyncIterator[KafkaPublisher]:
    apply_topics(kafka_settings, broker)
    publisher = KafkaPublisher(librdkafka_config(kafka_settings, broker), Codec(), "test")
    yield publisher
    publisher.close()


def outgoing(event: Event, key: bytes, partition: int | None = None) -> Outgoing:
    return Outgoing(event, str(uuid.uuid4()), START, key, partition)


def read_ids(broker: str, topic: str, ids: set[str]) -> dict[str, Message]:
    """The records of ``topic`` with the CloudEvents ``ids``."""
    group = str(uuid.uuid4())
    consumer = Consumer({"bootstrap.servers": broker, "group.id": group, "fetch.wait.max.ms": 10})
    consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
    found: dict[str, Message] = {}
    deadline = time.monotonic() + LIMIT_SECONDS
    while not ids <= found.keys() and time.monotonic() < deadline:
        message = consumer.poll(0.2)
        if message is not None:
            assert message.error() is None
            # Other tests write to the same brokers, some of them rubbish.
            if "ce_id" in dict(message.headers() or []):
                found[header(message, "ce_id")] = message
    consumer.close()
    return {name: found[name] for name in ids}


def header(message: Message, name: str) -> str:
    value = dict(message.headers() or [])[name]
    assert isinstance(value, bytes)
    return value.decode()


async def test_published_event_can_be_read_with_its_headers(
    publisher: KafkaPublisher, broker: str
) -> None:
    event = risk_assessed(stream_id="published")
    item = Outgoing(
        event, str(uuid.uuid4()), START, b"published", None, f"00-{'a' * 32}-{'b' * 16}-01"
    )
    await publisher.publish([item])
    message = read_ids(broker, topics.RISK, {item.id})[item.id]
    assert message.key() == b"published"
    assert Codec().decode(message.value() or b"", RiskAssessed) == event
    assert header(message, "ce_type") == "firebreak.RiskAssessed"
    assert header(message, "ce_source") == "test"
    assert header(message, "ce_subject") == "published"
    assert f"00-{'a' * 32}-" in header(message, "traceparent")


async def test_event_goes_to_the_partition_that_is_asked_for(
    publisher: KafkaPublisher, broker: str
) -> None:
    items = [outgoing(risk_assessed(), b"key", partition) for partition in range(PARTITIONS)]
    await publisher.publish(items)
    found = read_ids(broker, topics.RISK, {item.id for item in items})
    assert [found[item.id].partition() for item in items] == list(range(PARTITIONS))


async def test_largest_frame_is_taken_and_read_back(
    publisher: KafkaPublisher, broker: str, kafka_settings: Settings
) -> None:
    item = outgoing(frame_sampled(payload=b"x" * kafka_settings.max_payload_bytes), b"largest")
    await publisher.publish([item])
    message = read_ids(broker, topics.FRAME_SAMPLES, {item.id})[item.id]
    assert len(message.value() or b"") > kafka_settings.max_payload_bytes


async def test_each_of_many_concurrent_publishes_completes(
    publisher: KafkaPublisher, broker: str
) -> None:
    calls = [
        [outgoing(risk_assessed(), f"{call}-{number}".encode()) for number in range(5)]
        for call in range(50)
    ]
    await asyncio.wait_for(
        asyncio.gather(*(publisher.publish(items) for items in calls)), LIMIT_SECONDS
    )
    ids = {item.id for items in calls for item in items}
    assert read_ids(broker, topics.RISK, ids).keys() == ids
    assert publisher.written == {topics.RISK: len(ids)}


async def test_publishing_tells_what_time_it_is_with_the_brokers(
    publisher: KafkaPublisher,
) -> None:
    """To the millisecond, and behind by no longer than an acknowledgement takes."""
    assert publisher.clock.now() is None
    began = time.time_ns() // 1_000_000
    await publisher.publish([outgoing(risk_assessed(), b"key")])
    assert began <= (publisher.clock.now() or 0) // 1000 <= time.time_ns() // 1_000_000


async def test_publishing_nothing_returns_at_once(publisher: KafkaPublisher) -> None:
    await publisher.publish([])


async def test_event_over_the_largest_size_is_refused(
    publisher: KafkaPublisher, kafka_settings: Settings
) -> None:
    payload = b"x" * (2 * kafka_settings.max_payload_bytes)
    with pytest.raises(OutputTooLarge, match=topics.FRAME_SAMPLES):
        await publisher.publish([outgoing(frame_sampled(payload=payload), b"oversized")])


async def test_event_that_the_brokers_find_too_large_is_refused_and_the_next_is_taken(
    publisher: KafkaPublisher, broker_kind: BrokerKind, broker: str, kafka_settings: Settings
) -> None:
    """They go by the topic's own size, whatever the client would send."""
    if broker_kind != "kafka":
        pytest.skip("the embedded broker takes whatever the client sends")
    largest = kafka_settings.max_payload_bytes
    config = librdkafka_config(kafka_settings, broker) | {"message.max.bytes": 3 * largest}
    lenient = KafkaPublisher(config, Codec(), "test")
    try:
        with pytest.raises(OutputTooLarge, match=topics.FRAME_SAMPLES):
            await lenient.publish([outgoing(frame_sampled(payload=b"x" * 2 * largest), b"large")])
        await lenient.publish([outgoing(frame_sampled(payload=b"x"), b"large")])
    finally:
        lenient.close()


async def test_a_record_over_the_brokers_own_default_is_taken(publisher: KafkaPublisher) -> None:
    """1,048,588 bytes with Apache Kafka; each topic says what it takes."""
    assert await publisher.put(topics.HEARD, 0, b"large", b"x" * 1_500_000) >= 0


async def test_partition_that_does_not_exist_is_refused(publisher: KafkaPublisher) -> None:
    with pytest.raises(PublishFailed, match=topics.RISK):
        await publisher.publish([outgoing(risk_assessed(), b"key", partition=PARTITIONS)])


async def test_publish_fails_when_one_of_its_events_does(publisher: KafkaPublisher) -> None:
    good = outgoing(risk_assessed(), b"key")
    with pytest.raises(PublishFailed):
        await publisher.publish([good, outgoing(risk_assessed(), b"key", partition=PARTITIONS)])


async def test_brokers_that_are_away_fail_the_publish() -> None:
    config = {"bootstrap.servers": "127.0.0.1:9", "message.timeout.ms": 300, "log_level": 0}
    publisher = KafkaPublisher(config, Codec(), "test")
    with pytest.raises(PublishFailed):
        await asyncio.wait_for(publisher.publish([outgoing(risk_assessed(), b"key")]), 10)
    publisher.close()


async def test_decisions_are_signed_and_the_rest_is_not(
    kafka_settings: Settings, broker: str
) -> None:
    apply_topics(kafka_settings, broker)
    key = new_private_key()
    config = librdkafka_config(kafka_settings, broker)
    publisher = KafkaPublisher(config, Codec(), "test", Signer(key))
    decision = outgoing(takedown_requested(takedown_id=str(uuid.uuid4())), b"signed")
    assessment = outgoing(risk_assessed(), b"signed")
    try:
        await publisher.publish([decision, assessment])
    finally:
        publisher.close()
    issued = read_ids(broker, topics.TAKEDOWNS, {decision.id})[decision.id]
    Verifier(key_set([key])).verify(
        TakedownRequested, issued.value(), cast(ReadHeaders, issued.headers())
    )
    told = read_ids(broker, topics.RISK, {assessment.id})[assessment.id]
    assert SIGNATURE not in dict(told.headers() or [])
