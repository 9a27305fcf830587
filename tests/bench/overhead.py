"""``overhead_us``: what a frame costs with a detector that looks at nothing, and what for."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.waiting import wait_until
from topology.app import Role
from topology.sampler import Mode

from .efficiency import Job
from .harness import BrokerKind, Cost, fresh_ground, spread
from .job import Footage
from .ours import PROFILE, our_workers
from .profile import part_of_thread


def overhead(kind: BrokerKind, *, repeats: int, frames: int) -> dict[str, Any]:
    """Microseconds a frame: the total, from runs without the profiler, and its parts from one with.

    The parts are scaled to the total's median, as looking costs something too.
    """
    footage = Footage.of(Mode.JPEG)
    with (
        fresh_ground(kind) as ground,
        TemporaryDirectory() as folder,
        our_workers(ground, Path(folder) / "ours", "null") as workers,
        Job(ground, workers.pids, footage) as job,
    ):
        job.run(frames // 4)
        costs = [job.run(frames) for _ in range(repeats)]
    total = spread([_us(cost) for cost in costs], 1)
    parts = _profiled(kind, footage, frames)
    scale = total["median"] / sum(parts.values())
    return {
        "total": total,
        "broker": spread([cost.broker_cpu / cost.frames * 1e6 for cost in costs], 1),
        "wall": spread([cost.wall / cost.frames * 1e6 for cost in costs], 1),
        "parts": {name: round(us * scale, 1) for name, us in parts.most_common()},
        "repeats": repeats,
    }


def _us(cost: Cost) -> float:
    return cost.cpu / cost.frames * 1e6


def _profiled(kind: BrokerKind, footage: Footage, frames: int) -> Counter[str]:
    """Seconds by part, of both workers."""
    with fresh_ground(kind) as ground, TemporaryDirectory() as name:
        folder = Path(name)
        with (
            our_workers(ground, folder / "ours", "null", settings={PROFILE: name}) as workers,
            Job(ground, workers.pids, footage) as job,
        ):
            job.run(frames // 4)
            (folder / "begin").touch()
            job.run(frames)
            reports = [folder / f"{role}.json" for role in Role]
            for report in reports:
                report.unlink(missing_ok=True)
            wait_until(lambda: all(report.exists() for report in reports), 20)
            told = [json.loads(report.read_text()) for report in reports]
    parts: Counter[str] = Counter()
    for of_worker in told:
        parts.update(of_worker["main"])
        for thread, seconds in of_worker["threads"].items():
            parts[part_of_thread(thread)] += seconds
    del parts["profiler"]
    return parts


if __name__ == "__main__":
    print(json.dumps(overhead("embedded", repeats=int(sys.argv[1]), frames=int(sys.argv[2]))))
