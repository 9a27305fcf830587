"""``latency``: from a frame that tips the risk being with the brokers, to its takedown being there.

The load is paced (``tests.bench.live_load``) at shares of the capacity: what is judged a second
while more than that comes, sent, carried and judged on the same cores. A broker is warm before
anything is measured: for its first minute a Java machine compiles.
"""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from topology.sampler import Mode

from .efficiency import Job
from .harness import BrokerKind, Ground, fresh_ground
from .job import Footage
from .live_load import Load, Times, attacks_in, send, watch
from .ours import OurWorkers, our_workers

PARTITIONS = (1, 8, 64)
WITH_MODEL = 8
LOADS = (0.3, 0.7, 0.95)
FRAMES = {"null": 12_000, "model": 600}
"""Of a part."""
SECONDS = {"null": 6.0, "model": 15.0}
"""That each load lasts. The embedded broker keeps in memory all that comes."""
_OVERLOAD = 1.3
_MOST_WARM_PARTS = 10
_STILL_WARMING = 0.9
"""A part that costs the brokers less than this share of the cheapest before is not the last."""
_SETTLE_SECONDS = 15.0


def latency(kind: BrokerKind, *, with_model: bool = True) -> dict[str, dict[str, Any]]:
    """Milliseconds by detector and partitions, then by share of the capacity."""
    told: dict[str, dict[str, Any]] = {}
    footage = Footage.of(Mode.JPEG)
    for partitions in PARTITIONS:
        with fresh_ground(kind, partitions) as ground:
            runs = ["null", "model"] if with_model and partitions == WITH_MODEL else ["null"]
            for detector in runs:
                name = f"{detector} / {partitions} partitions"
                told[name] = _of(ground, detector, footage, SECONDS[detector])
    return told


def _of(ground: Ground, detector: str, footage: Footage, seconds: float) -> dict[str, Any]:
    with (
        TemporaryDirectory() as folder,
        our_workers(ground, Path(folder) / "ours", detector) as workers,
        Job(ground, workers.pids, footage, name=f"{detector}-") as job,
    ):
        burst = _warm(job, FRAMES[detector])
        most = capacity(job, workers, Load(footage, burst * _OVERLOAD, seconds, detector))
        return {
            "capacity_frames_per_second": round(most),
            **{
                f"{share:.0%}": _at(
                    job, Load(footage, most * share, seconds, f"{detector}-{share}")
                )
                for share in LOADS
            },
        }


def _warm(job: Job, frames: int) -> float:
    """Run parts until the brokers have warmed up; frames a second of the last ones."""
    rates: list[float] = []
    cheapest = float("inf")
    for _ in range(_MOST_WARM_PARTS):
        cost = job.run(frames)
        rates.append(cost.frames / cost.wall)
        warming = cost.broker_cpu < cheapest * _STILL_WARMING
        cheapest = min(cheapest, cost.broker_cpu)
        if not warming:
            break
    return statistics.median(rates[-3:])


def capacity(job: Job, workers: OurWorkers, load: Load) -> float:
    """Frames judged a second in the later part of a ``load`` that is too much."""
    job.settle(load.first_frames())
    sending = threading.Thread(target=send, args=(job.ground, Times(), load.planned()))
    sending.start()
    time.sleep(load.seconds * 0.4)
    before, began = workers.judged(), time.monotonic()
    time.sleep(load.seconds * 0.5)
    rate = (workers.judged() - before) / (time.monotonic() - began)
    sending.join()
    job.settle([])
    return rate


def _at(job: Job, load: Load) -> dict[str, object]:
    """Milliseconds under ``load``."""
    times, done = Times(), threading.Event()
    watching = threading.Thread(target=watch, args=(job.ground, times, done))
    watching.start()
    # The first frame of a stream is always told of: streams do not begin all at once.
    job.settle(load.first_frames())
    sent = send(job.ground, times, load.planned())
    deadline = time.monotonic() + _SETTLE_SECONDS
    attacks = attacks_in(load.rate, load.seconds)
    while len(times.takedowns) < attacks and time.monotonic() < deadline:
        time.sleep(0.1)
    done.set()
    watching.join()
    found = times.milliseconds()
    if not found:
        return {"attacks": attacks, "takedowns": 0}
    return {
        "frames_per_second": round(sent / load.seconds),
        "attacks": attacks,
        "takedowns": len(found),
        **{f"p{share}": round(found[len(found) * share // 100], 1) for share in (50, 95, 99)},
    }


def main() -> None:
    kind: BrokerKind = "kafka" if "kafka" in sys.argv else "embedded"
    told: Mapping[str, Any] = latency(kind, with_model="model" in sys.argv)
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
