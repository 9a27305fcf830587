"""No event is skipped: steps that fail, brokers that are away, batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from faust import Event
from faust.types import TP, Message, StreamT

from agents.intake import Record, Step, _batches, coordinates
from agents.publishing import Outgoing
from schemas import EventDeadLettered
from tests.shell import Aborted, Bench


async def put(made: Bench, values: Sequence[bytes], step: Step, batch_size: int = 0) -> None:
    @made.app.agent(made.app.topic("in", value_serializer="raw"), name="agent")
    async def agent(stream: StreamT[bytes]) -> None:
        if batch_size:
            await made.intake.batched(stream, step, batch_size, 0.02)
        else:
            await made.intake.each(stream, step)

    async with agent.test_context() as context:
        for value in values:
            await context.put(value, key=b"key", wait=not batch_size)


async def test_an_event_that_a_step_fails_on_is_dead_lettered_and_the_next_goes_through() -> None:
    made, seen = Bench("agent"), []

    async def step(events: Sequence[Record]) -> list[Outgoing]:
        if events[0].value == b"bad":
            raise RuntimeError("secret payload")
        seen.append(events[0].value)
        return []

    await put(made, [b"a", b"bad", b"b"], step)
    assert seen == [b"a", b"b"]
    (letter,) = made.publisher.events(EventDeadLettered)
    assert letter.cause == "internal-error"
    assert "secret" not in letter.detail
    assert letter.detail.startswith("RuntimeError at step:")
    assert letter.key == b"key"


async def test_when_brokers_do_not_take_the_outputs_the_process_ends() -> None:
    made = Bench("agent")
    made.publisher.broken = True

    async def step(events: Sequence[Record]) -> list[Outgoing]:
        raise RuntimeError

    event = _event(made)
    with pytest.raises(Aborted, match="agent: brokers are away"):
        await made.intake._run([event], step)


async def test_a_batch_that_fails_is_run_again_one_by_one() -> None:
    made, ran = Bench("agent"), []

    async def step(events: Sequence[Record]) -> list[Outgoing]:
        values = [event.value for event in events]
        ran.append(values)
        if b"bad" in values:
            raise RuntimeError
        return []

    events = [_event(made, value, offset) for offset, value in enumerate([b"a", b"bad", b"b"])]
    await made.intake._run(events, step)
    assert ran == [[b"a", b"bad", b"b"], [b"a"], [b"bad"], [b"b"]]
    (letter,) = made.publisher.events(EventDeadLettered)
    assert letter.offset == 1


def _event(made: Bench, value: bytes = b"", offset: int = 0) -> Record:
    message = Message(
        "in", 3, offset, 1.5, 0, [("traceparent", b"trace")], b"key", value, None, tp=TP("in", 3)
    )
    return Event(made.app, b"key", value, {}, message)


def test_coordinates_are_those_of_the_record() -> None:
    where = coordinates(_event(Bench("agent"), offset=7))
    assert (where.topic, where.partition, where.offset) == ("in", 3, 7)
    assert where.appended_at == 1_500_000
    assert where.traceparent == "trace"


async def arriving(*pauses: float) -> AsyncIterator[int]:
    """Numbers from 0, each after its pause."""
    for number, pause in enumerate(pauses):
        if pause:
            await asyncio.sleep(pause)
        yield number


async def collect(events: AsyncIterator[int], size: int, wait: float) -> list[list[int]]:
    return [batch async for batch in _batches(events, size, wait)]  # type: ignore[arg-type,misc]


async def test_batches_are_full_where_events_wait_and_keep_their_order() -> None:
    batches = await collect(arriving(*[0.0] * 10), size=4, wait=0.05)
    assert [number for batch in batches for number in batch] == list(range(10))
    assert max(map(len, batches)) == 4
    assert len(batches) <= 4


async def test_a_batch_does_not_wait_longer_than_it_was_told() -> None:
    assert await collect(arriving(0, 0.2), size=4, wait=0.01) == [[0], [1]]


async def test_what_ends_the_stream_ends_the_batches_after_the_last_event() -> None:
    async def failing() -> AsyncIterator[int]:
        yield 0
        raise ConnectionError

    batches = _batches(failing(), 4, 0.01)  # type: ignore[arg-type]
    assert await anext(batches) == [0]  # type: ignore[comparison-overlap]
    with pytest.raises(ConnectionError):
        await anext(batches)
