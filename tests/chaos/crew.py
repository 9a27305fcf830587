"""The workers that faults are done to: several of each role, each known by its process."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests import signed_in
from tests.bench.harness import begin
from tests.e2e.support import free_port_pair, get
from tests.e2e.workers import PATIENT, policy_file
from tests.waiting import wait_until
from topology.app import Role

from .ownership import Note, read_notes
from .worker import NOTES

READY_SECONDS = 120.0
_LOOK_SECONDS = 0.25
"""To be asked costs workers CPU, of which a test machine has little."""
STOP_SECONDS = 30.0
"""Longer than a worker may take: it is reported how long one took."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a worker runs, if not among the others: what its command is put behind, what its
    environment has besides, and where its pages are."""

    prefix: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    host: str = "127.0.0.1"


AMONG_THE_OTHERS = Place()


@dataclass
class Member:
    """One worker process."""

    role: Role
    process: subprocess.Popen[bytes]
    url: str
    runtime_dir: Path
    place: Place
    told_at: float | None = None
    """When it was told to stop, by the monotonic clock."""

    @property
    def pid(self) -> int:
        return self.process.pid

    def ready(self) -> bool:
        return bool(get(f"{self.url}/ready").get("ready"))

    def partitions(self) -> dict[str, list[int]]:
        """Which it has of each topic."""
        told: dict[str, list[int]] = get(f"{self.url}/api/v1/worker")["runs"]["partitions"]
        return told

    def tell_to_stop(self) -> float:
        """SIGTERM, once however often it is asked for; when that was, by the monotonic clock."""
        if self.told_at is None:
            self.told_at = time.monotonic()
            self.process.terminate()
        return self.told_at

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)


@dataclass
class Crew:
    """``copies`` workers of each role. They judge without a look at the frames."""

    bootstrap: str
    folder: Path
    copies: int
    members: list[Member] = field(default_factory=list)
    _started: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.policy = policy_file(self.folder / "policy.toml", *PATIENT)

    def __enter__(self) -> Crew:
        try:
            for role in Role:
                for _ in range(self.copies):
                    self.start(role)
            self.await_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for member in self.members:
            member.process.kill()
        for member in self.members:
            member.process.wait()
        self.members = []

    def notes(self) -> list[Note]:
        """What workers, also those that are gone, have noted of their partitions."""
        return read_notes(self.folder / "notes")

    def of(self, role: Role) -> list[Member]:
        return [member for member in self.members if member.role is role]

    def start(self, role: Role, place: Place = AMONG_THE_OTHERS) -> Member:
        """Start one more; it is not ready yet."""
        self._started += 1
        runtime_dir, port = self.folder / f"worker-{self._started}", free_port_pair()
        process = begin(
            ["-m", "tests.chaos.worker", role, str(port)],
            {
                "FIREBREAK_BOOTSTRAP_SERVERS": self.bootstrap,
                "FIREBREAK_RUNTIME_DIR": str(runtime_dir),
                "FIREBREAK_WEB_KEY": signed_in.KEY,
                "FIREBREAK_POLICY": str(self.policy),
                NOTES: str(self.folder / "notes"),
                "FIREBREAK_WEB_HOST": place.host,
                **place.environment,
            },
            place.prefix,
        )
        member = Member(role, process, f"http://{place.host}:{port}", runtime_dir, place)
        self.members.append(member)
        return member

    def kill(self, member: Member) -> None:
        """SIGKILL, and gone."""
        member.process.kill()
        member.process.wait()
        self.members.remove(member)

    def stop(self, member: Member) -> tuple[int, float]:
        """SIGTERM, unless it has had that: the exit code, and how many seconds it took to leave."""
        began = member.tell_to_stop()
        try:
            code = member.process.wait(max(began + STOP_SECONDS - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            member.process.kill()
            code = member.process.wait()
        self.members.remove(member)
        return code, time.monotonic() - began

    def replace_ended(self) -> int:
        """Start anew what has ended by itself, as whoever runs workers does; how many that were."""
        ended = [member for member in self.members if member.process.poll() is not None]
        for member in ended:
            self.members.remove(member)
            self.start(member.role, member.place)
        return len(ended)

    def await_ready(self) -> None:
        """Wait until all take part, and start anew those that end meanwhile."""

        def ready() -> bool:
            self.replace_ended()
            return all(member.ready() for member in self.members)

        wait_until(ready, READY_SECONDS, lambda: list(self._told()), _LOOK_SECONDS)

    def _told(self) -> Iterator[object]:
        for member in self.members:
            yield member.role, member.process.poll(), get(f"{member.url}/ready")


def forget_folder(member: Member) -> None:
    """All that the worker keeps on disk is gone while it runs."""
    for path in sorted(member.runtime_dir.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()
