"""Readings beside the event loop: bounded in number and in time, and not done twice for nothing."""

from __future__ import annotations

import asyncio
import threading

import pytest

from agents.oncall.ports import Unavailable
from tests.waiting import wait_until_async
from topology.incident.log import RecordsUnreadable
from topology.oncall.readings import Briefly, Readings

LIMIT = 20.0


async def test_what_is_read_comes_back_from_another_thread() -> None:
    assert await Readings("test", 1).run(threading.get_ident, LIMIT) != threading.get_ident()


async def test_no_more_are_read_at_once_than_there_are_threads() -> None:
    """The others wait their turn."""
    at_once, together, most = 2, 0, 0
    lock, full, go = threading.Lock(), threading.Event(), threading.Event()

    def read() -> None:
        nonlocal together, most
        with lock:
            together += 1
            most = max(most, together)
            if together == at_once:
                full.set()
        go.wait(LIMIT)
        with lock:
            together -= 1

    readings = Readings("test", at_once)
    waiting = [asyncio.ensure_future(readings.run(read, LIMIT)) for _ in range(6)]
    assert await asyncio.to_thread(full.wait, LIMIT)
    go.set()
    await asyncio.gather(*waiting)

    assert most == at_once


async def test_who_comes_when_too_many_wait_is_told_so() -> None:
    """A page that is reloaded without end can't pile up readings."""
    go = threading.Event()
    readings = Readings("test", 1)
    waiting = [
        asyncio.ensure_future(readings.run(lambda: go.wait(LIMIT), LIMIT)) for _ in range(17)
    ]
    await asyncio.sleep(0)

    with pytest.raises(Unavailable, match="too many"):
        await readings.run(lambda: None, LIMIT)

    go.set()
    await asyncio.gather(*waiting)
    assert await readings.run(lambda: 1, LIMIT) == 1


async def test_what_takes_too_long_is_no_longer_waited_for() -> None:
    go = threading.Event()
    readings = Readings("test", 1)

    with pytest.raises(Unavailable, match="no answer in"):
        await readings.run(lambda: go.wait(LIMIT), 0.05)

    go.set()
    assert await readings.run(lambda: 1, LIMIT) == 1


async def test_what_kafka_says_is_told_in_its_words() -> None:
    def read() -> None:
        raise RecordsUnreadable("there is no topic x")

    with pytest.raises(Unavailable, match="there is no topic x"):
        await Readings("test", 1).run(read, LIMIT)


class Reading:
    """Counts how often it is read, and fails while it is told to."""

    def __init__(self) -> None:
        self.times = 0
        self.fails = False

    async def __call__(self) -> int:
        self.times += 1
        await asyncio.sleep(0)
        if self.fails:
            raise Unavailable("not now")
        return self.times


async def test_the_same_is_read_once_for_all_who_ask_meanwhile() -> None:
    """While it is being read, and while it is kept."""
    reading = Reading()
    kept: Briefly[int] = Briefly(LIMIT, 2)

    assert list(await asyncio.gather(*(kept.get("a", reading) for _ in range(2)))) == [1, 1]
    assert await kept.get("a", reading) == 1


async def test_what_was_read_goes_by_itself_though_nobody_asks_again() -> None:
    """It is large: a page that was left leaves nothing behind."""
    reading = Reading()
    kept: Briefly[int] = Briefly(0.05, 2)

    assert await kept.get("a", reading) == 1
    assert len(kept) == 1
    await wait_until_async(lambda: len(kept) == 0, LIMIT)
    assert await kept.get("a", reading) == 2


async def test_what_failed_is_asked_for_again_at_once() -> None:
    reading = Reading()
    kept: Briefly[int] = Briefly(LIMIT, 2)
    reading.fails = True
    with pytest.raises(Unavailable):
        await kept.get("a", reading)
    reading.fails = False

    assert await kept.get("a", reading) == 2
    assert len(kept) == 1


async def test_of_many_that_are_asked_for_few_are_kept() -> None:
    reading = Reading()
    kept: Briefly[int] = Briefly(LIMIT, 2)
    for key in "abc":
        await kept.get(key, reading)

    assert await kept.get("c", reading) == 3
    assert await kept.get("a", reading) == 4
