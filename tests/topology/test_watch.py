"""Watching decisions as an outside consumer: what is printed, and the contract on a broker."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator

import pytest
from click.testing import CliRunner
from confluent_kafka import Producer

from agents.publishing import Outgoing
from schemas import Codec, EventDeadLettered, TakedownRequested, topics
from tests.builders import START
from tests.oncall.events import dead_lettered, takedown_requested
from topology.cli.watch import watch as watch_command
from topology.publisher import KafkaPublisher
from topology.watch import Unreadable, Watched, to_json, watch

LIMIT = 20.0
"""Seconds within which anything here must have happened."""


def test_json_is_one_ascii_line_with_fields_coordinates_and_id() -> None:
    """A script gets the event's fields, where it lies, and the CloudEvents id."""
    event = takedown_requested(stream_id="\x9b2J\u202e")

    line = to_json(Watched(event, "t", 3, 14, "id-1"))

    assert line.isascii()
    assert line.isprintable()
    body = json.loads(line)
    assert (body["stream_id"], body["risk"]) == (event.stream_id, 0.97)
    assert body["_kafka"] == {"topic": "t", "partition": 3, "offset": 14}
    assert (body["_id"], body["_type"]) == ("id-1", "TakedownRequested")


def test_bytes_are_base64_in_json() -> None:
    """No raw bytes reach a terminal or a parser."""
    event: EventDeadLettered = dead_lettered(key=b"\xff\x00")

    assert json.loads(to_json(Watched(event, "t", 0, 0, None)))["key"] == "/wA="


def test_what_can_not_be_watched_is_said_with_what_can() -> None:
    """A wrong name is a usage error before anything is connected."""
    result = CliRunner().invoke(watch_command, ["vacations"])

    assert result.exit_code == 2
    assert "takedowns" in result.output


@pytest.fixture
def publisher(topics_broker: str) -> Iterator[KafkaPublisher]:
    publisher = KafkaPublisher({"bootstrap.servers": topics_broker}, Codec(), "firebreak/test")
    yield publisher
    publisher.close()


async def publish(publisher: KafkaPublisher, event: TakedownRequested) -> None:
    outgoing = Outgoing(event, id=event.takedown_id, time=START, key=event.stream_id.encode())
    await publisher.publish([outgoing])


@pytest.fixture
async def watching(topics_broker: str) -> AsyncIterator[list[Process]]:
    """Processes that a test started; none outlives it."""
    processes: list[Process] = []
    yield processes
    for process in processes:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def start(broker: str, *arguments: str, stdout: int = PIPE) -> Process:
    environment = {**os.environ, "FIREBREAK_BOOTSTRAP_SERVERS": broker}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "topology", "watch", *arguments),
        stdout=stdout,
        stderr=PIPE,
        env=environment,
    )


@pytest.mark.e2e
async def test_a_takedown_is_printed_as_it_comes(
    broker: str, publisher: KafkaPublisher, watching: list[Process]
) -> None:
    """``watch takedowns --json --count 1`` prints the takedown and ends."""
    takedown = takedown_requested(takedown_id="t-watched", stream_id="watched")
    await publish(publisher, takedown)
    process = await start(broker, "takedowns", "--json", "--count", "1", "--timeout", str(LIMIT))
    watching.append(process)

    ending = asyncio.create_task(process.communicate())
    async with asyncio.timeout(LIMIT):
        # Watching begins at the end of the topic, at a moment of its own.
        while not ending.done():
            await publish(publisher, takedown)
            await asyncio.wait({ending}, timeout=0.2)
    printed, complaints = await ending

    assert (process.returncode, complaints) == (0, b"")
    body = json.loads(printed)
    assert (body["takedown_id"], body["_id"]) == ("t-watched", "t-watched")
    assert body["_kafka"]["topic"] == topics.TAKEDOWNS


@pytest.mark.e2e
async def test_an_undecodable_record_is_told_apart_and_reading_goes_on(
    broker: str, publisher: KafkaPublisher
) -> None:
    """What is not a takedown names its place and its fault; the next one is read."""
    producer = Producer({"bootstrap.servers": broker})
    producer.produce(topics.TAKEDOWNS, b"not a takedown", partition=0)
    assert producer.flush(LIMIT) == 0
    await publish(publisher, takedown_requested(takedown_id="t-after"))

    def read() -> tuple[list[Unreadable], list[str | None]]:
        unreadable, ids = [], []
        config = {"bootstrap.servers": broker}
        for found in watch(config, Codec(), "takedowns", from_beginning=True, timeout=LIMIT):
            if isinstance(found, Unreadable):
                unreadable.append(found)
            else:
                ids.append(found.ce_id)
            if unreadable and "t-after" in ids:
                break
        return unreadable, ids

    unreadable, ids = await asyncio.to_thread(read)

    assert "t-after" in ids
    assert "unknown framing" in unreadable[0].reason


@pytest.fixture
def interruptible() -> Iterator[None]:
    """What a shell started in the background ignores interrupts, and so do all its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.e2e
@pytest.mark.usefixtures("interruptible")
async def test_an_interrupt_ends_it_quietly(
    broker: str, publisher: KafkaPublisher, watching: list[Process]
) -> None:
    """Ctrl-C is how watching ends, not a failure."""
    await publish(publisher, takedown_requested())
    process = await start(broker, "takedowns", "--from-beginning")
    watching.append(process)
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT):
        await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, complaints = await process.communicate()

    assert process.returncode == 0
    assert b"Traceback" not in complaints
    assert b"Abort" not in complaints


@pytest.mark.e2e
async def test_a_reader_that_goes_away_ends_it_quietly(
    broker: str, publisher: KafkaPublisher, watching: list[Process]
) -> None:
    """``firebreak watch … | head`` leaves no traceback behind."""
    await publish(publisher, takedown_requested())
    reading, writing = os.pipe()
    os.close(reading)
    process = await start(broker, "takedowns", "--from-beginning", stdout=writing)
    os.close(writing)
    watching.append(process)

    async with asyncio.timeout(LIMIT):
        _, complaints = await process.communicate()

    assert process.returncode == 0
    assert b"Traceback" not in complaints
    assert b"Abort" not in complaints


@pytest.mark.e2e
def test_a_count_that_is_not_reached_in_time_fails(topics_broker: str) -> None:
    """A script can rely on the exit status."""
    arguments = ["takedowns", "--count", "1000", "--timeout", "0.5"]

    result = CliRunner(env={"FIREBREAK_BOOTSTRAP_SERVERS": topics_broker}).invoke(
        watch_command, arguments
    )

    assert result.exit_code == 1
    assert "of 1000 events within 0.5 s" in result.output
