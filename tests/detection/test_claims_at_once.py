"""Many claims at once: a busy origin is waited for within bounds, and one that is away is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest
from faust.types import StreamT
from faust.types.agents import AgentTestWrapperT
from msgspec.structs import replace

from agents.batches import Batching
from agents.detection import origins, outage
from agents.detection.claims import Claims
from agents.detection.origins import PayloadUnavailable
from agents.detection.shedding import Pressed, Risky, Shedder, ShedLimits
from agents.detection.sifting import Pressure, Sifting
from agents.inflow import Sift, keep_all
from agents.publishing import Outgoing
from agents.records import Record, Run
from schemas import EventDeadLettered, FrameSampled, FramesShed
from tests.builders import SECOND, START, frame_sampled
from tests.shell import CODEC, Bench, FixedSize, put_run, record
from tests.waiting import wait_until_async
from topology.committing import RunMessage

BUSY, AWAY = "https://busy.example", "https://away.example"
PAYLOAD = bytes(20_000)
LARGEST = 64 * 1024
INLINE = frame_sampled(payload=b"pixels")


@dataclass
class Stores:
    """One gives each payload after ``takes`` seconds; the other, once it is asked, nothing."""

    takes: float = 0.0
    origins = (BUSY, AWAY)
    largest = LARGEST
    given: int = 0
    asked_in_vain: int = 0
    hangs: bool = False

    def origin(self, uri: str) -> str:
        return uri.rpartition("/")[0]

    async def __call__(self, uri: str) -> bytes:
        if self.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(self.takes)
        if uri.startswith(AWAY):
            self.asked_in_vain += 1
            raise PayloadUnavailable("no answer in time")
        self.given += 1
        return PAYLOAD


@dataclass
class Work:
    """An agent that takes frames in batches and notes them."""

    stores: Stores
    sift: Sift = keep_all
    made: Bench = field(default_factory=lambda: Bench("claiming"))
    taken: list[int] = field(default_factory=list)
    most_held: int = 0
    most_waiting: int = 0

    def __post_init__(self) -> None:
        self.claims = Claims(CODEC, self.stores)
        self.intake = self.made.intake

        async def step(records: Sequence[Record]) -> list[Outgoing]:
            self.taken += [it.offset for it in records]
            every = self.claims.origins.values()
            self.most_held = max(self.most_held, *(it.held for it in every))
            self.most_waiting = max(self.most_waiting, *(it.waiting for it in every))
            return []

        batching = Batching(FixedSize(16), hold=32, wait=0.02, at_once=2)

        @self.made.app.agent(self.made.app.channel(), name="claiming")
        async def claiming(stream: StreamT[Run]) -> None:
            await self.intake.batched(stream, step, batching, self.sift, self.claims.awaited)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[AgentTestWrapperT]:
        async with self.made.app.agents["claiming"].test_context() as agent:
            yield agent

    @property
    def letters(self) -> list[EventDeadLettered]:
        return self.made.publisher.events(EventDeadLettered)


def run_of(frames: Sequence[FrameSampled], first: int = 0) -> list[Record]:
    return [
        record(CODEC.encode(it), first + n, appended_at=START, key=it.stream_id.encode())
        for n, it in enumerate(frames)
    ]


def claims_of(origin: str, count: int) -> list[FrameSampled]:
    claim = frame_sampled(payload=b"")
    return [replace(claim, sequence=n, payload_uri=f"{origin}/{n}") for n in range(count)]


async def put_all(
    agent: AgentTestWrapperT, frames: Sequence[FrameSampled], run: int = 64
) -> list[RunMessage]:
    return [
        await put_run(agent, run_of(frames[first : first + run], first))
        for first in range(0, len(frames), run)
    ]


async def test_ten_thousand_claims_of_a_busy_origin_are_all_waited_for_within_bounds() -> None:
    """At 50 ms each: what there is no room for is not read, so it is seen to wait."""
    work = Work(Stores(takes=0.05))
    async with work.running() as agent:
        runs = await put_all(agent, claims_of(BUSY, 10_000))
        origin = work.claims.origins[BUSY]
        await wait_until_async(lambda: origin.waiting == origins.MOST, 60)
        unread = [it for it in runs if it.value is not None]
        assert len(unread) >= (10_000 - 2 * origins.MOST) // 64
        await wait_until_async(lambda: all(it.acked for it in runs), 300)
    assert sorted(work.taken) == list(range(10_000))
    assert work.letters == []
    assert work.most_held <= origins.AT_ONCE * LARGEST
    assert work.most_waiting <= origins.MOST
    assert (work.claims.waiting, origin.held) == (0, 0)


async def test_payloads_that_came_count_until_their_frames_are_in_a_batch() -> None:
    """Frames are taken slower than they come: fetching waits, and memory does not grow."""
    work = Work(Stores())
    origin = work.claims.origins[BUSY]
    got = [work.claims.awaited(it) for it in run_of(claims_of(BUSY, 200))]
    fetching = []
    for waiting in got:
        assert waiting is not None
        await waiting.enter()
        fetching.append(asyncio.ensure_future(waiting.get()))
    limit = origins.AT_ONCE * LARGEST
    # Not one more: the next could be as large as is allowed.
    fits = (limit - LARGEST) // len(PAYLOAD) + 1
    await wait_until_async(lambda: sum(it.done() for it in fetching) == fits, 20)
    assert origin.held <= limit
    for waiting, task in zip(got, fetching, strict=True):
        await task
        assert waiting is not None
        waiting.leave()
    assert (origin.held, work.claims.waiting, work.stores.given) == (0, 0, 200)


async def test_an_origin_that_is_away_fails_fast_and_costs_no_other_a_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its claims that wait are not all tried four times, nor is more than one later on."""
    monkeypatch.setattr(outage, "PATIENCE", 0.2)
    monkeypatch.setattr(outage, "RETRY", 60.0)
    work = Work(Stores(takes=0.05))
    by_turns = zip(claims_of(AWAY, 600), claims_of(BUSY, 600), strict=True)
    mixed = [it for pair in by_turns for it in pair]
    async with work.running() as agent:
        runs = await put_all(agent, mixed)
        await wait_until_async(lambda: all(it.acked for it in runs), 60)
        assert sorted(work.taken) == list(range(1, 1200, 2))
        assert {it.offset for it in work.letters} == set(range(0, 1200, 2))
        assert {it.cause for it in work.letters} == {"payload-unavailable"}
        details = {it.detail for it in work.letters}
        assert "not asked for now; the last: no answer in time" in details
        assert work.stores.asked_in_vain < 300
        before = work.stores.asked_in_vain
        (later,) = await put_all(agent, claims_of(AWAY, 10))
        await wait_until_async(lambda: later.acked, 20)
        assert work.stores.asked_in_vain == before


