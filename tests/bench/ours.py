"""The topology as it is measured: its two workers, with the default model or with none.

``python -m tests.bench.ours ROLE`` is a worker as ``firebreak worker ROLE`` is, except that
``FIREBREAK_BENCH_DETECTOR=null`` has frames scored without a look at them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from agents.detection.detector import Detector, Judges, Outcome, Scored
from schemas import FrameSampled
from tests import signed_in
from tests.e2e.support import free_port_pair, get
from tests.e2e.workers import PATIENT, policy_file
from tests.waiting import wait_until
from topology.app import Role
from topology.settings import load_settings
from topology.worker import run_worker

from .harness import Ground, begin, end
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


class OurWorkers:
    """Workers of both roles on a ground, ``copies`` of each; ready once ``start`` returns.

    ``detector`` is ``null`` or ``model``; ``settings`` are more of the environment.
    """

    def __init__(
        self,
        ground: Ground,
        folder: Path,
        detector: str,
        copies: int = 1,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self._environment = {
            "FIREBREAK_BOOTSTRAP_SERVERS": ground.bootstrap,
            "FIREBREAK_RUNTIME_DIR": str(folder),
            "FIREBREAK_WEB_KEY": signed_in.KEY,
            "FIREBREAK_POLICY": str(policy_file(folder / "policy.toml", *PATIENT)),
            _DETECTOR: detector,
            **(settings or {}),
        }
        self._roles = [role for role in Role for _ in range(copies)]
        self._running: list[tuple[Role, int, subprocess.Popen[bytes]]] = []

    @property
    def pids(self) -> list[int]:
        return [process.pid for _, _, process in self._running]

    def pid_of(self, role: Role) -> int:
        return next(process.pid for found, _, process in self._running if found is role)

    def start(self) -> None:
        for role in self._roles:
            self._start(role)
        self.wait_until_ready()

    def kill_and_start(self, role: Role) -> None:
        """End the first worker of ``role`` by force, and start another; it is not ready yet."""
        place = next(number for number, it in enumerate(self._running) if it[0] is role)
        _, _, process = self._running.pop(place)
        process.kill()
        process.wait()
        self._start(role)

    def wait_until_ready(self) -> None:
        ports = [port for _, port, _ in self._running]
        wait_until(
            lambda: all(get(f"http://127.0.0.1:{port}/ready").get("ready") for port in ports),
            READY_SECONDS,
        )

    def url_of(self, role: Role) -> str:
        port = next(port for found, port, _ in self._running if found is role)
        return f"http://127.0.0.1:{port}"

    def judged(self) -> int:
        """Frames that have been judged, by all of them together."""
        counts = (
            get(f"http://127.0.0.1:{port}/api/v1/worker")["counts"]
            for role, port, _ in self._running
            if role is Role.DETECTION
        )
        return sum(found.get("detection events", 0) for found in counts)

    def stop(self) -> None:
        end([process for _, _, process in self._running])

    def _start(self, role: Role) -> None:
        port = free_port_pair()
        command = ["-m", "tests.bench.ours", role, str(port)]
        self._running.append((role, port, begin(command, self._environment)))


@contextmanager
def our_workers(
    ground: Ground,
    folder: Path,
    detector: str,
    copies: int = 1,
    settings: Mapping[str, str] | None = None,
) -> Iterator[OurWorkers]:
    """Our workers, ready; stopped when the context is left."""
    workers = OurWorkers(ground, folder, detector, copies, settings)
    try:
        workers.start()
        yield workers
    finally:
        workers.stop()


if __name__ == "__main__":
    role, port = sys.argv[1:]
    worker = load_settings(web_port=int(port))
    if folder := os.environ.get(PROFILE):
        Profile(Path(folder) / "begin", Path(folder) / f"{role}.json")
    detector_of = {"null": NullDetector, "model": Detector}[os.environ[_DETECTOR]]
    run_worker(worker, worker.bootstrap_servers or "", Role(role), detector=detector_of)
