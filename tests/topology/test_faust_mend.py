"""The mends to Faust's consumer, one by one; the churn test holds them all together."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import faust
import pytest
from faust.tables.recovery import RebalanceAgain, Recovery, ServiceStopped
from faust.types import TP

from topology.faust_mend import (
    FAUST_VERSION,
    MendedApp,
    MendedConsumer,
    MendedRecovery,
    MendedTables,
)

SOURCE = TP("source", 0)


class Thread:
    """The consumer's thread without brokers: a seek notes what could be fetched before it."""

    def __init__(self, consumer: MendedConsumer) -> None:
        self._consumer = consumer
        self.committed = {SOURCE: 5}
        self.fetchable_at_seek: set[TP] | None = None

    async def seek_to_committed(self) -> dict[TP, int]:
        self.fetchable_at_seek = set(self._consumer._get_active_partitions())
        return self.committed


def mended_app() -> MendedApp:
    return MendedApp("mend", broker="kafka://127.0.0.1:1", store="memory://", autodiscover=False)


@pytest.fixture
def consumer() -> MendedConsumer:
    app = mended_app()
    made = cast(MendedConsumer, app.consumer)
    made._active_partitions = set()
    return made


@pytest.fixture
def thread(consumer: MendedConsumer) -> Thread:
    made = Thread(consumer)
    consumer._thread = cast(Any, made)
    return made


def test_the_mends_are_for_the_version_that_is_locked() -> None:
    assert faust.__version__ == FAUST_VERSION


async def test_source_partitions_are_fetched_after_the_seek_and_not_before(
    consumer: MendedConsumer, thread: Thread
) -> None:
    consumer.resume_partitions({SOURCE})
    assert SOURCE not in consumer._get_active_partitions()
    assert consumer.awaits_seek
    await consumer.perform_seek()
    assert not consumer.awaits_seek
    assert thread.fetchable_at_seek == set()
    assert SOURCE in consumer._get_active_partitions()


@pytest.mark.usefixtures("thread")
async def test_partitions_paused_meanwhile_are_not_fetched_after_the_seek(
    consumer: MendedConsumer,
) -> None:
    consumer.resume_partitions({SOURCE})
    consumer.pause_partitions({SOURCE})
    await consumer.perform_seek()
    assert SOURCE not in consumer._get_active_partitions()


@pytest.fixture
async def recovery() -> MendedRecovery:
    app = mended_app()
    return cast(MendedRecovery, cast(MendedTables, app.tables).recovery)


async def test_what_partitions_are_taken_over_by_is_waited_for_beyond_its_time(
    recovery: MendedRecovery,
) -> None:
    answer = asyncio.Event()
    waiting = asyncio.create_task(recovery._wait(answer.wait(), timeout=0.01))
    done, _ = await asyncio.wait({waiting}, timeout=0.2)
    assert not done
    answer.set()
    await asyncio.wait_for(waiting, 10)


async def test_faust_takes_that_time_for_an_order_to_stop(recovery: MendedRecovery) -> None:
    """Once it does not any more, the mend is not needed."""
    unmended = Recovery(recovery.app, recovery.tables)
    with pytest.raises(ServiceStopped):
        await unmended._wait(asyncio.Event().wait(), timeout=0.01)


async def test_a_rebalance_ends_the_waiting(recovery: MendedRecovery) -> None:
    waiting = asyncio.create_task(recovery._wait(asyncio.Event().wait(), timeout=30))
    recovery.signal_recovery_start.set()
    with pytest.raises(RebalanceAgain):
        await asyncio.wait_for(waiting, 10)
