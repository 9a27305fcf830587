"""Workers of one role by hand: a test decides when one starts and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.decision.defaults import DEFAULT_POLICY_FILE
from tests import signed_in
from tests.e2e.support import READY_SECONDS, free_port_pair, get
from tests.waiting import wait_until
from topology.app import Role

PATIENT = (
    ("takedowns =", "takedowns = 1000"),
    ("share_at_risk =", "share_at_risk = 1.0"),
    ("takedown_within =", 'takedown_within = "1 h"'),
    ("escalation_within =", 'escalation_within = {elevated="1 h", high="1 h", critical="1 h"}'),
)
"""A policy under which neither the breaker nor time decides anything while a test runs."""


class Workers:
    """Workers of ``role`` under ``policy``, all ready once ``start`` returns; ``environment`` is
    what theirs has besides this process's own."""

    def __init__(
        self,
        bootstrap: str,
        runtime_dir: Path,
        policy: Path = DEFAULT_POLICY_FILE,
        *,
        role: Role = Role.JUDGEMENT,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._role = role
        self._environment = {
            **os.environ,
            "FIREBREAK_BOOTSTRAP_SERVERS": bootstrap,
            "FIREBREAK_RUNTIME_DIR": str(runtime_dir),
            "FIREBREAK_WEB_KEY": signed_in.KEY,
            "FIREBREAK_POLICY": str(policy),
            **(environment or {}),
        }
        self.running: list[tuple[subprocess.Popen[bytes], str]] = []

    def start(self) -> None:
        """Start one more, and wait until it and the others take part in the group."""
        port = free_port_pair()
        command = [sys.executable, "-m", "topology", "worker", self._role]
        worker = subprocess.Popen([*command, "--web-port", str(port)], env=self._environment)
        self.running.append((worker, f"http://127.0.0.1:{port}"))
        wait_until(self.ready, READY_SECONDS, about=self.told)

    def ready(self) -> bool:
        return all(get(f"{url}/ready").get("ready") for _, url in self.running)

    def told(self) -> list[object]:
        """What each says of itself: nothing from one that has ended or is not ready."""
        return [(worker.poll(), get(f"{url}/ready")) for worker, url in self.running]

    def status(self) -> list[dict[str, Any]]:
        """What each runs and has counted."""
        return [get(f"{url}/api/v1/worker") for _, url in self.running]

    def end(self, which: int, how: signal.Signals) -> None:
        worker, _ = self.running.pop(which)
        worker.send_signal(how)
        worker.wait(30)

    def end_all(self) -> None:
        while self.running:
            self.end(0, signal.SIGKILL)


def policy_file(path: Path, *changes: tuple[str, str]) -> Path:
    """The default policy with ``changes``, each a line's start and what the line is instead."""
    lines = DEFAULT_POLICY_FILE.read_text().splitlines()
    for start, instead in changes:
        found = [number for number, line in enumerate(lines) if line.startswith(start)]
        assert found, start
        for number in found:
            lines[number] = instead
    path.write_text("\n".join(lines))
    return path
