"""The detection agent's shell, in Faust's own test context, with the model that ships."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from agents.batches import Batching
from agents.detection import agent as detection
from agents.detection.bundle import InferenceFailed, ModelBundle, load_bundle
from agents.detection.calibration import Floats
from agents.detection.claims import Claims
from agents.detection.decode import DecodeBounds, Decoder
from agents.detection.detector import Detector, InferenceStuck, Judge, Judges
from agents.detection.resize import Pixels
from agents.detection.sifting import Sifting
from schemas import DetectionsMade, EventDeadLettered, FrameSampled, FramesShed
from tests.builders import SECOND, START, frame_sampled
from tests.detection.serving import serving_of, sifting_of
from tests.detection.test_decode import picture
from tests.shell import CODEC, Aborted, Bench, FixedSize, record

DEFAULT = Path(__file__).parents[2] / "agents/detection/bundles/lite0"
BOUNDS = DecodeBounds(payload_bytes=200_000, pixels=640 * 480)
GOOD = frame_sampled(payload=picture())


@pytest.fixture(scope="module")
def bundle() -> ModelBundle:
    return load_bundle(DEFAULT, ("CPUExecutionProvider",), threads=1)


def judge_of(bundle: Any) -> Judge:
    return Judge(bundle, Decoder(bundle.manifest.input, BOUNDS).decode_all)


async def judge(
    bundle: Any,
    frames: Sequence[FrameSampled | bytes],
    sift: Callable[[Bench], Sifting] = sifting_of,
) -> Bench:
    """Put ``frames`` through the agent as records appended at ``START``, in batches of four."""
    made = Bench("detection")
    serving = serving_of(made, live=judge_of(bundle))
    detector = Detector(threads=2, timeout=10.0)
    batching = Batching(FixedSize(4), hold=64, wait=0.05, at_once=3)
    detection.register(
        made.app,
        CODEC,
        serving,
        detector,
        made.intake,
        batching=batching,
        sifting=sift(made),
        claims=Claims(CODEC, None),
    )
    values = [frame if isinstance(frame, bytes) else CODEC.encode(frame) for frame in frames]
    await made.put([record(it, number, appended_at=START) for number, it in enumerate(values)])
    detector.close()
    return made


def detected(made: Bench) -> list[int]:
    """Sequence numbers of the frames judged."""
    batches = made.publisher.events(DetectionsMade)
    return [item.sequence for batch in batches for item in batch.detections]


def letters(made: Bench) -> list[tuple[int, str]]:
    return [(event.offset, event.cause) for event in made.publisher.events(EventDeadLettered)]


async def test_every_frame_is_judged_once_in_micro_batches_in_order(bundle: ModelBundle) -> None:
    made = await judge(bundle, [replace(GOOD, sequence=n) for n in range(10)])
    assert detected(made) == list(range(10))
    batches = made.publisher.events(DetectionsMade)
    assert max(len(batch.detections) for batch in batches) == 4
    assert {batch.bundle_digest for batch in batches} == {bundle.digest}
    assert letters(made) == []


async def test_a_detection_points_at_its_frame_and_carries_what_the_shard_said(
    bundle: ModelBundle,
) -> None:
    made = await judge(bundle, [replace(GOOD, drill=True, captured_at=START - SECOND)])
    (batch,) = made.publisher.events(DetectionsMade)
    (item,) = batch.detections
    assert (batch.signals, len(item.scores)) == (["firearm", "fictional"], 2)
    assert (item.offset, item.appended_at, item.captured_at) == (0, START, START - SECOND)
    assert item.drill


BAD: list[tuple[FrameSampled | bytes, str]] = [
    (b"", "unreadable-event"),
    (b"\x7fnoise", "unreadable-event"),
    (CODEC.encode(GOOD)[:-5], "unreadable-event"),
    (b"\xc3\x01" + b"\x00" * 20, "unknown-schema"),
    (replace(GOOD, payload=b""), "empty-payload"),
    (replace(GOOD, payload=b"x" * 200_001), "payload-too-large"),
    (replace(GOOD, codec="gif"), "unknown-codec"),
    (replace(GOOD, payload=b"no picture"), "undecodable-payload"),
    (replace(GOOD, width=100_000, height=100_000), "too-many-pixels"),
    (replace(GOOD, stream_id=""), "invalid-id"),
    (replace(GOOD, stream_id="s" * 5_000_000), "invalid-id"),
    (replace(GOOD, session_id="s" * 257), "invalid-id"),
    (replace(GOOD, captured_at=START + 3600 * SECOND), "event-time-out-of-range"),
    (replace(GOOD, captured_at=START - 48 * 3600 * SECOND), "event-time-out-of-range"),
    (replace(GOOD, captured_at=2**62), "event-time-out-of-range"),
    (replace(GOOD, captured_at=-(2**62)), "event-time-out-of-range"),
]


async def test_bad_input_is_dead_lettered_where_it_lay_and_the_good_goes_on_being_judged(
    bundle: ModelBundle,
) -> None:
    mixed: list[FrameSampled | bytes] = []
    for number, (bad, _) in enumerate(BAD):
        mixed += [bad, replace(GOOD, sequence=number)]
    made = await judge(bundle, mixed)
    assert sorted(letters(made)) == [(2 * n, cause) for n, (_, cause) in enumerate(BAD)]
    assert detected(made) == list(range(len(BAD)))


class Fussy:
    """The bundle, failing on every batch with a black frame in it."""

    def __init__(self, bundle: ModelBundle) -> None:
        self._bundle = bundle

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bundle, name)

    def judge(self, frames: Sequence[Pixels]) -> Floats:
        if any(not frame.any() for frame in frames):
            raise InferenceFailed("black")
        return self._bundle.judge(frames)


async def test_a_frame_that_the_model_fails_on_does_not_take_its_neighbours_with_it(
    bundle: ModelBundle,
) -> None:
    black = replace(GOOD, codec="png", payload=_black())
    frames = [replace(black if n == 2 else GOOD, sequence=n) for n in range(4)]
    made = await judge(Fussy(bundle), frames)
    assert detected(made) == [0, 1, 3]
    assert letters(made) == [(2, "inference-failed")]


def _black() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


class Stuck(Fussy):
    def judge(self, frames: Sequence[Pixels]) -> Floats:
        time.sleep(0.5)
        return super().judge(frames)


async def test_a_model_that_does_not_answer_ends_the_process(bundle: ModelBundle) -> None:
    detector = Detector(threads=1, timeout=0.05)
    with pytest.raises(InferenceStuck):
        await detector.judge(Judges(judge_of(Stuck(bundle))), [GOOD])
    detector.close()


async def test_the_event_loop_goes_on_while_frames_are_judged(bundle: ModelBundle) -> None:
    detector = Detector(threads=1, timeout=10.0)
    judging = asyncio.create_task(detector.judge(Judges(judge_of(bundle)), [GOOD] * 64))
    turns = 0
    while not judging.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert len(await judging) == 64
    assert turns > 10
    detector.close()


async def test_of_too_much_what_is_left_out_is_told_and_accounted_for(bundle: ModelBundle) -> None:
    """Four frames a second: of the calm stream one in two seconds is judged, of the other all."""
    armed = replace(GOOD, stream_id="armed")
    frames = [
        replace(stream, sequence=number, captured_at=START + number * SECOND // 4)
        for number in range(16)
        for stream in (GOOD, armed)
    ]
    at_risk = [("armed", armed.session_id)]
    sift = partial(sifting_of, backlog=lambda: 6.0, at_risk=at_risk)
    made = await judge(bundle, [*frames, b"noise"], sift)
    judged = [
        (item.stream_id, item.sequence)
        for batch in made.publisher.events(DetectionsMade)
        for item in batch.detections
    ]
    assert sorted(judged) == sorted(
        [("armed", n) for n in range(16)] + [(GOOD.stream_id, n) for n in (0, 8)]
    )
    (shed,) = made.publisher.events(FramesShed)
    (calm,) = shed.streams
    assert (calm.stream_id, calm.at_risk) == (GOOD.stream_id, False)
    assert calm.offsets == [2 * n for n in range(16) if n not in (0, 8)]
    assert (shed.reason, shed.backlog_seconds) == ("backlog", 6.0)
    assert made.counts["detection frames shed"] == 14
    assert made.counts["detection events"] == 33
    assert letters(made) == [(32, "unreadable-event")]


async def test_of_what_is_too_old_the_floors_are_judged_and_the_rest_is_told(
    bundle: ModelBundle,
) -> None:
    """Four frames a second that the brokers took two hours ago, and nothing else waits."""
    armed = replace(GOOD, stream_id="armed")
    frames = [
        replace(stream, sequence=number, captured_at=START + number * SECOND // 4)
        for number in range(16)
        for stream in (GOOD, armed)
    ]
    at_risk = [("armed", armed.session_id)]
    sift = partial(sifting_of, at_risk=at_risk, brokers_now=lambda: START + 2 * 3600 * SECOND)
    made = await judge(bundle, frames, sift)
    judged = [
        (item.stream_id, item.sequence)
        for batch in made.publisher.events(DetectionsMade)
        for item in batch.detections
    ]
    assert sorted(judged) == sorted(
        [("armed", n) for n in range(0, 16, 2)] + [(GOOD.stream_id, n) for n in (0, 8)]
    )
    (shed,) = made.publisher.events(FramesShed)
    assert shed.reason == "too-old"
    assert sum(len(stream.offsets) for stream in shed.streams) == len(frames) - len(judged)
    assert made.counts["detection frames too old shed"] == 14
    assert made.counts["detection frames too old of streams at risk shed"] == 8
    assert made.counts["detection frames shed"] == 0
    assert made.counts["detection events"] == len(frames)


async def test_what_can_not_be_told_is_not_left_out(bundle: ModelBundle) -> None:
    """As for all that is published: the process ends, and nothing is acknowledged."""
    made = Bench("detection")
    made.publisher.broken = True
    sifting = sifting_of(made, lambda: 6.0)
    batching = Batching(FixedSize(4), hold=64, wait=0.05, at_once=3)
    detector = Detector(threads=1, timeout=10.0)
    detection.register(
        made.app,
        CODEC,
        serving_of(made, live=judge_of(bundle)),
        detector,
        made.intake,
        batching=batching,
        sifting=sifting,
        claims=Claims(CODEC, None),
    )
    frames = [replace(GOOD, sequence=n, captured_at=START + n) for n in range(4)]
    with pytest.raises(Aborted):
        await made.put([record(CODEC.encode(it), n) for n, it in enumerate(frames)])
    detector.close()
