"""Runs: how records are put together, and what of them is committed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from agents.records import Record
from tests.shell import record
from topology import committing
from topology.committing import RunMessage
from topology.membership import Handover
from topology.runs import MOST_BYTES, MOST_RECORDS, RunApp, RunConsumer, runs_of

SOURCE, OTHER = TP("source", 0), TP("source", 1)


@pytest.fixture
def consumer() -> RunConsumer:
    app = RunApp(
        *("runs",),
        librdkafka={},
        broker="kafka://127.0.0.1:1",
        store="memory://",
        autodiscover=False,
    )
    return cast(RunConsumer, app.consumer)


class Message:
    """As much of a run's as the consumer looks at to commit."""

    def __init__(self, first: int, tp: TP = SOURCE) -> None:
        self.first, self.tp = first, tp


def commit(
    consumer: RunConsumer, acked: Sequence[int], in_work: Sequence[int], committed: int | None
) -> int | None:
    """What is committed where runs that end with ``acked`` are done, and those that begin with
    ``in_work`` are not."""
    consumer._committed_offset[SOURCE] = committed
    consumer._acked[SOURCE].extend(acked)
    messages: Any = {Message(first) for first in in_work}
    consumer._unacked_messages = messages
    return consumer._new_offset(SOURCE)


@pytest.mark.parametrize(
    ("acked", "in_work", "committed", "expected"),
    [
        ([], [], 5, None),
        ([7], [], 5, 8),
        ([7], [], None, 8),
        ([7, 9], [], 5, 10),
        ([9, 7], [], 5, 10),  # in any order
        ([7], [8], 5, 8),  # up to what is in work
        ([12], [5], 5, None),  # never over it
        ([12], [5], None, None),
        ([12], [0], 0, None),
        ([6, 12], [7], 5, 7),
        ([20], [], 5, 21),  # over holes in the log: nothing is there
        ([4], [], 9, None),  # never back
    ],
)
def test_what_lies_before_the_first_record_in_work_is_committed(
    consumer: RunConsumer,
    acked: list[int],
    in_work: list[int],
    committed: int | None,
    expected: int | None,
) -> None:
    assert commit(consumer, acked, in_work, committed) == expected


def test_what_could_not_be_committed_yet_is_once_what_was_before_it_is_done(
    consumer: RunConsumer,
) -> None:
    assert commit(consumer, [12], [5], 5) is None
    assert commit(consumer, [8], [], 5) == 13


def test_work_in_another_partition_holds_nothing_up(consumer: RunConsumer) -> None:
    consumer._acked[SOURCE].append(7)
    others: Any = {Message(1, OTHER)}
    consumer._unacked_messages = others
    assert consumer._new_offset(SOURCE) == 8


@given(st.lists(st.integers(0, MOST_BYTES), max_size=200))
def test_runs_hold_every_record_in_order_within_their_bounds(sizes: list[int]) -> None:
    records: list[Record] = [record(bytes(size), at) for at, size in enumerate(sizes)]
    runs = runs_of(records)
    assert [it for run in runs for it in run] == records
    assert all(1 <= len(run) <= MOST_RECORDS for run in runs)
    assert all(sum(len(it.value or b"") for it in run) <= MOST_BYTES for run in runs)


def test_a_record_larger_than_a_run_is_a_run(consumer: RunConsumer) -> None:
    large = record(bytes(MOST_BYTES + 1), 1)
    assert [len(run) for run in runs_of([record(), large, record(offset=2)])] == [1, 1, 1]


class Brokers:
    """Answers each fetch with what it was given, and notes what was asked for."""

    def __init__(self, fetched: Mapping[TP, Sequence[Record]]) -> None:
        self.fetched, self.asked = fetched, list[set[TP]]()

    async def fetch(
        self,
        partitions: set[TP],
        timeout: float,  # noqa: ASYNC109
    ) -> Mapping[TP, Sequence[Record]]:
        self.asked.append(set(partitions))
        return self.fetched


def fetching(
    consumer: RunConsumer, monkeypatch: pytest.MonkeyPatch, fetched: Mapping[TP, Sequence[Record]]
) -> Brokers:
    brokers = Brokers(fetched)

    async def get(
        active_partitions: set[TP],
        timeout: float,  # noqa: ASYNC109
    ) -> Mapping[TP, Sequence[Record]]:
        return await brokers.fetch(active_partitions, timeout)

    monkeypatch.setattr(consumer, "_getmany", get)
    consumer._active_partitions = set(fetched)
    return brokers


