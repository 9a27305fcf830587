"""No record is skipped: steps that fail, brokers that are away, runs that are half done."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from faust.types import StreamT

from agents.batches import Batching
from agents.dead_letters import DeadLetterCause, Rejection
from agents.intake import Step, coordinates
from agents.publishing import Outgoing, ProcessUnfit, outgoing
from agents.records import Record, Run
from schemas import EventDeadLettered, RiskAssessed
from tests.builders import risk_assessed
from tests.shell import Aborted, Bench, FixedSize, put_run, record
from tests.waiting import wait_until_async

REJECTION = Rejection(DeadLetterCause.EMPTY_PAYLOAD, "no payload")


def agent_of(made: Bench, step: Step, batching: Batching | None = None) -> None:
    @made.app.agent(made.app.topic("in", value_serializer="raw"), name=made.agent)
    async def agent(stream: StreamT[Run]) -> None:
        if batching is not None:
            await made.intake.batched(stream, step, batching)
        else:
            await made.intake.each(stream, step)


def run(*values: bytes, partition: int = 3, first: int = 0) -> list[Record]:
    return [record(value, first + n, partition=partition) for n, value in enumerate(values)]


def failing_on(bad: bytes, ran: list[list[bytes | None]]) -> Step:
    async def step(records: Sequence[Record]) -> list[Outgoing]:
        values = [it.value for it in records]
        ran.append(values)
        if bad in values:
            raise RuntimeError("secret payload")
        return []

    return step


async def test_a_record_that_a_step_fails_on_is_dead_lettered_and_the_next_goes_through() -> None:
    made, ran = Bench("agent"), list[list[bytes | None]]()
    agent_of(made, failing_on(b"bad", ran))
    await made.put(run(b"a", b"bad"), run(b"b", first=2))
    assert ran == [[b"a"], [b"bad"], [b"b"]]
    (letter,) = made.publisher.events(EventDeadLettered)
    assert (letter.cause, letter.offset, letter.key) == ("internal-error", 1, b"key")
    assert "secret" not in letter.detail
    assert letter.detail.startswith("RuntimeError at step:")
    assert made.counts["agent events"] == 3


async def test_a_batch_that_fails_is_run_again_one_by_one() -> None:
    made, ran = Bench("agent"), list[list[bytes | None]]()
    agent_of(made, failing_on(b"bad", ran), Batching(FixedSize(3), 16, 0.02))
    await made.put(run(b"a", b"bad", b"b"))
    assert ran == [[b"a", b"bad", b"b"], [b"a"], [b"bad"], [b"b"]]
    (letter,) = made.publisher.events(EventDeadLettered)
    assert letter.offset == 1


@pytest.mark.parametrize("batching", [None, Batching(FixedSize(2), 16, 0.02)])
async def test_when_brokers_do_not_take_the_outputs_the_process_ends_with_nothing_acknowledged(
    batching: Batching | None,
) -> None:
    made = Bench("agent")
    made.publisher.broken = True
    agent_of(made, failing_on(b"bad", []), batching)
    with pytest.raises(Aborted, match="agent: brokers are away"):
        await made.put(run(b"bad"))
    assert made.counts["agent events"] == 0


@pytest.mark.parametrize("batching", [None, Batching(FixedSize(3), 16, 0.02)])
async def test_a_record_whose_output_is_too_large_for_the_brokers_is_dead_lettered(
    batching: Batching | None,
) -> None:
    """What comes of those beside it is published, and all are acknowledged."""
    made = Bench("agent")
    made.publisher.most_bytes = 1_000

    async def step(records: Sequence[Record]) -> list[Outgoing]:
        return [
            outgoing(risk_assessed(stream_id=(it.value or b"").decode()), None) for it in records
        ]

    agent_of(made, step, batching)
    await made.put(run(b"a", b"b" * 1_000, b"c"))
    (letter,) = made.publisher.events(EventDeadLettered)
    assert (letter.cause, letter.offset) == ("output-too-large", 1)
    assert {it.stream_id for it in made.publisher.events(RiskAssessed)} == {"a", "c"}
    assert made.counts["agent events"] == 3
    assert made.counts["agent dead-lettered output-too-large"] == 1


async def test_a_dead_letter_that_is_too_large_ends_the_process() -> None:
    made = Bench("agent")
    made.publisher.most_bytes = 10
    agent_of(made, failing_on(b"bad", []))
    with pytest.raises(Aborted, match="agent: too large"):
        await made.put(run(b"bad"))


async def test_partitions_go_on_side_by_side_and_each_in_order() -> None:
    made, seen, free = Bench("agent"), list[bytes | None](), asyncio.Event()

    async def step(records: Sequence[Record]) -> list[Outgoing]:
        (one,) = records
        if one.value == b"a0":
            await free.wait()
        seen.append(one.value)
        return []

    agent_of(made, step)
    async with made.app.agents["agent"].test_context() as agent:
        held = await put_run(agent, run(b"a0", b"a1", partition=0))
        behind = await put_run(agent, run(b"a2", partition=0, first=2))
        beside = await put_run(agent, run(b"b0", partition=1))
        await wait_until_async(lambda: beside.acked, 20)
        assert seen == [b"b0"]
        assert not held.acked
        free.set()
        await wait_until_async(lambda: behind.acked, 20)
    assert seen == [b"b0", b"a0", b"a1", b"a2"]


async def test_a_run_is_acknowledged_once_all_of_it_is_done() -> None:
    """Batches take part of a run, and parts of several."""
    made, free = Bench("agent"), asyncio.Event()

    async def step(records: Sequence[Record]) -> list[Outgoing]:
        if any(it.value == b"c" for it in records):
            await free.wait()
        return []

    agent_of(made, step, Batching(FixedSize(2), 16, 0.02))
    async with made.app.agents["agent"].test_context() as agent:
        first = await put_run(agent, run(b"a", b"b", b"c"))
        await wait_until_async(lambda: made.counts["agent events"] == 2, 20)
        assert not first.acked
        free.set()
        await wait_until_async(lambda: first.acked, 20)


async def test_batches_side_by_side_are_published_in_their_order() -> None:
    made, free = Bench("agent"), asyncio.Event()

    async def step(records: Sequence[Record]) -> list[Outgoing]:
        if records[0].value == b"a":
            await free.wait()
        else:
            free.set()
        return [made.intake.reject(records[0], REJECTION)]

    agent_of(made, step, Batching(FixedSize(1), 16, 0.02, at_once=2))
    await made.put(run(b"a", b"b"))
    assert [it.offset for it in made.publisher.events(EventDeadLettered)] == [0, 1]


async def test_no_more_batches_are_in_work_than_were_asked_for() -> None:
    made, free, at_work = Bench("agent"), asyncio.Event(), list[int]()

    async def step(records: Sequence[Record]) -> list[Outgoing]:
        at_work.append(1)
        await free.wait()
        return []

    agent_of(made, step, Batching(FixedSize(1), 16, 0.02, at_once=2))
    async with made.app.agents["agent"].test_context() as agent:
        message = await put_run(agent, run(b"a", b"b", b"c", b"d"))
        await wait_until_async(lambda: len(at_work) == 2, 20)
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(at_work) == 2
        free.set()
        await wait_until_async(lambda: message.acked, 20)


async def test_a_process_that_is_unfit_ends_whatever_else_is_in_work() -> None:
    made = Bench("agent")

    async def step(records: Sequence[Record]) -> list[Outgoing]:
        raise ProcessUnfit("no model")

    agent_of(made, step, Batching(FixedSize(1), 16, 0.02, at_once=3))
    with pytest.raises(Aborted, match="agent: no model"):
        await made.put(run(b"a", b"b"))


def test_coordinates_are_those_of_the_record() -> None:
    where = coordinates(record(offset=7))
    assert (where.topic, where.partition, where.offset) == ("in", 3, 7)
    assert where.appended_at == 1_500_000
    assert where.traceparent == "trace"
