"""What of the runs that streams were given may be committed, and when that is waited for no longer.

It is told anew here, which leaves out two faults of Faust's own bookkeeping:

- ``_new_offset`` lets a run of acknowledged offsets start one past the committed offset, or
  anywhere while nothing is committed, so a commit can step over an event that is in work.
- Filling a hole in the log may list offsets twice, which ends the run of consecutive offsets early
  and leaves commits standing still (faust-streaming #606).

Streams take a partition's events in order, so all that lies before the first record in work is
done: that is what is committed, and holes in the log need no thought.

Faust waits for what is in work before it lets partitions go, however long that takes, and the whole
group waits with it. Here an app can say that its work may be given up: what is not done in time is
as if it had not been begun, whatever comes of it later, and is fetched again from where it lay by
whoever has the partition next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from threading import Timer
from typing import Any, cast

from faust.types import TP
from faust.types.tuples import ConsumerMessage, Message

from agents.records import Run

from .faust_mend import MendedApp, MendedConsumer

WORK_SECONDS = 5.0
"""What is in work, where it may be given up, is waited for so long when partitions are let go."""
LEAVE_SECONDS = 9.0
"""An app that was told to stop has so long; with what comes around that, a worker has ten."""


class RunMessage(ConsumerMessage):
    """A run as Faust handles it, its records gone once they are read.

    Of these there are ``count``; ``first`` is the offset of the first, and ``oldest`` its time.
    """

    __slots__ = ("count", "first", "oldest")

    count: int
    first: int
    oldest: int

    @classmethod
    def of(cls, tp: TP, run: Run, generation: int) -> RunMessage:
        """The message of ``run``, which lies in ``tp``."""
        value: Any = run
        message = cls(
            topic=tp.topic,
            partition=tp.partition,
            offset=run[-1].offset,
            timestamp=run[-1].timestamp / 1000.0,
            timestamp_type=0,
            headers=None,
            key=None,
            value=value,
            checksum=None,
            tp=tp,
            generation_id=generation,
        )
        message.count = len(run)
        message.first = run[0].offset
        message.oldest = run[0].timestamp
        return message


class CommittingApp(MendedApp):
    """A Faust app that may give up work, and that does not stop for ever."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.giving_up: list[Callable[[], None]] = []
        """How work is given up that is not done in time when partitions are let go. Where there is
        none it is waited for to its end."""
        self.overdue: Callable[[str], object] | None = None
        """What is done, on a thread of its own, where stopping takes longer than it may: to end the
        process is safe at any time, and whoever stays in its group in vain holds up the others.
        (aiokafka 0.14 asks a coordinator for ever that it has forgotten, where a rebalance and the
        order to stop meet.)"""
        super().__init__(*args, **kwargs)

    async def stop(self) -> None:
        if self.overdue is None:
            await super().stop()
            return
        said = f"told to stop, and not done in {LEAVE_SECONDS:g} s"
        watch = Timer(LEAVE_SECONDS, partial(self.overdue, said))
        watch.daemon = True
        watch.start()
        try:
            await super().stop()
        finally:
            watch.cancel()


class CommittingConsumer(MendedConsumer):
    """The mended consumer where what it gives out is runs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._given_up: set[RunMessage] = set()
        """Runs that are neither waited for nor done: nothing is committed past one of them until
        the partitions are another generation's."""

    async def wait_empty(self) -> None:
        """Wait until what is in work is done, or given up, and commit what may be."""
        if not cast(CommittingApp, self.app).giving_up:
            await super().wait_empty()
            return
        loop = asyncio.get_running_loop()
        deadline = loop.time() + WORK_SECONDS
        while not self.should_stop and self._unacked_messages:
            self._waiting_for_ack = loop.create_future()
            done, _ = await asyncio.wait({self._waiting_for_ack}, timeout=deadline - loop.time())
            self._clean_unacked_messages()
            if not done:
                break
        if self._unacked_messages:
            self._give_up(cast(set[RunMessage], set(self._unacked_messages)))
        await self.commit_and_end_transactions()
        # What was done behind a run that was given up is fetched again with it.
        for tp in {run.tp for run in self._given_up}:
            self._acked.pop(tp, None)
            self._acked_index.pop(tp, None)

    def _give_up(self, runs: set[RunMessage]) -> None:
        count = sum(run.count for run in runs)
        self.log.warning("up to %d records are given up, to be fetched again", count)
        self._given_up |= runs
        # In place: streams add to it.
        self._unacked_messages.clear()
        for give_up in cast(CommittingApp, self.app).giving_up:
            give_up()

    def ack(self, message: Message) -> bool:
        """Take note that ``message`` is done, unless it was given up or is an earlier generation's:
        what lies before it may have been given up too, and it is fetched again with that."""
        late = message.generation_id != self.app.consumer_generation_id
        if not late and message not in self._given_up:
            return bool(super().ack(message))
        message.acked = True
        self._unacked_messages.discard(message)
        return False

    async def perform_seek(self) -> None:
        await super().perform_seek()
        generation = self.app.consumer_generation_id
        self._given_up = {run for run in self._given_up if run.generation_id == generation}

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Nothing: see above."""

    def _new_offset(self, tp: TP) -> int | None:
        acked = self._acked[tp]
        if not acked:
            return None
        end: int = max(acked) + 1
        runs = cast(set[RunMessage], self._unacked_messages)
        in_work = [run.first for run in (*runs, *self._given_up) if run.tp == tp]
        if in_work and min(in_work) < end:
            end = min(in_work)
        done = [offset for offset in acked if offset < end]
        acked[:] = [offset for offset in acked if offset >= end]
        self._acked_index[tp].difference_update(done)
        committed = self._committed_offset[tp]
        return end if done and (committed is None or end > committed) else None