async def given_out(consumer: RunConsumer) -> list[RunMessage]:
    return [message async for _, message in consumer.getmany(timeout=0.1)]


async def test_partitions_are_given_out_by_turns(
    consumer: RunConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = {
        tp: [record(offset=at, topic=tp.topic, partition=tp.partition) for at in range(count)]
        for tp, count in ((SOURCE, 2 * MOST_RECORDS), (OTHER, 1))
    }
    fetching(consumer, monkeypatch, fetched)
    messages = await given_out(consumer)
    assert [(it.partition, it.first, it.offset) for it in messages] == [
        (0, 0, MOST_RECORDS - 1),
        (1, 0, 0),
        (0, MOST_RECORDS, 2 * MOST_RECORDS - 1),
    ]
    value: Any = messages[1].value
    assert value == fetched[OTHER]


async def test_what_was_fetched_for_another_generation_is_not_given_out(
    consumer: RunConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetching(consumer, monkeypatch, {SOURCE: [record()], OTHER: [record()]})
    found = []
    async for _, message in consumer.getmany(timeout=0.1):
        found.append(message)
        consumer.app.consumer_generation_id += 1
    assert len(found) == 1


async def test_a_partition_that_was_paused_meanwhile_is_not_given_out(
    consumer: RunConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetching(consumer, monkeypatch, {SOURCE: [record()], OTHER: [record()]})
    consumer.pause_partitions({SOURCE})
    assert [message.tp for message in await given_out(consumer)] == [OTHER]


class Thread:
    """The consumer's thread without brokers: notes the order of things."""

    def __init__(self, did: list[str]) -> None:
        self.did = did
        self.answers = asyncio.Event()

    async def seek_to_committed(self) -> dict[TP, int]:
        self.did.append("sought")
        return {SOURCE: 5}

    async def hand_over(self, handover: Handover) -> None:
        self.did.append(f"handed over {sorted(tp.partition for tp in handover.partitions)}")
        await self.answers.wait()


@pytest.fixture
def thread(consumer: RunConsumer) -> Thread:
    made = Thread([])
    made.answers.set()
    consumer._thread = cast(Any, made)
    cast(RunApp, consumer.app).before_fetching.append(made.hand_over)

    async def assigned(*_: object) -> None:
        """What Faust does of it is not looked at here."""

    consumer._on_partitions_assigned = assigned
    return made


async def test_partitions_are_handed_over_once_and_before_they_are_sought(
    consumer: RunConsumer, thread: Thread
) -> None:
    await consumer.on_partitions_assigned({SOURCE}, 1)
    await consumer.perform_seek()
    await consumer.perform_seek()
    await consumer.on_partitions_assigned({SOURCE, OTHER}, 2)
    await consumer.perform_seek()
    assert thread.did == ["handed over [0]", "sought", "sought", "handed over [0, 1]", "sought"]


async def test_a_handover_that_was_cut_short_is_made_again(
    consumer: RunConsumer, thread: Thread
) -> None:
    await consumer.on_partitions_assigned({SOURCE}, 1)
    thread.answers.clear()
    seeking = asyncio.create_task(consumer.perform_seek())
    await asyncio.sleep(0)
    seeking.cancel()
    await asyncio.wait({seeking})
    thread.answers.set()
    await consumer.perform_seek()
    assert thread.did == ["handed over [0]", "handed over [0]", "sought"]


async def test_what_is_fetched_during_a_handover_is_dropped_and_begins_no_second_one(
    consumer: RunConsumer, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    await consumer.on_partitions_assigned({SOURCE}, 1)
    thread.answers.clear()
    seeking = asyncio.create_task(consumer.perform_seek())
    consumer._active_partitions = {SOURCE}

    async def let_go_meanwhile(**_: object) -> Mapping[TP, Sequence[Record]]:
        consumer.stop_flow()
        return {SOURCE: [record()]}

    monkeypatch.setattr(consumer, "_getmany", let_go_meanwhile)
    async with asyncio.timeout(5):
        assert await given_out(consumer) == []
    thread.answers.set()
    await seeking
    assert thread.did == ["handed over [0]", "sought"]


class Committing:
    """The consumer's thread, with brokers that keep what is committed to them."""

    def __init__(self) -> None:
        self.committed: dict[TP, int] = {}

    def assignment(self) -> set[TP]:
        return {SOURCE}

    async def commit(self, offsets: Mapping[TP, int]) -> bool:
        self.committed.update(offsets)
        return True

    async def seek_to_committed(self) -> dict[TP, int]:
        return dict(self.committed)


class AtWork:
    """Runs of ten records in work in a detection-like app, whose work may be given up."""

    def __init__(self, consumer: RunConsumer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(committing, "WORK_SECONDS", 0.05)
        consumer.loop = asyncio.get_running_loop()
        self.consumer, self.app = consumer, cast(RunApp, consumer.app)
        self.brokers, self.given_up = Committing(), 0
        consumer._thread = cast(Any, self.brokers)
        topics: Any = self.app.topics
        topics._acking_topics.add(SOURCE.topic)
        self.app.giving_up.append(self.give_up)
        self.held: list[RunMessage] = []

    def give_up(self) -> None:
        self.given_up += 1

    def begin(self, first: int) -> RunMessage:
        """Take the run of ten records at ``first`` into work."""
        lying = [record(offset=first + n, topic=SOURCE.topic, partition=0) for n in range(10)]
        message = RunMessage.of(SOURCE, lying, self.app.consumer_generation_id)
        self.consumer.track_message(message)
        self.held.append(message)
        return message

    def forget(self) -> None:
        """As whoever works on runs does with those that are given up."""
        self.held.clear()

    async def next_generation(self) -> None:
        """The partition is this worker's again."""
        self.app.consumer_generation_id += 1
        await self.consumer.perform_seek()


@pytest.fixture
async def at_work(consumer: RunConsumer, monkeypatch: pytest.MonkeyPatch) -> AtWork:
    return AtWork(consumer, monkeypatch)


async def test_work_that_may_be_given_up_is_waited_for_only_so_long(at_work: AtWork) -> None:
    done, _hangs = at_work.begin(0), at_work.begin(10)
    at_work.consumer.ack(done)
    async with asyncio.timeout(5):
        await at_work.consumer.wait_empty()
    assert at_work.given_up == 1
    assert at_work.brokers.committed == {SOURCE: 10}


async def test_work_that_is_done_in_time_is_not_given_up(at_work: AtWork) -> None:
    last = at_work.begin(0)
    waiting = asyncio.create_task(at_work.consumer.wait_empty())
    await asyncio.sleep(0)
    at_work.consumer.ack(last)
    await waiting
    assert (at_work.given_up, at_work.brokers.committed) == (0, {SOURCE: 10})


async def test_work_that_may_not_be_given_up_is_waited_for_to_its_end(at_work: AtWork) -> None:
    at_work.app.giving_up.clear()
    last = at_work.begin(0)
    waiting = asyncio.create_task(at_work.consumer.wait_empty())
    done, _ = await asyncio.wait({waiting}, timeout=4 * committing.WORK_SECONDS)
    assert not done
    at_work.consumer.ack(last)
    await waiting
    assert at_work.brokers.committed == {SOURCE: 10}


@pytest.mark.parametrize("again", [False, True], ids=["stopping", "in the next generation"])
async def test_what_is_done_late_commits_nothing_past_a_run_that_was_given_up(
    at_work: AtWork, again: bool
) -> None:
    """One run is done, one hangs, one is done behind it in time, and one too late."""
    at_work.consumer.ack(at_work.begin(0))
    at_work.begin(10)
    at_work.consumer.ack(at_work.begin(20))
    late = at_work.begin(30)
    await at_work.consumer.wait_empty()
    at_work.forget()
    if again:
        await at_work.next_generation()
    at_work.consumer.ack(late)
    del late
    await at_work.consumer.commit()
    assert at_work.brokers.committed == {SOURCE: 10}


async def test_a_run_that_was_given_up_is_committed_once_it_is_done_again(at_work: AtWork) -> None:
    at_work.begin(0)
    await at_work.consumer.wait_empty()
    await at_work.next_generation()
    at_work.consumer.ack(at_work.begin(0))
    await at_work.consumer.commit()
    assert at_work.brokers.committed == {SOURCE: 10}


async def test_a_seek_before_the_next_generation_lets_nothing_past(at_work: AtWork) -> None:
    """A handover goes on, and seeks, though a rebalance has begun, until that has its own."""
    at_work.begin(0)
    late = at_work.begin(10)
    await at_work.consumer.wait_empty()
    await at_work.consumer.perform_seek()
    at_work.consumer.ack(late)
    await at_work.consumer.commit()
    assert at_work.brokers.committed == {}
