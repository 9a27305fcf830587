"""The topology as it is measured: its two workers, with the default model or with none.

``python -m tests.bench.ours ROLE`` is a worker as ``firebreak worker ROLE`` is, except that
``FIREBREAK_BENCH_DETECTOR=null`` has frames scored without a look at them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from agents.detection.detector import Detector, Judges, Outcome, Scored
from schemas import FrameSampled
from tests.e2e.support import free_port_pair, get
from tests.e2e.workers import PATIENT, policy_file
from tests.waiting import wait_until
from topology.app import Role
from topology.settings import load_settings
from topology.worker import run_worker

from .harness import Ground, processes
from .job import NullJudging
from .profile import Profile

READY_SECONDS = 120.0
_DETECTOR = "FIREBREAK_BENCH_DETECTOR"
PROFILE = "FIREBREAK_BENCH_PROFILE"
"""A folder where workers tell what their CPU went into, from when a file ``begin`` is there."""


class NullDetector(Detector):
    """Scores frames as ``NullJudging`` does, in the live bundle's name."""

    async def judge(self, judges: Judges, frames: Sequence[FrameSampled]) -> list[Outcome]:
        bundle = judges.live.bundle
        return [Scored(bundle, None, row) for row in NullJudging().judge(frames)]


@contextmanager
def our_workers(
    ground: Ground, folder: Path, detector: str, **settings: str
) -> Iterator[list[int]]:
    """The ids of a detection and a judgement worker on ``ground``, ready.

    ``detector`` is ``null`` or ``model``; ``settings`` are more of the environment.
    """
    folder.mkdir(exist_ok=True)
    policy = policy_file(folder / "policy.toml", *PATIENT)
    ports = {role: free_port_pair() for role in Role}
    environment = {
        "FIREBREAK_BOOTSTRAP_SERVERS": ground.bootstrap,
        "FIREBREAK_RUNTIME_DIR": str(folder),
        "FIREBREAK_POLICY": str(policy),
        _DETECTOR: detector,
        **settings,
    }
    commands = [["-m", "tests.bench.ours", role, str(port)] for role, port in ports.items()]
    with processes(commands, environment) as running:
        wait_until(
            lambda: all(
                get(f"http://127.0.0.1:{port}/ready").get("ready") for port in ports.values()
            ),
            READY_SECONDS,
        )
        yield [process.pid for process in running]


if __name__ == "__main__":
    role, port = sys.argv[1:]
    worker = load_settings(web_port=int(port))
    if folder := os.environ.get(PROFILE):
        Profile(Path(folder) / "begin", Path(folder) / f"{role}.json")
    detector_of = {"null": NullDetector, "model": Detector}[os.environ[_DETECTOR]]
    run_worker(worker, worker.bootstrap_servers or "", Role(role), detector=detector_of)
