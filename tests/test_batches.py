"""How events become batches: by turns, in time, and with a bounded number read ahead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, cast

import pytest

from agents.batches import Batching, batches
from tests.shell import FixedSize
from tests.waiting import wait_until_async


class Arriving:
    """Runs of one event, named by the letters of a timeline, their keys, and numbered.

    A dot is a pause; capitals are in one lane, small letters in another.
    """

    def __init__(self, timeline: str, pause: float = 0.0) -> None:
        self._timeline, self._pause = timeline, pause
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[list[str]]:
        for letter in self._timeline:
            if letter == ".":
                await asyncio.sleep(self._pause)
                continue
            self.read += 1
            yield [f"{letter}{self.read - 1}"]


def batched(arriving: Arriving, size: int, wait: float, hold: int = 100) -> AsyncGenerator[Any]:
    batching = Batching(FixedSize(size), hold, wait)
    found = batches(aiter(arriving), str.isupper, lambda event: event[0].encode(), batching)
    return cast(AsyncGenerator[Any], found)


async def collect(arriving: Arriving, size: int, wait: float) -> list[list[str]]:
    return [batch async for batch in batched(arriving, size, wait)]


async def test_batches_are_full_where_events_wait_and_keep_their_order() -> None:
    found = await collect(Arriving("aaaaaaaaaa"), size=4, wait=0.05)
    assert [name for batch in found for name in batch] == [f"a{n}" for n in range(10)]
    assert [len(batch) for batch in found] == [4, 4, 2]


async def test_a_batch_does_not_wait_longer_than_it_was_told() -> None:
    assert await collect(Arriving("a.a", pause=0.2), size=4, wait=0.01) == [["a0"], ["a1"]]


async def test_a_batch_that_is_full_does_not_wait() -> None:
    async with asyncio.timeout(5):
        assert (await collect(Arriving("aa"), size=2, wait=60.0))[0] == ["a0", "a1"]


async def test_a_noisy_stream_leaves_room_for_the_others_that_wait() -> None:
    found = await collect(Arriving("nnnnnnab"), size=4, wait=0.05)
    assert found == [["n0", "a6", "b7", "n1"], ["n2", "n3", "n4", "n5"]]


async def test_a_batch_is_of_one_lane_as_long_as_that_has_enough() -> None:
    found = await collect(Arriving("abABcCdD"), size=4, wait=0.05)
    assert found == [["a0", "b1", "c4", "d6"], ["A2", "B3", "C5", "D7"]]


async def test_a_batch_is_filled_from_the_next_lane_where_one_has_too_little() -> None:
    assert await collect(Arriving("aBC"), size=3, wait=0.05) == [["a0", "B1", "C2"]]


async def test_no_more_is_read_ahead_than_may_be_held() -> None:
    arriving = Arriving("abcdefghijkl")
    found = batched(arriving, size=2, wait=0.05, hold=5)
    await anext(found)
    await wait_until_async(lambda: arriving.read == 7, 5)
    for _ in range(100):
        await asyncio.sleep(0)
    assert arriving.read == 7
    await found.aclose()


async def test_what_waited_while_a_batch_was_in_work_does_not_wait_again() -> None:
    """The wait runs from when an event came, and not from when somebody looked."""
    arriving = Arriving("aaa.", pause=60.0)
    found = batched(arriving, size=2, wait=0.5, hold=5)
    assert await anext(found) == ["a0", "a1"]
    await wait_until_async(lambda: arriving.read == 3, 5)
    await asyncio.sleep(0.6)  # the work
    async with asyncio.timeout(0.4):
        assert await anext(found) == ["a2"]
    await found.aclose()


async def test_what_ends_the_stream_ends_the_batches_after_the_last_event() -> None:
    class Failing(Arriving):
        async def __aiter__(self) -> AsyncIterator[list[str]]:
            async for run in super().__aiter__():
                yield run
            raise ConnectionError

    found = batched(Failing("a"), size=4, wait=0.01)
    assert await anext(found) == ["a0"]
    with pytest.raises(ConnectionError):
        await anext(found)
