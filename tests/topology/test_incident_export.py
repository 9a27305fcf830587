"""Exporting from a real broker: what belongs to an incident, its frames, and the whole way."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Message, Producer

from agents.decision.case import incident_id
from agents.publishing import outgoing
from schemas import Codec, Event, EvidenceViewed, FrameRef, topics
from tests.builders import SECOND, START, frame_sampled
from topology.broker import EmbeddedBroker
from topology.cli.incident import incident as command
from topology.incident.folder import verify_folder
from topology.incident.log import TopicLog
from topology.kafka_config import PRODUCER, librdkafka_config
from topology.publisher import KafkaPublisher
from topology.settings import Settings
from topology.topic_admin import apply_topics

from .incidents import SESSION, Story, frame_ref

LIMIT = 20.0
ASKING = ("--operator", "op-7", "--reason", "for the appeal")


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker of this module's own: the list of open incidents is of all that is on it."""
    settings = Settings(runtime_dir=tmp_path_factory.mktemp("broker"))
    with EmbeddedBroker(settings) as embedded:
        apply_topics(settings, embedded.bootstrap)
        yield embedded.bootstrap


@pytest.fixture
def stream() -> str:
    return f"stream-{uuid.uuid4()}"


def publish(kafka: str, *events: Event) -> None:
    """As the agents and services do it."""
    publisher = KafkaPublisher({"bootstrap.servers": kafka, **PRODUCER}, Codec(), "test")

    asyncio.run(publisher.publish([outgoing(event, None) for event in events]))
    publisher.close()


def publish_frames(kafka: str, stream: str, payloads: Sequence[bytes], at: int = 0) -> FrameRefs:
    """As a shard does it; what decisions would point at."""
    refs: list[FrameRef] = []
    producer = Producer({"bootstrap.servers": kafka, **PRODUCER})
    for number, payload in enumerate(payloads):
        frame = frame_sampled(
            stream_id=stream, captured_at=START + at + number * SECOND, payload=payload
        )

        def delivered(
            error: object, message: Message, captured_at: int = frame.captured_at
        ) -> None:
            assert error is None
            offset, partition = message.offset(), message.partition()
            assert offset is not None
            refs.append(frame_ref(offset, partition=partition, captured_at=captured_at))

        value = Codec().encode(frame)
        producer.produce(
            topics.FRAME_SAMPLES, key=stream.encode(), value=value, on_delivery=delivered
        )
    assert producer.flush(LIMIT) == 0
    return refs


FrameRefs = list[FrameRef]


def run(kafka: str, *arguments: str) -> Result:
    return CliRunner(env={"FIREBREAK_BOOTSTRAP_SERVERS": kafka}).invoke(command, arguments)


def export(kafka: str, stream: str, out: Path) -> Result:
    return run(kafka, "export", incident_id(stream, SESSION), "--out", str(out), *ASKING)


def timeline(folder: Path) -> list[str]:
    body = json.loads((folder / "timeline.json").read_text())
    return [entry["event"] for entry in body["entries"]]


def test_an_incident_becomes_a_folder_that_verifies(
    kafka: str, stream: str, tmp_path: Path
) -> None:
    """All its events, its frames byte for byte, and the chain value that is printed."""
    payloads = [b"\xff\xd8first", b"\xff\xd8second"]
    story = Story(stream, evidence=publish_frames(kafka, stream, payloads))
    publish(kafka, *story.whole())
    folder = tmp_path / "incident"

    result = export(kafka, stream, folder)

    assert (result.exit_code, result.stderr) == (0, "")
    assert "11 events, 2 frames, 0 gone" in result.stdout
    assert timeline(folder) == [type(event).__name__ for event in story.whole()]
    frames = sorted((folder / "evidence").iterdir())
    assert [frame.read_bytes() for frame in frames] == payloads
    manifest, wrong = verify_folder(folder)
    assert wrong == []
    assert f"chain {manifest.chain}" in result.stdout
    assert {path.name for path in folder.iterdir()} == {
        "criteria.json",
        "evidence",
        "evidence.json",
        "manifest.json",
        "referral.html",
        "referral.json",
        "timeline.html",
        "timeline.json",
    }


def test_the_same_records_give_the_same_folder_byte_for_byte(
    kafka: str, stream: str, tmp_path: Path
) -> None:
    story = Story(stream, evidence=publish_frames(kafka, stream, [b"\xff\xd8"]))
    publish(kafka, *story.whole())

    for name in ("one", "two"):
        assert export(kafka, stream, tmp_path / name).exit_code == 0

    one, two = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}
        for folder in (tmp_path / "one", tmp_path / "two")
    )
    assert len(one) == 8
    assert one == two


