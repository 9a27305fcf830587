"""The feed of the read model, on a broker and without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from confluent_kafka import Producer

from agents.following import Progress
from agents.oncall.feed import Feed
from agents.oncall.read_model import ReadModel
from agents.oncall.rows import StreamRow
from agents.oncall.standing import StreamState
from agents.publishing import Outgoing
from schemas import Codec, Event, topics
from tests.builders import START, risk_assessed, window
from topology.publisher import KafkaPublisher

from .events import NOW, acknowledged, heard, stream_updated, takedown_requested

Publish = Callable[[Event], Awaitable[None]]
LIMIT = 20.0
"""Seconds within which anything here must have happened."""
STREAM = "stream-of-the-feed-test"


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT):
        # What it waits for is state, which tells nobody that it changed.
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.fixture
async def publish(topics_broker: str) -> AsyncIterator[Publish]:
    publisher = KafkaPublisher({"bootstrap.servers": topics_broker}, Codec(), "firebreak/test")

    async def send(event: Event) -> None:
        await publisher.publish([Outgoing(event, id="id", time=START, key=STREAM.encode())])

    yield send
    publisher.close()


def row(read_model: ReadModel) -> StreamRow | None:
    return next((row for row in read_model.rows(NOW) if row.stream_id == STREAM), None)


@pytest.mark.e2e
async def test_the_feed_reads_what_was_there_and_then_what_comes(
    broker: str, publish: Publish
) -> None:
    """Caught up means that the past is in; decisions show as they come; rubbish is counted."""
    read_model = ReadModel()
    feed = Feed(read_model, Codec(), {"bootstrap_servers": broker})
    rubbish = Producer({"bootstrap.servers": broker})
    rubbish.produce(topics.RISK, b"rubbish", partition=0)
    assert rubbish.flush(LIMIT) == 0
    await publish(stream_updated(stream_id=STREAM))
    await publish(heard(stream_id=STREAM))
    await publish(risk_assessed(window(10.0, 1), stream_id=STREAM, risk=0.4))

    async with feed:
        await until(lambda: feed.caught_up)
        past = row(read_model)
        await publish(takedown_requested(stream_id=STREAM, takedown_id=STREAM))
        await until(
            lambda: (
                (now := row(read_model)) is not None and now.state is StreamState.TAKEDOWN_REQUESTED
            )
        )
        await publish(acknowledged(stream_id=STREAM, takedown_id=STREAM))
        await until(
            lambda: (now := row(read_model)) is not None and now.state is StreamState.STOPPED
        )

    assert past is not None
    assert (past.state, past.frames, past.risk) == (StreamState.WATCHING, 1, 0.4)
    assert feed.undecodable >= 1


async def test_a_feed_without_kafka_is_lost_says_why_and_ends_when_told() -> None:
    """No broker is a state that is shown, and neither a crash nor a hang."""
    feed = Feed(ReadModel(), Codec(), {"bootstrap_servers": "127.0.0.1:1"})

    async with feed:
        await until(lambda: feed.progress is Progress.LOST)
        assert not feed.caught_up
        assert "KafkaConnectionError" in (feed.last_error or "")
