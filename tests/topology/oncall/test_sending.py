"""What leaves the page, in Kafka: orders as they were given, and a drill as a shard sends it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any
from uuid import uuid4

from schemas import Codec, FrameSampled, OperatorCommanded, StreamUpdated
from tests.e2e.support import Reader
from tests.oncall.events import commanded
from tests.waiting import wait_until
from topology.oncall.drill import SHARD, sampling
from topology.oncall.orders import Orders
from topology.sampler import SourceSpec
from topology.settings import Settings

LIMIT_SECONDS = 20.0


async def test_an_order_is_in_kafka_once_it_is_given(topics_broker: str) -> None:
    """Given twice it is there twice under one id, which is one order to whoever decides."""
    order = commanded(command_id=str(uuid4()))
    orders = Orders({"bootstrap.servers": topics_broker}, Codec())
    for _ in range(2):
        await orders.give(order)
    await orders.on_stop()

    with Reader(topics_broker, OperatorCommanded, shared=True) as reader:
        await asyncio.to_thread(wait_until, lambda: order in reader.events(), LIMIT_SECONDS)
        assert {it for it in reader.events() if it.command_id == order.command_id} == {order}


def test_a_drill_is_a_marked_stream_with_a_beginning_and_an_end(topics_broker: str) -> None:
    """Each frame says that it is one; whoever stops it is heard between two frames."""
    stream, stop = f"drill-{uuid4()}", threading.Event()
    config = {"bootstrap.servers": topics_broker}
    clip = Settings().drill_clip
    with (
        Reader(topics_broker, FrameSampled, shared=True) as frames,
        Reader(topics_broker, StreamUpdated, shared=True) as news,
    ):
        sample = sampling(config, Codec(), 4 * 1024 * 1024)
        running = threading.Thread(
            target=sample, args=(SourceSpec(str(clip), stream, drill=True), stop)
        )
        running.start()

        def mine(reader: Reader) -> list[Any]:
            return [it for it in reader.events() if it.stream_id == stream]

        wait_until(lambda: len(mine(frames)) >= 2, LIMIT_SECONDS)
        stop.set()
        running.join(LIMIT_SECONDS)
        wait_until(lambda: len(mine(news)) == 2, LIMIT_SECONDS)
        assert [it.change for it in mine(news)] == ["started", "ended"]
        assert all(it.drill and it.shard_id == SHARD for it in (*mine(frames), *mine(news)))