def test_what_belongs_to_other_sessions_and_streams_is_left_out(
    kafka: str, stream: str, tmp_path: Path
) -> None:
    """An order without a session is told where its answer says, and everywhere until then."""
    mine, later = Story(stream), Story(stream, "session-2")
    for_later: list[Event] = [
        later.command(1, reason="for later"),
        later.answer(1, reason="for later"),
    ]
    unanswered = mine.command(2, reason="unanswered")
    publish(kafka, *mine.whole(), *later.whole(), *for_later, unanswered)
    publish(kafka, *Story(f"{stream}-other").whole())

    assert export(kafka, stream, tmp_path / "incident").exit_code == 0

    body = json.loads((tmp_path / "incident/timeline.json").read_text())
    assert len(body["entries"]) == len(mine.whole()) + 1
    reasons = [entry["why"] for entry in body["entries"] if entry["event"] == "OperatorCommanded"]
    assert sorted(reasons) == ["a rifle is aimed at people", "unanswered"]
    assert body["sessions"] == [{"stream_id": stream, "session_id": SESSION}]


def test_frames_that_were_sent_in_one_batch_are_each_found(
    kafka: str, stream: str, tmp_path: Path
) -> None:
    frames = publish_frames(kafka, stream, [bytes([0xFF, 0xD8, number]) for number in range(12)])
    publish(kafka, Story(stream, evidence=[frames[3], frames[11]]).escalation())
    result = export(kafka, stream, tmp_path / "incident")
    assert "2 frames, 0 gone" in result.stdout


def test_a_frame_that_is_gone_or_is_another_s_is_listed_with_its_coordinates(
    kafka: str, stream: str, tmp_path: Path
) -> None:
    """Of another stream's frame not a byte is written."""
    (kept,) = publish_frames(kafka, stream, [b"\xff\xd8mine"])
    (another,) = publish_frames(kafka, f"{stream}-other", [b"\xff\xd8other"], at=10 * SECOND)
    lost = [
        frame_ref(10**9, partition=kept.partition),
        frame_ref(0, partition=999),
        frame_ref(-2),
        frame_ref(0, topic=topics.TAKEDOWNS),
    ]
    publish(kafka, Story(stream, evidence=[kept, another, *lost]).escalation())

    result = export(kafka, stream, tmp_path / "incident")

    assert "6 frames, 5 gone" in result.stdout
    listed = json.loads((tmp_path / "incident/evidence.json").read_text())
    gone = {(each["partition"], each["offset"]): each["gone"] for each in listed if each["gone"]}
    assert gone[(kept.partition, 10**9)] == "no longer kept"
    assert gone[(999, 0)] == gone[(0, -2)] == "no longer kept"
    assert "another stream" in gone[(another.partition, another.offset)]
    (written,) = (tmp_path / "incident/evidence").iterdir()
    assert written.read_bytes() == b"\xff\xd8mine"


def test_a_record_that_can_not_be_read_is_listed_and_the_rest_is_exported(
    kafka: str, stream: str, tmp_path: Path
) -> None:
    story = Story(stream)
    publish(kafka, *story.whole())
    producer = Producer({"bootstrap.servers": kafka, **PRODUCER})
    producer.produce(topics.RISK, key=stream.encode(), value=b"rubbish")
    producer.produce(topics.TAKEDOWNS, value=b"rubbish " + story.incident_id.encode())
    assert producer.flush(LIMIT) == 0

    result = export(kafka, stream, tmp_path / "incident")

    assert "2 records can't be read" in result.stderr
    body = json.loads((tmp_path / "incident/timeline.json").read_text())
    assert [each["place"]["topic"] for each in body["unreadable"]] == [
        topics.RISK,
        topics.TAKEDOWNS,
    ]
    assert len(body["entries"]) == len(story.whole())


