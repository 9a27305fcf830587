"""What people order on the page reaches Kafka, or they are told that it did not."""

from __future__ import annotations

import time

import pytest

from agents.oncall.giving import NotOrdered
from schemas import Codec
from tests.oncall.events import commanded
from topology.oncall.orders import Orders


async def test_a_kafka_that_is_away_is_told_within_the_time() -> None:
    """A person does not wait for minutes, and nothing is delivered behind their back."""
    orders = Orders({"bootstrap.servers": "127.0.0.1:1"}, Codec(), seconds=1.5)
    began = time.monotonic()

    with pytest.raises(NotOrdered):
        await orders.give(commanded())

    assert time.monotonic() - began < 10
    await orders.on_stop()


async def test_a_worker_that_orders_nothing_has_no_producer() -> None:
    """Ending it ends nothing."""
    orders = Orders({"bootstrap.servers": "127.0.0.1:1"}, Codec())
    await orders.on_stop()
    assert not orders.started
