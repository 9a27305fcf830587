"""The mends to Faust's consumer, one by one; the churn test holds them all together."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import faust
import pytest
from faust.types import TP

from topology.faust_mend import (
    FAUST_VERSION,
    MendedApp,
    MendedConsumer,
)

SOURCE = TP("source", 0)


class Thread:
    """The consumer's thread without brokers: a seek notes what could be fetched before it."""

    def __init__(self, consumer: MendedConsumer) -> None:
        self._consumer = consumer
        self.committed = {SOURCE: 5}
        self.fetchable_at_seek: set[TP] | None = None
        self.answers = asyncio.Event()
        self.answers.set()

    async def seek_to_committed(self) -> dict[TP, int]:
        self.fetchable_at_seek = set(self._consumer._get_active_partitions())
        await self.answers.wait()
        return self.committed


@pytest.fixture
def consumer() -> MendedConsumer:
    app = MendedApp("mend", broker="kafka://127.0.0.1:1", store="memory://", autodiscover=False)
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


async def test_a_seek_that_was_given_up_is_noticed_and_made_up_for(
    consumer: MendedConsumer, thread: Thread
) -> None:
    consumer.resume_flow()
    thread.answers.clear()
    consumer.resume_partitions({SOURCE})
    seeking = asyncio.create_task(consumer.perform_seek())
    await asyncio.sleep(0)
    assert not consumer.seek_given_up
    seeking.cancel()
    await asyncio.wait({seeking})
    assert consumer.seek_given_up
    thread.answers.set()
    await consumer.perform_seek()
    assert not consumer.seek_given_up
    assert SOURCE in consumer._get_active_partitions()
