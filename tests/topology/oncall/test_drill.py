"""A drill runs beside the event loop, bounded, and only once it is on record."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from agents.oncall.drills import AlreadyRunning
from agents.oncall.giving import NotOrdered
from schemas import Codec, DrillOrdered
from tests.oncall.events import drill_ordered
from tests.waiting import wait_until_async
from topology.oncall.drill import DrillRuns, sampling
from topology.sampler import DeliveryFailed, RunReport, SourceSpec
from topology.settings import Settings

LIMIT_SECONDS = 10.0


class Ground:
    """What a drill runs on: keeps what is put on record, and a source that runs until it ends."""

    def __init__(self, clip: Path, **given: Any) -> None:
        self.recorded: list[DrillOrdered] = []
        self.sampled: list[SourceSpec] = []
        self.stopped = False
        self.now = 0
        self.begun = threading.Event()
        self.ended = threading.Event()
        self.failure: Exception | None = None
        self.unrecordable = False
        self.refused = 0
        self.runs = DrillRuns(
            clip, self.give, self.sample, lambda _: self.stopped, now_us=lambda: self.now
        )

    async def give(self, order: Any) -> None:
        await asyncio.sleep(0)
        if self.unrecordable:
            self.refused += 1
            raise NotOrdered("no brokers")
        self.recorded.append(order)

    def sample(self, source: SourceSpec, stop: threading.Event) -> RunReport:
        self.sampled.append(source)
        self.begun.set()
        if self.failure is not None:
            raise self.failure
        assert stop.wait(LIMIT_SECONDS)
        self.ended.set()
        return RunReport(())

    async def over(self) -> None:
        async with asyncio.timeout(LIMIT_SECONDS):
            await self.runs.over()


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    clip = tmp_path / "clip.mp4"
    clip.touch()
    return Ground(clip)


ORDER = drill_ordered(until=1_000)


async def test_it_is_a_drill_of_its_own_stream_and_ends_when_it_is_stopped(
    ground: Ground,
) -> None:
    """On record first; nothing of it is sampled once somebody stopped it."""
    await ground.runs.begin(ORDER)
    assert ground.recorded == [ORDER]
    await asyncio.to_thread(ground.begun.wait, LIMIT_SECONDS)
    assert [(it.stream_id, it.drill) for it in ground.sampled] == [("drill-1", True)]

    ground.stopped = True
    await ground.over()

    assert ground.ended.is_set()


async def test_it_ends_by_itself(ground: Ground) -> None:
    """However long the clip."""
    await ground.runs.begin(ORDER)
    ground.now = ORDER.until
    await ground.over()
    assert ground.ended.is_set()


async def test_there_is_one_at_a_time(ground: Ground) -> None:
    """Also while the first is still being put on record; the same order again changes nothing."""
    other = replace(ORDER, order_id="another", stream_id="drill-2")
    first = asyncio.create_task(ground.runs.begin(ORDER))
    await asyncio.sleep(0)
    with pytest.raises(AlreadyRunning):
        await ground.runs.begin(other)
    await ground.runs.begin(ORDER)
    await first
    assert ground.recorded == [ORDER]

    ground.stopped = True
    await ground.over()
    ground.stopped = False
    await ground.runs.begin(other)
    ground.stopped = True
    await ground.over()
    assert ground.recorded == [ORDER, other]


async def test_what_can_not_be_put_on_record_is_not_run(ground: Ground) -> None:
    """And may be tried again."""
    ground.unrecordable = True
    with pytest.raises(NotOrdered):
        await ground.runs.begin(ORDER)
    assert ground.sampled == []

    ground.unrecordable = False
    await ground.runs.begin(ORDER)
    ground.stopped = True
    await ground.over()
    assert ground.recorded == [ORDER]


async def test_a_clip_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Before anything is put on record."""
    ground = Ground(tmp_path / "nothing.mp4")
    with pytest.raises(NotOrdered, match="FIREBREAK_DRILL_CLIP"):
        await ground.runs.begin(ORDER)
    assert ground.recorded == []


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (DeliveryFailed("no brokers"), "not delivered: no brokers"),
        (RuntimeError("a fault of ours"), "unexpected RuntimeError"),
    ],
)
async def test_a_drill_that_fails_costs_nothing_but_the_drill(
    ground: Ground, failure: Exception, why: str
) -> None:
    """Why is on record, the worker goes on, and may run another."""
    ground.failure = failure
    await ground.runs.begin(ORDER)
    await ground.over()
    _, failed = ground.recorded
    assert (failed.change, failed.stream_id, failed.reason) == ("failed", "drill-1", why)
    assert failed.order_id != ORDER.order_id

    ground.failure = None
    await ground.runs.begin(replace(ORDER, order_id="another"))
    ground.stopped = True
    await ground.over()
    assert ground.ended.is_set()


async def test_that_it_failed_is_told_once_the_brokers_are_back(ground: Ground) -> None:
    """They are away, so that it failed: nothing can be put on record yet."""
    ground.failure = DeliveryFailed("no brokers")
    await ground.runs.begin(ORDER)
    ground.unrecordable = True
    await wait_until_async(lambda: ground.refused > 0, LIMIT_SECONDS)
    ground.unrecordable = False
    await ground.over()
    assert [it.change for it in ground.recorded] == ["started", "failed"]


async def test_a_clip_that_can_not_be_read_is_put_on_record(tmp_path: Path) -> None:
    """As the sampler itself finds it."""
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"no film")
    ground = Ground(clip)
    ground.runs = DrillRuns(
        clip,
        ground.give,
        sampling({"bootstrap.servers": "127.0.0.1:1", "log_level": 0}, Codec(), 1 << 20),
        lambda _: False,
        now_us=lambda: 0,
    )
    await ground.runs.begin(ORDER)
    await ground.over()
    _, failed = ground.recorded
    assert failed.reason.startswith("can't be opened: ")


async def test_a_worker_that_ends_ends_its_drill(ground: Ground) -> None:
    """No thread is left to sample on."""
    await ground.runs.begin(ORDER)
    await asyncio.to_thread(ground.begun.wait, LIMIT_SECONDS)
    await ground.runs.on_stop()
    assert ground.ended.is_set()


def test_the_clip_is_the_demos_unless_it_is_set() -> None:
    """The drill of our own making, which shows nobody."""
    assert Settings().drill_clip.name == "drill.mp4"
    assert Settings().drill_clip.exists()
