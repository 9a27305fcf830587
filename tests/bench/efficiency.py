"""``e2e_efficiency``: the whole topology against the bare loop, on the same frames by turns."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from schemas import MICROSECONDS, FrameSampled
from topology.sampler import Mode

from .bare import Bare
from .harness import BrokerKind, Cost, Ground, Risks, fresh_ground, measure, spread
from .job import Footage, Part, Source, make_part
from .ours import our_workers

STREAMS = 200
_MINUTES_BACK = 30
"""Parts follow each other in event time, from so long ago on."""


@dataclass
class Job:
    """Parts of one job on one ground, each after the one before; a context manager."""

    ground: Ground
    pids: list[int]
    footage: Footage
    streams: int = STREAMS
    name: str = ""
    """Of the job, where there is another one on the same ground."""

    def __post_init__(self) -> None:
        self._source, self.risks = Source(self.ground.bootstrap), Risks(self.ground)
        self._begin = (time.time_ns() // 1000) - _MINUTES_BACK * 60 * MICROSECONDS
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.risks.close()

    def part(self, frames: int) -> Part:
        part = make_part(
            self.footage,
            self._number,
            streams=self.streams,
            frames=frames,
            partitions=self.ground.partitions,
            begin=self._begin,
            job=self.name,
        )
        self._begin = part.ends[0].captured_at + MICROSECONDS
        self._number += 1
        return part

    def settle(self, frames: list[FrameSampled]) -> None:
        """Send ``frames`` and return once all that was sent is done."""
        self._source.send_frames((frame, None) for frame in frames)
        self.run(1)

    def run(self, frames: int) -> Cost:
        """Do ``frames`` more frames, as fast as they can be."""
        return measure(self.ground, self.pids, self._source, self.risks, self.part(frames))


def efficiency(kind: BrokerKind, mode: Mode, *, repeats: int, frames: int) -> dict[str, Any]:
    """Bare ÷ ours: of CPU seconds a frame, without and with the broker's, and of wall seconds."""
    ours: list[Cost] = []
    bare: list[Bare] = []
    with (
        fresh_ground(kind) as ground,
        TemporaryDirectory() as folder,
        our_workers(ground, Path(folder) / "ours", "model") as workers,
        Job(ground, workers.pids, Footage.of(mode)) as job,
    ):
        job.run(frames // 4)
        for _ in range(repeats):
            ours.append(job.run(frames))
            bare.append(_bare(mode, frames))
    pairs = list(zip(bare, ours, strict=True))
    return {
        "cpu": spread([b.cpu * o.frames / o.cpu for b, o in pairs]),
        "cpu_with_broker": spread([b.cpu * o.frames / (o.cpu + o.broker_cpu) for b, o in pairs]),
        "wall": spread([b.wall * o.frames / o.wall for b, o in pairs]),
        "ours_us": spread([o.cpu / o.frames * 1e6 for o in ours], 0),
        "broker_us": spread([o.broker_cpu / o.frames * 1e6 for o in ours], 0),
        "bare_us": spread([b.cpu * 1e6 for b in bare], 0),
        "ours_frames_per_second": spread([o.frames / o.wall for o in ours], 0),
        "bare_frames_per_second": spread([1 / b.wall for b in bare], 0),
        "bare_batch": bare[0].batch,
        "repeats": repeats,
    }


def _bare(mode: Mode, frames: int) -> Bare:
    """Beside idle workers, whose idling costs ours as much."""
    command = [sys.executable, "-m", "tests.bench.bare", mode, str(frames)]
    return Bare(**json.loads(subprocess.run(command, check=True, capture_output=True).stdout))


if __name__ == "__main__":
    told = {
        mode: efficiency("embedded", mode, repeats=int(sys.argv[1]), frames=int(sys.argv[2]))
        for mode in Mode
    }
    print(json.dumps(told, indent=2))
