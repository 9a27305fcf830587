"""Evidence as a whole: from a frame and a decision in Kafka to a picture and the record of it."""

from __future__ import annotations

import asyncio
import io
import time
import uuid
from collections.abc import AsyncIterator

import pytest
from confluent_kafka import Consumer, TopicPartition
from PIL import Image

from agents.decision.case import incident_id
from agents.decision.defaults import default_policy
from agents.decision.policies import Policies
from agents.oncall.evidence import cited
from agents.oncall.ports import Span
from agents.oncall.viewing import Asking, Kind
from schemas import Codec, EvidenceViewed, topics
from tests.builders import SECOND
from tests.detection.test_decode import picture
from tests.topology.incidents import SESSION, Story
from tests.topology.test_incident_export import publish, publish_frames
from topology.kafka_config import PRODUCER, partition_of
from topology.oncall.sources import EvidenceReading
from topology.publisher import KafkaPublisher
from topology.settings import Settings

PARTITIONS = 8
LIMIT = 20.0


@pytest.fixture
async def reading(topics_broker: str) -> AsyncIterator[EvidenceReading]:
    config = {"bootstrap.servers": topics_broker}
    publisher = KafkaPublisher({**config, **PRODUCER}, Codec(), "test")
    reading = EvidenceReading(
        Settings(),
        config,
        Codec(),
        partitions=PARTITIONS,
        publisher=publisher,
        policies=lambda: Policies(default_policy()),
    )
    yield reading
    await reading.on_stop()
    await asyncio.to_thread(publisher.close)


def views_of(broker: str, stream: str) -> list[EvidenceViewed]:
    """What is on record, of the newest hundred of the stream's partition."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": f"test-{uuid.uuid4()}"})
    place = TopicPartition(topics.EVIDENCE_VIEWS, partition_of(stream.encode(), PARTITIONS), 0)
    consumer.assign([place])
    found: list[EvidenceViewed] = []
    deadline = time.monotonic() + LIMIT
    while not found and time.monotonic() < deadline:
        for message in consumer.consume(100, timeout=0.2):
            assert message.error() is None
            if message.key() == stream.encode():
                found.append(Codec().decode(message.value(), EvidenceViewed))
    consumer.close()
    return found


async def test_a_frame_of_a_decision_becomes_a_picture_that_is_on_record(
    topics_broker: str, reading: EvidenceReading
) -> None:
    """The decision is found in the stream's past, the frame by its coordinates, and what the
    brokers have of it is who saw what and why."""
    stream = f"stream-{uuid.uuid4()}"
    refs = await asyncio.to_thread(publish_frames, topics_broker, stream, [picture(320, 240)])
    story = Story(stream, evidence=refs)
    await asyncio.to_thread(publish, topics_broker, *story.whole())
    now = time.time_ns() // 1000
    sources = reading.sources

    past = await sources.history(stream, Span(now - 600 * SECOND, now + SECOND, now - 600 * SECOND))
    (frame,) = (it for it in cited(past.events).values() if it.decided)
    asking = Asking("kea", incident_id(stream, SESSION), stream, "to confirm it", now)
    shown = await sources.viewing.picture(frame, Kind.PLAIN, asking)

    left = Image.open(io.BytesIO(shown.jpeg)).convert("RGB").getpixel((20, 20))
    assert isinstance(left, tuple)
    assert left[0] > 200
    (view,) = await asyncio.to_thread(views_of, topics_broker, stream)
    assert (view.operator, view.kind, view.reason) == ("kea", "plain", "to confirm it")
    assert (view.partition, view.offset) == (refs[0].partition, refs[0].offset)
    assert view.incident_id == story.incident_id


def test_pictures_are_veiled_unless_the_organisation_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Settings().evidence_veiled
    monkeypatch.setenv("FIREBREAK_EVIDENCE_VEILED", "false")
    assert not Settings().evidence_veiled
