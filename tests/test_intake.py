"""No event is skipped: steps that fail, brokers that are away."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from faust.types import StreamT

from agents.batches import Batching
from agents.intake import Record, Step, coordinates
from agents.publishing import Outgoing
from schemas import EventDeadLettered
from tests.shell import Aborted, Bench, FixedSize, record


async def put(made: Bench, values: Sequence[bytes], step: Step, batch_size: int = 0) -> None:
    @made.app.agent(made.app.topic("in", value_serializer="raw"), name="agent")
    async def agent(stream: StreamT[bytes]) -> None:
        if batch_size:
            await made.intake.batched(stream, step, Batching(FixedSize(batch_size), 16, 0.02))
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

    event = record(made.app)
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

    events = [
        record(made.app, value, offset=offset) for offset, value in enumerate([b"a", b"bad", b"b"])
    ]
    await made.intake._run(events, step)
    assert ran == [[b"a", b"bad", b"b"], [b"a"], [b"bad"], [b"b"]]
    (letter,) = made.publisher.events(EventDeadLettered)
    assert letter.offset == 1


def test_coordinates_are_those_of_the_record() -> None:
    where = coordinates(record(Bench("agent").app, offset=7))
    assert (where.topic, where.partition, where.offset) == ("in", 3, 7)
    assert where.appended_at == 1_500_000
    assert where.traceparent == "trace"
