"""What workers hold, as the system and they themselves tell it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from schemas import topics
from tests.bench.harness import Ground
from tests.bench.ours import OurWorkers
from tests.chaos.reading import uncommitted
from tests.e2e.support import get
from tests.waiting import wait_until
from topology.app import Role

from .load import ComingAndGoing

_ANSWER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Of both workers together, decoder processes and all."""

    at: float
    """Seconds that the load has gone on."""
    rss_mb: float
    descriptors: int
    threads: int
    files: int
    """In the folders that they keep their files in."""
    streams: int
    """That the on-call page knows, of which it keeps so many and no more."""
    in_windows: int
    """Sessions that aggregation keeps windows of, ended ones for ten minutes."""
    remembered: int
    """Sessions that the decision agent remembers something of."""
    waiting: int
    """Frames that are not judged and committed."""
    undecided: int
    """Detections and risks that are not decided on and committed."""
    sent: int


class Held(NamedTuple):
    """By one process."""

    rss_mb: float
    """Memory that is its alone: what processes share counts for none of them."""
    descriptors: int
    threads: int


def sample(workers: OurWorkers, ground: Ground, load: ComingAndGoing, folder: Path) -> Sample:
    """How it is now. Raises whatever asking for it raises, as where a worker has ended."""
    found = [held for pid in workers.pids for held in held_by_all(psutil.Process(pid))]
    sessions = _told(workers, "worker")["runs"]["sessions"]
    return Sample(
        at=round(load.seconds, 1),
        rss_mb=round(sum(held.rss_mb for held in found), 1),
        descriptors=sum(held.descriptors for held in found),
        threads=sum(held.threads for held in found),
        files=sum(1 for path in folder.rglob("*") if path.is_file()),
        streams=_told(workers, "streams")["streams_known"],
        in_windows=sessions["in windows"],
        remembered=sessions["remembered"],
        waiting=_uncommitted(ground, Role.DETECTION, topics.FRAME_SAMPLES),
        undecided=_uncommitted(ground, Role.JUDGEMENT, topics.DETECTIONS, topics.RISK),
        sent=load.sent,
    )


def drift(figures: Sequence[float]) -> float:
    """How much the last fifth is above the first, as a share; medians of each."""
    first, last = _ends(figures)
    return (last - first) / first if first else float(last)


def growth(figures: Sequence[float]) -> float:
    """How much the last fifth is above the first; medians of each. For what may well be 0."""
    first, last = _ends(figures)
    return last - first


def held_by_all(worker: psutil.Process) -> list[Held]:
    """By ``worker`` and all that it has started, but for what ends meanwhile: decoders are replaced
    now and then. Raises ``psutil.NoSuchProcess`` where the worker is gone."""
    found = [_held_by(worker)]
    for child in worker.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            found.append(_held_by(child))
    return found


def _held_by(process: psutil.Process) -> Held:
    memory = float(process.memory_full_info().uss) / 1e6
    return Held(memory, process.num_fds(), process.num_threads())


def _ends(figures: Sequence[float]) -> tuple[float, float]:
    share = max(len(figures) // 5, 1)
    return statistics.median(figures[:share]), statistics.median(figures[-share:])


def _told(workers: OurWorkers, of: str) -> dict[str, Any]:
    url = f"{workers.url_of(Role.JUDGEMENT)}/api/v1/{of}"
    told: dict[str, Any] = {}

    def answers() -> bool:
        told.update(get(url))
        return bool(told)

    wait_until(answers, _ANSWER_SECONDS)
    return told


def _uncommitted(ground: Ground, role: Role, *names: str) -> int:
    return uncommitted(ground.bootstrap, f"firebreak-{role}", names)
