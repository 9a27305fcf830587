"""``make soak``: an hour at 70 % of the capacity, streams coming and going, and what it left.

``python -m tests.soak --minutes 60`` runs a Kafka, both workers with the default model and a load
of a thousand streams that last some minutes each. What the workers hold (memory, file descriptors,
threads, files, sessions) and how many frames wait are noted all the time. After a quarter of the
time, which is for warming up, none of it may grow: ended sessions are kept for ten minutes, so that
only from then on as many go as come. ``build/soak.json``
has the figures; the exit code is 1 where something grew.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from deploy.kafka.jars import kafka_missing
from tests.bench.efficiency import Job
from tests.bench.harness import fresh_ground
from tests.bench.job import Footage
from tests.bench.latency import capacity
from tests.bench.live_load import Load
from tests.bench.ours import our_workers
from topology.sampler import Mode

from .load import ComingAndGoing
from .watching import Sample, drift, sample

OUT = Path("build/soak.json")
SHARE = 0.7
STREAMS = 1000
WARM_UP = 0.25
MOST_DRIFT = 0.05
_WARM_FRAMES = 600
_OVERLOAD = 1.3
_SAMPLE_SECONDS = 5.0
_CAPACITY_SECONDS = 20.0
_FLAT = ("rss_mb", "descriptors", "threads", "files", "in_windows", "remembered")
_MOST_WAITING_SECONDS = 10.0
"""Of frames, at the rate they come at, at any time after warming up."""


@click.command()
@click.option("--minutes", type=click.FloatRange(min=0.5), default=60.0, show_default=True)
def main(minutes: float) -> None:
    """Run the topology under a steady load, and tell what grew."""
    if missing := kafka_missing():
        raise click.ClickException(missing)
    told = soak(minutes * 60)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(told, indent=2) + "\n")
    samples = told.pop("samples")
    click.echo(json.dumps(told, indent=2))
    click.echo(f"{len(samples)} samples in {OUT}")
    raise SystemExit(not told["holds"])


def soak(seconds: float) -> dict[str, Any]:
    """What was seen in so many ``seconds``."""
    footage = Footage.of(Mode.JPEG)
    with (
        fresh_ground("kafka") as ground,
        tempfile.TemporaryDirectory(prefix="firebreak-soak-") as folder,
        our_workers(ground, Path(folder) / "ours", "model") as workers,
        Job(ground, workers.pids, footage) as job,
    ):
        burst = job.run(_WARM_FRAMES)
        too_much = burst.frames / burst.wall * _OVERLOAD
        overload = Load(footage, too_much, _CAPACITY_SECONDS, "capacity")
        most = capacity(job, workers, overload)
        rate = most * SHARE
        samples: list[Sample] = []
        with ComingAndGoing(ground.bootstrap, footage, rate, STREAMS) as load:
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                time.sleep(_SAMPLE_SECONDS)
                samples.append(sample(workers, ground, load, Path(folder)))
                print(samples[-1], file=sys.stderr, flush=True)
    steady = samples[int(len(samples) * WARM_UP) :]
    drifts = {name: drift([getattr(it, name) for it in steady]) for name in _FLAT}
    most_waiting = max(it.waiting for it in steady)
    return {
        "minutes": round(seconds / 60, 1),
        "capacity_frames_per_second": round(most),
        "frames_per_second": round(rate),
        "frames": load.sent,
        "streams_begun": load.begun,
        "streams_at_once": STREAMS,
        "drift": {name: round(value, 4) for name, value in drifts.items()},
        "most_waiting": most_waiting,
        "holds": all(value <= MOST_DRIFT for value in drifts.values())
        and most_waiting <= rate * _MOST_WAITING_SECONDS,
        "first": asdict(steady[0]),
        "last": asdict(steady[-1]),
        "samples": [asdict(it) for it in samples],
    }


if __name__ == "__main__":
    main()
