"""What workers hold, as the system and they themselves tell it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from confluent_kafka import Consumer, TopicPartition

from schemas import topics
from tests.bench.harness import Ground
from tests.bench.ours import OurWorkers
from tests.e2e.support import get
from tests.waiting import wait_until
from topology.app import Role

from .load import ComingAndGoing

_METADATA_SECONDS = 30.0
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
    sent: int


def sample(workers: OurWorkers, ground: Ground, load: ComingAndGoing, folder: Path) -> Sample:
    """How it is now."""
    processes = [
        process
        for pid in workers.pids
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))
    ]
    sessions = _told(workers, "worker")["runs"]["sessions"]
    return Sample(
        at=round(load.seconds, 1),
        rss_mb=round(sum(_private_mb(it) for it in processes), 1),
        descriptors=sum(it.num_fds() for it in processes),
        threads=sum(it.num_threads() for it in processes),
        files=sum(1 for path in folder.rglob("*") if path.is_file()),
        streams=_told(workers, "streams")["streams_known"],
        in_windows=sessions["in windows"],
        remembered=sessions["remembered"],
        waiting=_waiting(ground),
        sent=load.sent,
    )


def drift(figures: Sequence[float]) -> float:
    """How much the last fifth is above the first, as a share; medians of each."""
    share = max(len(figures) // 5, 1)
    first, last = statistics.median(figures[:share]), statistics.median(figures[-share:])
    return (last - first) / first if first else float(last)


def _private_mb(process: psutil.Process) -> float:
    """Memory that is its alone: what processes share counts for none of them."""
    return float(process.memory_full_info().uss) / 1e6


def _told(workers: OurWorkers, of: str) -> dict[str, Any]:
    url = f"{workers.url_of(Role.JUDGEMENT)}/api/v1/{of}"
    told: dict[str, Any] = {}

    def answers() -> bool:
        told.update(get(url))
        return bool(told)

    wait_until(answers, _ANSWER_SECONDS)
    return told


def _waiting(ground: Ground) -> int:
    consumer = Consumer(
        {"bootstrap.servers": ground.bootstrap, "group.id": f"firebreak-{Role.DETECTION}"}
    )
    try:
        places = [TopicPartition(topics.FRAME_SAMPLES, n) for n in range(ground.partitions)]
        committed = consumer.committed(places, timeout=_METADATA_SECONDS)
        return sum(
            consumer.get_watermark_offsets(place, timeout=_METADATA_SECONDS)[1]
            - max(place.offset, 0)
            for place in committed
        )
    finally:
        consumer.close()
