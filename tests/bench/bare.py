"""The bare loop: the same payloads decoded and judged by the same session, and nothing else.

``python -m tests.bench.bare MODE FRAMES`` prints as JSON what a frame costs at the best batch size,
on as many threads as there are cores. No Kafka, no Faust, no windows.
"""

from __future__ import annotations

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from schemas import FrameSampled
from topology.sampler import Mode

from .job import Footage, ModelJudging, make_part

BATCH_SIZES = (1, 4, 8, 16, 32)
_TRIED_ON = 96
"""Frames that each batch size is tried on."""


@dataclass(frozen=True, slots=True)
class Bare:
    """Seconds a frame, of CPU and of wall time with all cores at it."""

    batch: int
    cpu: float
    wall: float


def run_bare(judging: ModelJudging, frames: list[FrameSampled], batch: int) -> Bare:
    """Judge ``frames``, each core its share of them, in batches of ``batch``."""
    cores = os.cpu_count() or 1
    batches = [frames[at : at + batch] for at in range(0, len(frames), batch)]
    with ThreadPoolExecutor(cores) as threads:
        cpu, wall = time.process_time(), time.monotonic()
        for _ in threads.map(judging.judge, batches):
            pass
        cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    return Bare(batch, cpu / len(frames), wall / len(frames))


def best_batch(judging: ModelJudging, frames: list[FrameSampled]) -> int:
    """The batch size at which a frame costs least CPU."""
    tried = [run_bare(judging, frames[:_TRIED_ON], size) for size in BATCH_SIZES]
    return min(tried, key=lambda it: it.cpu).batch


def main() -> None:
    mode, frames = Mode(sys.argv[1]), int(sys.argv[2])
    part = make_part(Footage.of(mode), 0, streams=200, frames=frames, partitions=1, begin=0)
    # One thread a session's run: several would wait for each other, spinning.
    judging = ModelJudging(threads=1)
    run_bare(judging, part.frames[:_TRIED_ON], 16)
    print(json.dumps(asdict(run_bare(judging, part.frames, best_batch(judging, part.frames)))))


if __name__ == "__main__":
    main()
