"""Evidence from a real broker: one frame by its coordinates, and a whole incident as an archive."""

from __future__ import annotations

import asyncio
import io
import uuid
import zipfile
from pathlib import Path

import pytest
from confluent_kafka import Producer

from agents.decision.case import incident_id
from agents.detection.claims import PayloadRefused
from agents.oncall.ports import Unavailable, Unknown
from schemas import Codec, FrameRef, FrameSampled, topics
from tests.builders import SECOND, frame_sampled
from tests.topology.incidents import SESSION, Story, frame_ref
from tests.topology.test_incident_export import publish, publish_frames
from topology.incident.folder import verify_folder
from topology.kafka_config import PRODUCER
from topology.oncall.exporting import KafkaExporter
from topology.oncall.frames import KafkaFrames
from topology.oncall.readings import Readings

LIMIT = 20.0


@pytest.fixture
def stream() -> str:
    return f"stream-{uuid.uuid4()}"


async def fetched(uri: str) -> bytes:
    if uri != "https://frames.example/7":
        raise PayloadRefused("payload_uri is of an origin that is not allowed")
    return b"\xff\xd8fetched"


@pytest.fixture
def frames(topics_broker: str) -> KafkaFrames:
    config = {"bootstrap.servers": topics_broker}
    return KafkaFrames(config, Codec(), fetched, Readings("frames", 1))


def publish_frame(broker: str, frame: FrameSampled) -> FrameRef:
    placed: list[FrameRef] = []

    def delivered(error: object, message: object) -> None:
        assert error is None
        placed.append(
            frame_ref(
                message.offset(),  # type: ignore[attr-defined]
                partition=message.partition(),  # type: ignore[attr-defined]
                captured_at=frame.captured_at,
            )
        )

    producer = Producer({"bootstrap.servers": broker, **PRODUCER})
    producer.produce(
        topics.FRAME_SAMPLES,
        key=frame.stream_id.encode(),
        value=Codec().encode(frame),
        on_delivery=delivered,
    )
    assert producer.flush(LIMIT) == 0
    return placed[0]


async def test_a_frame_is_read_by_its_coordinates(
    topics_broker: str, frames: KafkaFrames, stream: str
) -> None:
    """Also one that was sent in a batch with others."""
    refs = publish_frames(topics_broker, stream, [bytes([0xFF, 0xD8, it]) for it in range(5)])

    frame = await frames(refs[3], (stream, SESSION))

    assert (frame.stream_id, frame.payload) == (stream, b"\xff\xd8\x03")


async def test_another_streams_frame_is_not_given_out(
    topics_broker: str, frames: KafkaFrames, stream: str
) -> None:
    """Nor another session's, nor one that was captured at another time than the one judged."""
    (ref,) = publish_frames(topics_broker, stream, [b"\xff\xd8"])
    later = frame_ref(ref.offset, partition=ref.partition, captured_at=ref.captured_at + SECOND)

    for asked, session in (
        (ref, (f"{stream}-other", SESSION)),
        (ref, (stream, "session-2")),
    ):
        with pytest.raises(Unavailable, match="another stream or session"):
            await frames(asked, session)
    with pytest.raises(Unavailable, match="what lies there now was captured at"):
        await frames(later, (stream, SESSION))


@pytest.mark.parametrize(
    ("ref", "why"),
    [
        (frame_ref(2**63 - 1), "no longer kept"),
        (frame_ref(-2), "no longer kept"),
        (frame_ref(0, partition=999), "no longer kept"),
        (frame_ref(0, partition=-1), "no longer kept"),
        (frame_ref(0, topic=topics.OPERATOR_COMMANDS), "not the topic of frame samples"),
        (frame_ref(0, topic="../../etc/passwd"), "not the topic of frame samples"),
    ],
)
async def test_coordinates_of_no_frame_are_answered_in_words(
    frames: KafkaFrames, ref: FrameRef, why: str
) -> None:
    """Retention has passed, or they were never any: nobody waits, and nothing else is read."""
    with pytest.raises(Unavailable, match=why):
        await frames(ref, ("stream-1", SESSION))


async def test_a_payload_that_lies_elsewhere_is_fetched_by_the_rules_of_judging(
    topics_broker: str, frames: KafkaFrames, stream: str
) -> None:
    """What the rules refuse is told, and nothing is fetched where no origin is allowed."""
    claim = frame_sampled(stream_id=stream, payload=b"", payload_uri="https://frames.example/7")
    refused = frame_sampled(stream_id=stream, payload=b"", payload_uri="https://169.254.169.254/")
    here, there = (publish_frame(topics_broker, it) for it in (claim, refused))

    assert (await frames(here, (stream, SESSION))).payload == b"\xff\xd8fetched"
    with pytest.raises(Unavailable, match="an origin that is not allowed"):
        await frames(there, (stream, SESSION))
    without = KafkaFrames(
        {"bootstrap.servers": topics_broker}, Codec(), None, Readings("frames", 1)
    )
    with pytest.raises(Unavailable, match="FIREBREAK_PAYLOAD_ORIGINS"):
        await without(here, (stream, SESSION))


async def test_a_broker_that_is_away_is_said(stream: str) -> None:
    frames = KafkaFrames(
        {"bootstrap.servers": "127.0.0.1:1", "log_level": 0}, Codec(), None, Readings("frames", 1)
    )

    with pytest.raises(Unavailable, match="Kafka"):
        await frames(frame_ref(0), (stream, SESSION))


async def test_an_incident_becomes_an_archive_of_the_folder(
    topics_broker: str, stream: str, tmp_path: Path
) -> None:
    """What is unpacked from it verifies as the folder does, and the same records are the same
    bytes."""
    refs = await asyncio.to_thread(
        publish_frames, topics_broker, stream, [b"\xff\xd8one", b"\xff\xd8two"]
    )
    await asyncio.to_thread(publish, topics_broker, *Story(stream, evidence=refs).whole())
    export = KafkaExporter({"bootstrap.servers": topics_broker}, Codec(), Readings("export", 1))
    incident = incident_id(stream, SESSION)

    exported = await export(incident)

    assert exported == await export(incident)
    assert exported.stream_id == stream
    with zipfile.ZipFile(io.BytesIO(exported.archive)) as zipped:
        zipped.extractall(tmp_path)
    manifest, wrong = verify_folder(tmp_path / f"incident-{incident}")
    assert (manifest.incident_id, wrong) == (incident, [])
    frames = sorted((tmp_path / f"incident-{incident}/evidence").iterdir())
    assert [it.read_bytes() for it in frames] == [b"\xff\xd8one", b"\xff\xd8two"]


@pytest.mark.parametrize("given", ["../../etc/passwd", "", "1f0e4c1a-6c3b-5f6e-9a54-0d8f3b1c2d7e"])
async def test_what_is_no_incident_is_told_from_what_kafka_does_not_give(
    topics_broker: str, given: str
) -> None:
    export = KafkaExporter({"bootstrap.servers": topics_broker}, Codec(), Readings("export", 1))

    with pytest.raises(Unknown):
        await export(given)