def test_nothing_about_the_stream_reaches_logs_or_output(
    kafka: str, stream: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Who it is about is in the folder alone."""
    caplog.set_level(logging.DEBUG)
    publish(kafka, *Story(stream).whole())

    result = export(kafka, stream, tmp_path / "incident")

    told = result.output + caplog.text
    assert "11 events" in told
    assert stream not in told
    assert "account-9" not in told


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("../../etc/passwd", "is not an incident's id"),
        ("", "is not an incident's id"),
        ("1f0e4c1a-6c3b-5f6e-9a54-0d8f3b1c2d7e", "no decision of incident 1f0e4c1a"),
    ],
    ids=["a-path", "nothing", "unknown"],
)
def test_an_id_of_no_incident_is_refused_and_nothing_is_written(
    kafka: str, given: str, said: str, tmp_path: Path
) -> None:
    result = run(kafka, "export", given, "--out", str(tmp_path / "incident"), *ASKING)

    assert isinstance(result.exception, Exception)
    assert said in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_an_id_names_its_incident_however_it_is_written(
    kafka: str, stream: str, tmp_path: Path
) -> None:
    publish(kafka, Story(stream).escalation())
    given = incident_id(stream, SESSION).upper()

    assert run(kafka, "export", given, "--out", str(tmp_path / "i"), *ASKING).exit_code == 0


def views(kafka: str, stream: str) -> list[EvidenceViewed]:
    """Who was given what of ``stream``."""
    settings = Settings(bootstrap_servers=kafka)
    with closing(TopicLog(librdkafka_config(settings, kafka))) as log:
        read = [
            Codec().decode(it.value() or b"", EvidenceViewed)
            for it in log.read([topics.EVIDENCE_VIEWS])
        ]
    return [it for it in read if it.stream_id == stream]


def test_who_exports_and_why_is_on_record(kafka: str, stream: str, tmp_path: Path) -> None:
    """As an export from the page is."""
    publish(kafka, Story(stream).escalation())

    assert export(kafka, stream, tmp_path / "incident").exit_code == 0

    (view,) = views(kafka, stream)
    assert (view.kind, view.operator, view.reason) == ("export", "op-7", "for the appeal")
    assert view.incident_id == incident_id(stream, SESSION)


@pytest.mark.parametrize("left_out", ["--operator", "--reason"])
def test_nothing_is_exported_for_nobody_or_for_no_reason(
    kafka: str, stream: str, tmp_path: Path, left_out: str
) -> None:
    publish(kafka, Story(stream).escalation())
    (said,) = {"--operator", "--reason"} - {left_out}
    given = (incident_id(stream, SESSION), "--out", str(tmp_path / "incident"), said, "op-7")

    for empty in ((), (left_out, " ")):
        result = run(kafka, "export", *given, *empty)
        assert result.exit_code == 2
        assert left_out in result.stderr
    assert list(tmp_path.iterdir()) == []
    assert views(kafka, stream) == []


def test_nothing_is_written_out_unless_it_is_on_record(
    kafka: str, stream: str, tmp_path: Path
) -> None:
    """What Kafka does not take, for its length say, leaves no folder."""
    publish(kafka, Story(stream).escalation())
    folder, reason = tmp_path / "incident", "x" * 8_000_000

    result = run(
        kafka, "export", incident_id(stream, SESSION), "--out", str(folder),
        "--operator", "op-7", "--reason", reason,
    )  # fmt: skip

    assert "could not be put on record who asked for it" in str(result.exception)
    assert not folder.exists()


def test_open_incidents_are_listed_a_line_each_and_closed_ones_are_not(
    kafka: str, stream: str
) -> None:
    """What a stream is called can't write on the terminal."""
    hostile = f"\x1b[2J\n{stream}"
    publish(kafka, Story(hostile).escalation(), *Story(stream).whole())

    result = run(kafka, "list")

    assert (result.exit_code, result.stderr) == (0, "")
    lines = {line.split()[0]: line for line in result.stdout.splitlines()}
    assert incident_id(stream, SESSION) not in lines
    line = lines[incident_id(hostile, SESSION)]
    assert f"critical  \\x1b[2J\\n{stream}  opened 2023-11-14T22:13:24.000Z" in line
    assert line.endswith("sustained-firearm: 18 of 20 frames within 10 s")


def test_what_is_missing_of_the_list_is_said(tmp_path: Path) -> None:
    """No topics, no incidents, and a record that can't be read are three different things."""
    settings = Settings(runtime_dir=tmp_path / "broker")
    with EmbeddedBroker(settings) as empty:
        no_topics = run(empty.bootstrap, "list")
        apply_topics(settings, empty.bootstrap)
        nothing = run(empty.bootstrap, "list")
        producer = Producer({"bootstrap.servers": empty.bootstrap})
        producer.produce(topics.ESCALATIONS, value=b"rubbish")
        assert producer.flush(LIMIT) == 0
        rubbish = run(empty.bootstrap, "list")

    assert "there is no topic firebreak." in str(no_topics.exception)
    assert (nothing.stdout, nothing.stderr) == ("", "no open incidents\n")
    assert "1 records can't be read, and some may be open" in rubbish.stderr
