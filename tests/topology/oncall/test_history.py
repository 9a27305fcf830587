"""A stream's past from a real broker: its own and nobody else's, bounded, with what is left out."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace

import pytest
from confluent_kafka import Producer

from agents.oncall.ports import Span
from schemas import Codec, DetectionsMade, TakedownAcknowledged, TakedownRequested, topics
from tests.builders import SECOND, START, detection, detections_made
from tests.topology.incidents import SESSION, Story
from tests.topology.test_incident_export import publish
from topology.kafka_config import PRODUCER, partition_of
from topology.oncall import history as module
from topology.oncall.history import KafkaHistory
from topology.oncall.readings import Readings

LIMIT = 20.0
PARTITIONS = 8


@pytest.fixture
def stream() -> str:
    return f"stream-{uuid.uuid4()}"


def span(seconds: int = 600) -> Span:
    now = time.time_ns() // 1000
    return Span(now - seconds * SECOND, now + SECOND, now - seconds * SECOND)


def publish_detections(broker: str, stream: str, *batches: DetectionsMade) -> None:
    """As detection does it: in the partition of the stream's frames."""
    producer = Producer({"bootstrap.servers": broker, **PRODUCER})
    for batch in batches:
        producer.produce(
            topics.DETECTIONS,
            key=b"0",
            value=Codec().encode(batch),
            partition=partition_of(stream.encode(), PARTITIONS),
        )
    assert producer.flush(LIMIT) == 0


def scored(stream: str, numbers: Sequence[int]) -> DetectionsMade:
    """A batch of frames of ``stream``, with one of another stream before each."""
    return detections_made(
        *(
            it
            for number in numbers
            for it in (
                detection(number, scores=[0.1, 0.1], stream_id=f"{stream}-other"),
                detection(number, scores=[number / 100, 0.25], stream_id=stream),
            )
        ),
        signals=["firearm", "fictional"],
    )


def reader(broker: str) -> KafkaHistory:
    return KafkaHistory({"bootstrap.servers": broker}, Codec(), PARTITIONS, Readings("history", 1))


@pytest.mark.parametrize("name", ["stream-1", "kea", "", "日本", "a" * 300])
def test_a_streams_partition_is_the_one_that_producers_choose(
    topics_broker: str, name: str
) -> None:
    """Kafka's own hash of the key."""
    placed: list[int | None] = []
    producer = Producer({"bootstrap.servers": topics_broker, **PRODUCER})
    producer.produce(
        topics.TICKS,
        key=name.encode(),
        value=b"",
        on_delivery=lambda error, message: placed.append(message.partition()),
    )
    assert producer.flush(LIMIT) == 0

    assert placed == [partition_of(name.encode(), PARTITIONS)]


async def test_all_of_a_stream_is_found_and_nothing_of_another(
    topics_broker: str, stream: str
) -> None:
    """Scores out of batches, risk, decisions and their answers, each in order of its time."""
    story = Story(stream)
    await asyncio.to_thread(
        publish, topics_broker, *story.whole(), *Story(f"{stream}-other").whole()
    )
    await asyncio.to_thread(
        publish_detections,
        topics_broker,
        stream,
        scored(stream, range(4, 8)),
        scored(stream, range(4)),
    )

    past = await reader(topics_broker)(stream, span())

    assert [it.captured_at for it in past.samples] == [
        START + number * SECOND // 2 for number in range(8)
    ]
    assert past.samples[3].scores == pytest.approx({"firearm": 0.03, "fictional": 0.25})
    assert past.samples[3].session_id == SESSION
    assert [it.risk_id for it in past.risks] == [story.risk().risk_id]
    assert {type(it).__name__ for it in past.events} == {
        type(it).__name__ for it in story.whole()
    } - {"RiskAssessed"}
    assert past.omitted == ()


async def test_of_one_session_nothing_of_another_is_found(topics_broker: str, stream: str) -> None:
    """Scores, risk, decisions and the lines of the timeline; and neither is given for the other."""
    first, second = Story(stream), Story(stream, "session-2")
    await asyncio.to_thread(publish, topics_broker, *first.whole(), *second.whole())
    await asyncio.to_thread(
        publish_detections,
        topics_broker,
        stream,
        detections_made(detection(1, stream_id=stream), signals=["firearm"]),
        detections_made(
            detection(2, stream_id=stream, session_id="session-2"), signals=["firearm"]
        ),
    )
    read = reader(topics_broker)

    for session in (SESSION, "session-2"):
        past = await read(stream, replace(span(), session_id=session))
        assert {it.session_id for it in past.samples} == {session}
        assert {it.session_id for it in past.risks} == {session}
        # An order may name none: its answer does.
        assert {getattr(it, "session_id", "") for it in past.events} - {""} == {session}
        assert len(past.moments) == len(first.whole())


async def test_the_past_is_told_in_words_and_what_was_written_again_once(
    topics_broker: str, stream: str
) -> None:
    """A takedown that is asked for until it is answered is one line."""
    story = Story(stream)
    await asyncio.to_thread(publish, topics_broker, *story.whole(), story.takedown())

    past = await reader(topics_broker)(stream, span())

    (line,) = (it for it in past.moments if it.event == TakedownRequested.__name__)
    assert (line.who, line.what, line.again) == (
        "policy default/3",
        "asked for the stream to be stopped",
        1,
    )
    assert "18 of 20 frames" in line.why
    (answer,) = (it for it in past.moments if it.event == TakedownAcknowledged.__name__)
    assert (answer.who, answer.why) == ("takedown service edge-stop", "ingest closed")
    assert [it.at for it in past.moments] == sorted(it.at for it in past.moments)


async def test_too_much_to_read_at_once_is_cut_from_the_oldest_on_and_said(
    topics_broker: str, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A partition of many streams can't keep a page waiting."""
    await asyncio.to_thread(
        publish_detections, topics_broker, stream, *(scored(stream, [it]) for it in range(6))
    )
    monkeypatch.setattr(module, "_MOST", 5)

    past = await reader(topics_broker)(stream, span())

    assert len(past.samples) <= 5
    assert any(it.startswith("signals before ") for it in past.omitted)


async def test_what_can_not_be_read_is_counted(topics_broker: str, stream: str) -> None:
    producer = Producer({"bootstrap.servers": topics_broker, **PRODUCER})
    producer.produce(topics.RISK, key=stream.encode(), value=b"rubbish")
    assert producer.flush(LIMIT) == 0

    past = await reader(topics_broker)(stream, span())

    assert past.omitted == ("1 records that can't be read",)


async def test_a_stream_that_nothing_is_known_of_has_an_empty_past(
    topics_broker: str, stream: str
) -> None:
    past = await reader(topics_broker)(stream, span())

    assert (past.samples, past.risks, past.events, past.moments) == ((), (), (), ())


async def test_the_same_past_is_read_once_within_seconds(topics_broker: str, stream: str) -> None:
    """Reloads, the page's plot and other people share a reading, though time goes on."""
    read = reader(topics_broker)

    first, second = await asyncio.gather(read(stream, span(600)), read(stream, span(601)))

    assert first is second
