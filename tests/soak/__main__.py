"""``make soak``: an hour at 70 % of the capacity, streams coming and going, and what it left.

``python -m tests.soak --minutes 60`` runs a Kafka, both workers with the default model and a load
of a thousand streams that last some minutes each. What the workers hold (memory, file descriptors,
threads, files, sessions) and how much waits for each of them are noted all the time. After a
quarter of the time, which is for warming up, none of it may grow: ended sessions are kept for ten
minutes, so that only from then on as many go as come. In the end every frame is accounted for.
``build/soak.json`` has the figures, and ``build/soak-samples.jsonl`` what was noted, as it comes;
the exit code is 1 where something grew, or a frame was not judged.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import click

from deploy.kafka.jars import kafka_missing
from schemas import topics
from tests.bench.efficiency import Job
from tests.bench.harness import fresh_ground
from tests.bench.job import Footage
from tests.bench.latency import capacity
from tests.bench.live_load import Load
from tests.bench.ours import our_workers
from tests.chaos.reading import end_offsets
from topology.sampler import Mode

from .accounting import settle_account
from .load import ComingAndGoing
from .verdict import judge
from .watching import Sample, sample

OUT = Path("build/soak.json")
SAMPLES = Path("build/soak-samples.jsonl")
SHARE = 0.7
STREAMS = 1000
_WARM_FRAMES = 600
_OVERLOAD = 1.3
_SAMPLE_SECONDS = 5.0
_CAPACITY_SECONDS = 20.0
_MOST_FAILED = 10
"""Samples in a row. One alone fails where a worker is too busy to answer."""


@click.command()
@click.option("--minutes", type=click.FloatRange(min=0.5), default=60.0, show_default=True)
def main(minutes: float) -> None:
    """Run the topology under a steady load, and tell what grew."""
    if missing := kafka_missing():
        raise click.ClickException(missing)
    OUT.parent.mkdir(exist_ok=True)
    told = soak(minutes * 60, SAMPLES)
    OUT.write_text(json.dumps(told, indent=2) + "\n")
    samples = told.pop("samples")
    click.echo(json.dumps(told, indent=2))
    click.echo(f"{len(samples)} samples in {OUT}")
    raise SystemExit(not told["holds"])


@dataclass
class Samples:
    """What was noted, each written to ``file`` as it comes."""

    file: IO[str]
    found: list[Sample] = field(default_factory=list)
    failed: int = 0
    _in_a_row: int = 0

    def add(self, take: Callable[[], Sample]) -> None:
        """Raises what ``take`` raises where that has failed many times in a row."""
        try:
            taken = take()
        # A worker that is busy, a broker that is slow, a file that goes: the next one comes soon.
        except Exception as error:
            self.failed += 1
            self._in_a_row += 1
            self._write({"failed": f"{type(error).__name__}: {error}"})
            if self._in_a_row == _MOST_FAILED:
                raise
            return
        self._in_a_row = 0
        self.found.append(taken)
        self._write(asdict(taken))

    def _write(self, told: dict[str, Any]) -> None:
        self.file.write(json.dumps(told) + "\n")
        self.file.flush()
        print(told, file=sys.stderr, flush=True)


def soak(seconds: float, noted: Path) -> dict[str, Any]:
    """What was seen in so many ``seconds``; samples are ``noted`` as they come."""
    footage = Footage.of(Mode.JPEG)
    with (
        noted.open("w", encoding="utf-8") as file,
        fresh_ground("kafka") as ground,
        tempfile.TemporaryDirectory(prefix="firebreak-soak-") as folder,
        our_workers(
            ground, Path(folder) / "ours", "model", settings={"TMPDIR": _temporary(Path(folder))}
        ) as workers,
        Job(ground, workers.pids, footage) as job,
    ):
        burst = job.run(_WARM_FRAMES)
        too_much = burst.frames / burst.wall * _OVERLOAD
        overload = Load(footage, too_much, _CAPACITY_SECONDS, "capacity")
        most = capacity(job, workers, overload)
        rate = most * SHARE
        samples = Samples(file)
        begun = end_offsets(ground.bootstrap, topics.FRAME_SAMPLES)
        broken_off: list[str] = []
        with ComingAndGoing(ground.bootstrap, footage, rate, STREAMS) as load:
            try:
                for _ in _until(seconds):
                    samples.add(lambda: sample(workers, ground, load, Path(folder)))
                load.stop()
            # What was noted until then is told all the same, and that it ended early.
            except Exception as error:  # noqa: BLE001
                broken_off.append(f"{type(error).__name__}: {error}")
        accounted = settle_account(ground.bootstrap, begun)
    return {
        "minutes": round(seconds / 60, 1),
        "capacity_frames_per_second": round(most),
        "frames_per_second": round(rate),
        "frames": load.sent,
        "frames_acknowledged": load.acknowledged,
        "streams_begun": load.begun,
        "streams_at_once": STREAMS,
        "samples_failed": samples.failed,
        **judge(samples.found, accounted, load.acknowledged, rate, broken_off),
        "samples": [asdict(it) for it in samples.found],
    }


def _until(seconds: float) -> Iterator[None]:
    """Each time a sample is due."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(_SAMPLE_SECONDS)
        yield


def _temporary(folder: Path) -> str:
    """A folder for temporary files, among those that are counted."""
    made = folder / "temporary"
    made.mkdir()
    return str(made)


if __name__ == "__main__":
    main()