async def test_frames_with_their_payload_overtake_claims_of_an_origin_that_hangs() -> None:
    work = Work(Stores(hangs=True))
    mixed = [it for claim in claims_of(BUSY, 1000) for it in (claim, INLINE)]
    async with work.running() as agent:
        runs = await put_all(agent, mixed)
        await wait_until_async(lambda: len(work.taken) == 1000, 60)
        assert sorted(work.taken) == list(range(1, 2000, 2))
        assert not any(it.acked for it in runs)
        # Nor does a frame that waits keep those beside it in memory.
        assert all(it.value is None for it in runs)


async def test_what_is_given_up_leaves_its_room_and_is_never_acknowledged() -> None:
    """Nor is more waited for of the run that had no room yet; of what comes later it is."""
    work = Work(Stores(hangs=True))
    origin = work.claims.origins[BUSY]
    async with work.running() as agent:
        runs = await put_all(agent, claims_of(BUSY, origins.MOST + 32))
        await wait_until_async(
            lambda: origin.waiting == origins.MOST and runs[-1].value is None, 60
        )
        work.intake.give_up_waiting()
        await wait_until_async(lambda: origin.waiting == 0, 20)
        work.stores.hangs = False
        (later,) = await put_all(agent, claims_of(BUSY, 10))
        await wait_until_async(lambda: later.acked, 20)
        assert work.stores.given == 10
        assert not any(it.acked for it in runs)
        assert origin.held == 0


def slow(claims: Claims, made: Bench) -> Sifting:
    """What sheds where claims of an origin wait for over five seconds."""
    limits = ShedLimits(5.0, 2 * SECOND, patience=0.0, age=120 * SECOND)
    pressures = [
        Pressure(Pressed(limits), partial(float, wait), partial(claims.lies_at, name))
        for name, wait in ((BUSY, 6), (AWAY, 0))
    ]
    shedder = Shedder(limits, Risky(0.1))
    return Sifting(CODEC, shedder, pressures, made.intake, brokers_now=lambda: None)


def test_frames_that_wait_for_a_slow_origin_are_shed_for_it_and_no_others() -> None:
    made = Bench("claiming")
    sifting = slow(Claims(CODEC, Stores()), made)
    frames = [
        replace(it, stream_id=f"{at}", captured_at=START + n)
        for n in range(4)
        for at, it in enumerate((INLINE, claims_of(BUSY, 1)[0], claims_of(AWAY, 1)[0]))
    ]
    kept, told = sifting.sift(run_of(frames))
    assert [it.offset for it in kept] == [0, 1, 2, 3, 5, 6, 8, 9, 11]
    (shed,) = told
    assert isinstance(shed.event, FramesShed)
    assert [it.stream_id for it in shed.event.streams] == ["1"]


async def test_how_long_claims_take_follows_from_the_pace_of_their_origin() -> None:
    work = Work(Stores(takes=0.01))
    origin = work.claims.origins[BUSY]
    assert origin.seconds() == 0.0
    for number in range(200):
        await origin.enter()
        await origin.fetch(partial(work.stores, f"{BUSY}/{number}"))
        origin.leave(len(PAYLOAD))
    for _ in range(origins.MOST):
        await origin.enter()
    assert origin.seconds() >= 0.9 * origins.MOST * 0.01 / origins.AT_ONCE
    assert work.claims.origins[AWAY].seconds() == 0.0
