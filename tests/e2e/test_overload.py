"""More comes than can be judged: what is shed is told, and nothing else is missing."""

from __future__ import annotations

import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from schemas import MICROSECONDS, DetectionsMade, FramesShed, TakedownRequested, topics
from tests.bench.job import Footage, renamed
from tests.brokers import BrokerKind
from tests.e2e.support import CODEC, Reader, get, produce, running_stack
from tests.waiting import wait_until
from topology.app import Role
from topology.sampler import Mode

pytestmark = pytest.mark.e2e
CALM, SECONDS, RATE = 60, 40, 2
KEEP_EVERY = 2 * MICROSECONDS
"""As the settings have it."""
LIMIT = 120.0


def test_a_burst_is_thinned_out_and_an_attack_in_it_is_still_stopped(
    tmp_path: Path, broker_kind: BrokerKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4,800 frames at once are some 25 seconds of work for two cores."""
    # The embedded broker (Tansu 0.6.0) tells readers of less than there is.
    monkeypatch.setenv("FIREBREAK_SHED_BACKLOG", "2")
    filmed = Footage.of(Mode.JPEG)
    begin = time.time_ns() // 1000 - SECONDS * MICROSECONDS
    frames = [
        renamed(
            clip[turn % len(clip)],
            name,
            turn,
            begin + turn * MICROSECONDS // RATE,
            drill=name == "attack",
        )
        for turn in range(SECONDS * RATE)
        for name, clip in [
            ("attack", filmed.attack[-4:]),
            *((f"calm-{number}", filmed.ordinary) for number in range(CALM - 1)),
        ]
    ]
    with running_stack(tmp_path, broker_kind) as stack:
        records = [(it.stream_id.encode(), CODEC.encode(it)) for it in frames]
        produce(stack.bootstrap, topics.FRAME_SAMPLES, records)
        with (
            Reader(stack.bootstrap, DetectionsMade) as detections,
            Reader(stack.bootstrap, FramesShed) as shedding,
            Reader(stack.bootstrap, TakedownRequested) as takedowns,
        ):

            def judged() -> dict[tuple[int, int], tuple[str, int]]:
                return {
                    (batch.frame_partition, item.offset): (item.stream_id, item.captured_at)
                    for batch in detections.events()
                    for item in batch.detections
                }

            def shed() -> dict[tuple[int, int], str]:
                return {
                    (told.frame_partition, offset): stream.stream_id
                    for told in shedding.events()
                    for stream in told.streams
                    for offset in stream.offsets
                }

            wait_until(lambda: len(judged()) + len(shed()) >= len(frames), LIMIT)
            assert not judged().keys() & shed().keys()
            assert len(judged()) + len(shed()) == len(frames)
            assert len(shed()) > len(frames) / 4
            times = defaultdict(list)
            for stream, at in judged().values():
                times[stream].append(at)
            assert len(times) == CALM
            for found in times.values():
                gaps = [later - earlier for earlier, later in pairwise(sorted(found))]
                assert max(gaps) <= KEEP_EVERY
            wait_until(lambda: len(takedowns.events()) > 0, LIMIT)
            assert {it.stream_id for it in takedowns.events()} == {"attack"}
            worker = get(f"{stack.fleet.web_urls[Role.DETECTION]}/api/v1/worker")
            assert sum(
                count for what, count in worker["counts"].items() if what.endswith(" shed")
            ) == len(shed())
