"""A frame whose payload lies elsewhere waits for it aside, and only so often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from agents.batches import Batching
from agents.dead_letters import DeadLetterCause, Rejection
from agents.detection import agent as detection
from agents.detection.claims import DELAYS, Claimed, Claims, PayloadRefused
from agents.detection.detector import Detector
from agents.detection.origins import PayloadUnavailable
from agents.records import Record
from schemas import DetectionsMade, EventDeadLettered, FrameSampled
from tests.builders import START, frame_sampled
from tests.detection.serving import serving_of, sifting_of
from tests.detection.test_agent import bundle, judge_of
from tests.detection.test_decode import picture
from tests.shell import CODEC, Bench, FixedSize, put_run, record
from tests.waiting import wait_until_async

__all__ = ["bundle"]

ORIGIN = "https://store.example"
URI = f"{ORIGIN}/frames/1?signature=secret"
CLAIM = frame_sampled(payload=b"", payload_uri=URI)
INLINE = frame_sampled(payload=picture())


@dataclass
class Store:
    """Gives ``payload`` once it was asked often enough, and when it is let."""

    payload: bytes = b"pixels"
    fails: int = 0
    error: Callable[[], Exception] = lambda: PayloadUnavailable("status 503")
    free: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    origins = (ORIGIN,)
    largest = 4 * 1024 * 1024

    def __post_init__(self) -> None:
        self.free.set()

    def origin(self, uri: str) -> str:
        if not uri.startswith(f"{ORIGIN}/"):
            raise PayloadRefused("elsewhere")
        return ORIGIN

    async def __call__(self, uri: str) -> bytes:
        self.asked.append(uri)
        await self.free.wait()
        if len(self.asked) <= self.fails:
            raise self.error()
        return self.payload

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    @property
    def claims(self) -> Claims:
        return Claims(CODEC, self, self.sleep)


def record_of(frame: FrameSampled, offset: int = 0) -> Record:
    return record(CODEC.encode(frame), offset, appended_at=START)


async def outcome(store: Store) -> Record | Rejection:
    claims = store.claims
    waiting = claims.awaited(record_of(CLAIM, 7))
    assert waiting is not None
    await waiting.enter()
    assert claims.waiting == 1
    found = await waiting.get()
    waiting.leave()
    waiting.leave()
    assert (claims.waiting, claims.origins[ORIGIN].held) == (0, 0)
    return found


async def test_a_claim_becomes_the_record_that_it_stands_for() -> None:
    store = Store()
    found = await outcome(store)
    assert isinstance(found, Claimed)
    assert CODEC.decode(found.value, FrameSampled) == replace(CLAIM, payload=b"pixels")
    original = record_of(CLAIM, 7)
    for name in ("topic", "partition", "offset", "timestamp", "key", "headers"):
        assert getattr(found, name) == getattr(original, name)
    assert store.asked == [URI]


@pytest.mark.parametrize("fails", range(len(DELAYS) + 1))
async def test_what_may_pass_is_tried_again_after_ever_longer_waits(fails: int) -> None:
    store = Store(fails=fails)
    assert isinstance(await outcome(store), Claimed)
    assert len(store.asked) == fails + 1
    for slept, delay in zip(store.slept, DELAYS, strict=False):
        assert 0.5 * delay <= slept <= 1.5 * delay


async def test_after_the_last_attempt_it_is_refused_with_the_cause_and_without_the_uri() -> None:
    store = Store(fails=100)
    found = await outcome(store)
    assert found == Rejection(
        DeadLetterCause.PAYLOAD_UNAVAILABLE, "4 attempts; the last: status 503", CLAIM.stream_id
    )
    assert len(store.asked) == 4


async def test_what_is_refused_is_asked_for_once() -> None:
    store = Store(fails=1, error=lambda: PayloadRefused("status 404"))
    assert await outcome(store) == Rejection(
        DeadLetterCause.PAYLOAD_REFUSED, "status 404", CLAIM.stream_id
    )
    assert (len(store.asked), store.slept) == (1, [])


@pytest.mark.parametrize(
    "frame",
    [
        INLINE,
        replace(INLINE, payload_uri=URI),
        replace(CLAIM, payload_uri=""),
        replace(CLAIM, stream_id=""),
    ],
)
def test_other_records_do_not_wait(frame: FrameSampled) -> None:
    assert Store().claims.awaited(record_of(frame)) is None


def test_nothing_waits_where_no_origin_is_allowed_nor_what_can_not_be_read() -> None:
    assert Claims(CODEC, None).awaited(record_of(CLAIM)) is None
    for value in (None, b"", b"noise"):
        assert Store().claims.awaited(record(value)) is None


async def test_what_is_of_no_origin_is_refused_without_a_place_to_wait() -> None:
    claims = Store().claims
    waiting = claims.awaited(record_of(replace(CLAIM, payload_uri="https://evil.example/1")))
    assert waiting is not None
    await waiting.enter()
    assert await waiting.get() == Rejection(
        DeadLetterCause.PAYLOAD_REFUSED, "elsewhere", CLAIM.stream_id
    )
    assert claims.waiting == 0


@dataclass
class Work:
    """The detection agent, with claims of ``store`` if there is one."""

    store: Store | None
    made: Bench = field(default_factory=lambda: Bench("detection"))

    def register(self, bundle: object) -> Detector:
        detector = Detector(threads=1, timeout=10.0)
        detection.register(
            self.made.app,
            CODEC,
            serving_of(self.made, live=judge_of(bundle)),
            detector,
            self.made.intake,
            batching=Batching(FixedSize(2), hold=64, wait=0.02, at_once=2),
            sifting=sifting_of(self.made),
            claims=Claims(CODEC, None) if self.store is None else self.store.claims,
        )
        return detector

    @property
    def judged(self) -> list[int]:
        batches = self.made.publisher.events(DetectionsMade)
        return [item.offset for batch in batches for item in batch.detections]


async def test_frames_of_others_are_judged_while_a_payload_is_waited_for(bundle: object) -> None:
    """And the run is acknowledged once the last of it is done."""
    store = Store(payload=picture())
    store.free.clear()
    work = Work(store)
    detector = work.register(bundle)
    frames = [CLAIM, *(replace(INLINE, sequence=n) for n in range(1, 5))]
    async with work.made.app.agents["detection"].test_context() as agent:
        run = await put_run(agent, [record_of(frame, n) for n, frame in enumerate(frames)])
        await wait_until_async(lambda: sorted(work.judged) == [1, 2, 3, 4], 20)
        assert not run.acked
        store.free.set()
        await wait_until_async(lambda: run.acked, 20)
    assert sorted(work.judged) == [0, 1, 2, 3, 4]
    detector.close()


async def test_a_payload_that_can_not_be_had_is_a_dead_letter_and_nothing_else_is_lost(
    bundle: object,
) -> None:
    work = Work(Store(fails=100))
    detector = work.register(bundle)
    await work.made.put([record_of(CLAIM, 0), record_of(INLINE, 1)])
    assert work.judged == [1]
    (letter,) = work.made.publisher.events(EventDeadLettered)
    assert (letter.offset, letter.cause) == (0, "payload-unavailable")
    assert "secret" not in letter.detail
    detector.close()


async def test_a_fault_of_a_fetch_is_that_records_dead_letter_alone(bundle: object) -> None:
    work = Work(Store(fails=1, error=lambda: KeyError("secret")))
    detector = work.register(bundle)
    await work.made.put([record_of(CLAIM, 0), record_of(INLINE, 1)])
    assert work.judged == [1]
    (letter,) = work.made.publisher.events(EventDeadLettered)
    assert (letter.offset, letter.cause) == (0, "internal-error")
    assert "secret" not in letter.detail
    detector.close()


async def test_without_allowed_origins_a_claim_is_refused_and_told_why(bundle: object) -> None:
    work = Work(None)
    detector = work.register(bundle)
    await work.made.put([record_of(CLAIM)])
    (letter,) = work.made.publisher.events(EventDeadLettered)
    assert letter.cause == "payload-refused"
    assert "FIREBREAK_PAYLOAD_ORIGINS" in letter.detail
    detector.close()
