"""Producing to librdkafka's mock cluster, and reading back what came of it."""

from __future__ import annotations

import pytest
from confluent_kafka import Message

from schemas import Codec, FrameSampled, StreamUpdated, derive_id, topics
from topology.sampler import DeliveryFailed, FrameProducer, FrameTooLarge

from .support import NOON, read_topic

LIMIT = 2_000_000


def frame(payload: bytes = b"jpeg", sequence: int = 0) -> FrameSampled:
    return FrameSampled(
        stream_id="strøm",
        session_id="session",
        shard_id="ingest-7",
        sequence=sequence,
        captured_at=NOON,
        codec="jpeg",
        width=4,
        height=2,
        payload=payload,
        drill=True,
    )


def headers_of(message: Message) -> dict[str, bytes]:
    headers = message.headers()
    assert isinstance(headers, list)
    return {name: value for name, value in headers if isinstance(value, bytes)}


def test_a_frame_arrives_with_key_value_and_headers(kafka: dict[str, str]) -> None:
    reports: list[str | None] = []
    with FrameProducer(kafka, max_payload_bytes=LIMIT) as producer:
        producer.send(frame(), reports.append)
        assert producer.flush(10) == 0
    assert reports == [None]
    (message,) = read_topic(kafka, topics.FRAME_SAMPLES)
    headers = headers_of(message)
    assert message.key() == "strøm".encode()
    assert Codec().decode(message.value(), FrameSampled) == frame()
    assert headers["ce_id"] == derive_id("frame", "strøm", "session", 0).encode()
    assert headers["ce_type"] == b"firebreak.FrameSampled"
    assert headers["ce_source"] == b"firebreak/sampler/ingest-7"
    assert headers["ce_subject"] == "strøm".encode()
    assert headers["ce_time"] == b"2023-11-14T22:13:20.000000Z"
    assert headers["traceparent"].startswith(b"00-")


def test_a_stream_update_arrives_on_its_topic(kafka: dict[str, str]) -> None:
    update = StreamUpdated(
        stream_id="s", session_id="session", shard_id="local", change="started", updated_at=NOON
    )
    with FrameProducer(kafka, max_payload_bytes=LIMIT) as producer:
        producer.send(update)
    (message,) = read_topic(kafka, topics.STREAM_UPDATES)
    assert Codec().decode(message.value(), StreamUpdated) == update
    headers = headers_of(message)
    assert headers["ce_id"] == derive_id("stream", "s", "session", "started").encode()


def test_the_largest_payload_is_sent_and_one_byte_more_is_refused(kafka: dict[str, str]) -> None:
    """The limit is the payload's, and inclusive; librdkafka's own default would be below it."""
    with FrameProducer(kafka, max_payload_bytes=LIMIT) as producer:
        producer.send(frame(bytes(LIMIT)))
        with pytest.raises(FrameTooLarge, match=f"strøm: frame 1 has {LIMIT + 1} bytes"):
            producer.send(frame(bytes(LIMIT + 1), sequence=1))
        assert producer.flush(10) == 0
    assert len(read_topic(kafka, topics.FRAME_SAMPLES)) == 1


def test_a_full_queue_is_waited_on_until_reports_make_room(kafka: dict[str, str]) -> None:
    """Many more frames than the queue holds all arrive, in order."""
    config = {**kafka, "queue.buffering.max.messages": 2}
    with FrameProducer(config, max_payload_bytes=LIMIT) as producer:
        for sequence in range(20):
            producer.send(frame(sequence=sequence))
    messages = read_topic(kafka, topics.FRAME_SAMPLES)
    arrived = [Codec().decode(message.value(), FrameSampled).sequence for message in messages]
    assert arrived == list(range(20))


def test_a_queue_that_stays_full_is_an_error() -> None:
    """Nothing listens on port 1 of the loopback."""
    config = {"bootstrap.servers": "127.0.0.1:1", "queue.buffering.max.messages": 1, "log_level": 0}
    producer = FrameProducer(
        {**config, "message.timeout.ms": 1000}, max_payload_bytes=LIMIT, queue_wait=0.1
    )
    reports: list[str | None] = []
    with producer:
        producer.send(frame(), reports.append)
        with pytest.raises(DeliveryFailed, match=r"stayed full for 0\.1 s"):
            producer.send(frame(sequence=1), reports.append)
    assert len(reports) == 1
    assert reports[0] is not None
