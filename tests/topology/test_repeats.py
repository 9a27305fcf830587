"""What is logged again and again."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError

from topology.repeats import LOGGERS, MOST_KNOWN, QUIET_SECONDS, OnceInAWhile, spare_repeats


def _said(repeats: OnceInAWhile, message: str, at: float, *args: object) -> str | None:
    """What is let through of it."""
    record = logging.LogRecord("aiokafka", logging.ERROR, __file__, 1, message, args, None)
    record.created = at
    return record.getMessage() if repeats.filter(record) else None


def test_what_is_said_again_is_left_out_and_counted() -> None:
    repeats = OnceInAWhile()
    said = [_said(repeats, "no node %d", at, 2) for at in (0.0, 0.1, QUIET_SECONDS - 0.1)]
    assert said == ["no node 2", None, None]
    assert _said(repeats, "no node %d", QUIET_SECONDS, 2) == "no node 2 (and 2 times in between)"
    assert _said(repeats, "no node %d", 2 * QUIET_SECONDS, 2) == "no node 2"


def test_what_differs_in_a_value_is_something_else() -> None:
    repeats = OnceInAWhile()
    assert [_said(repeats, "no node %d", 0.0, node) for node in (1, 2)] == [
        "no node 1",
        "no node 2",
    ]


def test_a_message_with_a_percent_sign_is_counted_as_it_is() -> None:
    repeats = OnceInAWhile()
    for at in (0.0, 1.0):
        _said(repeats, "100 %s", at)
    assert _said(repeats, "100 %s", QUIET_SECONDS) == "100 %s (and 1 times in between)"


def test_a_clock_that_is_put_back_silences_nothing() -> None:
    repeats = OnceInAWhile()
    assert [_said(repeats, "no node", at) for at in (3600.0, 0.0)] == ["no node", "no node"]


def test_what_is_always_something_else_takes_bounded_memory() -> None:
    repeats = OnceInAWhile()
    for offset in range(3 * MOST_KNOWN):
        assert _said(repeats, "offset %d", 0.0, offset) is not None
    assert len(repeats._said) == MOST_KNOWN


@pytest.fixture
def spared() -> Iterator[None]:
    """Twice, as a process may."""
    spare_repeats()
    spare_repeats()
    yield
    for name in LOGGERS:
        logging.getLogger(name).filters.clear()


@pytest.mark.usefixtures("spared")
async def test_without_kafka_its_client_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever it logs by: a name of its loggers that changes is found here."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    for _ in range(3):
        consumer = AIOKafkaConsumer(bootstrap_servers=f"127.0.0.1:{port}")
        with pytest.raises(KafkaConnectionError):
            await consumer.start()
        await consumer.stop()
    lines = [it.getMessage() for it in caplog.records if it.name.startswith("aiokafka")]
    assert len(lines) == len(set(lines)) == 1, lines
    assert all(len(logging.getLogger(name).filters) == 1 for name in LOGGERS)
