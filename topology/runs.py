"""Faust on runs: records of one partition that were fetched together are one event.

Faust 0.15.3 spends some 60 µs of CPU on an event, most of it in two tasks that it makes for each
(``Consumer._drain_messages``). A run is one event, so that is spent once a run. The event's value
is the run, its offset that of the run's last record.

What of them may be committed is told in ``topology.committing``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from itertools import zip_longest
from typing import Any, ClassVar, cast

import faust
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from agents.records import Record

from .backlog import Backlog, backlogs_of
from .committing import CommittingApp, CommittingConsumer, RunMessage
from .faust_mend import MendedConsumer, MendedTransport
from .fetching import Fetching
from .membership import Handover, MemberThread, is_member

MOST_RECORDS = 64
MOST_BYTES = 1024 * 1024
"""Of a run's values, unless its only record has more. What is held counts in runs."""


def runs_of(records: Sequence[Record]) -> list[list[Record]]:
    """``records`` of one partition in runs, as large as they may be."""
    runs: list[list[Record]] = []
    size = MOST_BYTES
    for record in records:
        length = len(record.value or b"")
        if not runs or len(runs[-1]) == MOST_RECORDS or size + length > MOST_BYTES:
            runs.append([])
            size = 0
        runs[-1].append(record)
        size += length
    return runs


class RunConsumer(CommittingConsumer):
    """The mended consumer on runs, which librdkafka fetches."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._fetching = Fetching(cast(RunApp, self.app).librdkafka, self.app.conf.id)
        self._to_hand_over: Handover | None = None

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return MemberThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def _member_thread(self) -> MemberThread:
        return cast(MemberThread, self._thread)

    async def on_stop(self) -> None:
        """Fetch no more once what is in work is done and committed."""
        await super().on_stop()
        self._fetching.close()

    def waiting(self) -> int:
        """How many records wait to be fetched or given out."""
        return sum(self._fetching.waiting().values())

    def handed_out(self) -> Mapping[str, int]:
        """How many records were fetched, by topic, those that were fetched again among them."""
        return self._fetching.handed_out

    def backlogs(self) -> dict[TP, Backlog]:
        """What is not done with, by partition."""
        runs = cast(set[RunMessage], self._unacked_messages)
        in_work = [(it.tp, it.count, it.oldest) for it in runs]
        return backlogs_of(self._fetching.waiting(), in_work)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self._to_hand_over = Handover(
            frozenset(assigned), partial(is_member, self._member_thread, generation_id)
        )
        await super().on_partitions_assigned(assigned, generation_id)

    async def perform_seek(self) -> None:
        """Hand the partitions over, and seek; both before anything is fetched from them.

        (Faust sends ``on_partitions_assigned`` while it seeks, or after.)
        """
        handover = self._to_hand_over
        if handover is not None:
            for hand_over in cast(RunApp, self.app).before_fetching:
                await hand_over(handover)
            if self._to_hand_over is handover:
                self._to_hand_over = None
        await super().perform_seek()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Fetch on from the committed offsets, or the beginning where nothing is committed.

        (aiokafka would leave a partition of which nothing is committed where it is: a batch that
        Faust drops as a rebalance comes would be lost whole, if it is the partition's first.)
        """
        committed = await super().seek_to_committed()
        self._fetching.seek({ensure_TP(tp): at for tp, at in committed.items() if at and at > 0})
        return committed

    def on_buffer_full(self, tp: TP) -> None:
        """Nothing: what is given out waits until the agent has room.

        Faust would leave the partition out until then, and sleep for a second whenever it had left
        out all of them.
        """

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing: Faust would look at what aiokafka fetches."""

    async def _getmany(
        self,
        active_partitions: set[TP] | None,
        timeout: float,  # noqa: ASYNC109
    ) -> Any:
        with self._member_thread.polling():
            return await self._fetching.fetch(active_partitions or (), timeout)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, RunMessage]]:  # noqa: ASYNC109
        """Fetch, and give out runs, partitions by turns, until the flow stops.

        What is not given out then is dropped: it is a rebalance that stops the flow, and it seeks.
        (Faust seeks here, too. A fetch is under way as a rebalance begins, so that would be in the
        midst of handing over: partitions would be handed over twice at once.)
        """
        fetched, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if fetched is None or self.should_stop:
            return
        for tp, run in _by_turns(fetched):
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            if active is None or tp in active:
                yield tp, RunMessage.of(tp, run, generation)


def _by_turns(fetched: Mapping[TP, Sequence[Record]]) -> list[tuple[TP, list[Record]]]:
    """Runs of all partitions, one of each at a time."""
    columns = [[(tp, run) for run in runs_of(records)] for tp, records in fetched.items()]
    return [it for row in zip_longest(*columns) for it in row if it is not None]


def waiting(app: faust.App) -> int:
    """How many records wait in the partitions of ``app``; 0 before it has any."""
    consumer = app.consumer
    return consumer.waiting() if isinstance(consumer, RunConsumer) else 0


def backlogs(app: faust.App) -> Mapping[TP, Backlog]:
    """What ``app`` is not done with, by partition; nothing before it has any."""
    consumer = app.consumer
    return consumer.backlogs() if isinstance(consumer, RunConsumer) else {}


def handed_out(app: faust.App) -> Mapping[str, int]:
    """How many records ``app`` was given, by topic."""
    consumer = app.consumer
    return consumer.handed_out() if isinstance(consumer, RunConsumer) else {}


class RunTransport(MendedTransport):
    """The mended transport with a consumer of runs."""

    Consumer: ClassVar[type[MendedConsumer]] = RunConsumer


class RunApp(CommittingApp):
    """A Faust app whose agents get runs; ``librdkafka`` is the configuration to fetch them by."""

    def __init__(self, *args: Any, librdkafka: Mapping[str, Any], **kwargs: Any) -> None:
        self.librdkafka = librdkafka
        self.before_fetching: list[Callable[[Handover], Awaitable[None]]] = []
        """What is done, one after the other, when partitions are handed to this worker."""
        super().__init__(*args, **kwargs)

    def _new_transport(self) -> RunTransport:
        return RunTransport(self.conf.broker_consumer, self)
