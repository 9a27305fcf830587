"""Worker processes of one machine: started, started again when they end, stopped together."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from .app import Role
from .broker import die_with_parent
from .errors import OperatorError
from .settings import Settings

_ROLES = (Role.JUDGEMENT, Role.DETECTION)
_STOP_SECONDS = 15.0
_BACKOFF_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)


class WebPortTaken(OperatorError):
    """Another process listens where a worker's web server should."""


@dataclass
class _Member:
    role: Role
    web_port: int
    process: subprocess.Popen[bytes]
    restarts: int = 0
    start_at: float | None = None


@dataclass
class Fleet:
    """One worker for each role. The judgement worker has the settings' web port, others follow.

    ``check`` has to be called every now and then: it starts again what has ended, later each
    time. Workers end with this process, however it ends (on Linux).
    """

    settings: Settings
    bootstrap: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the workers' environment has besides this process's own."""
    _members: list[_Member] = field(default_factory=list)

    def __enter__(self) -> Fleet:
        ports = [self.settings.web_port + offset for offset in range(len(_ROLES))]
        for port in ports:
            _require_free(self.settings.web_host, port)
        for role, port in zip(_ROLES, ports, strict=True):
            self._members.append(_Member(role, port, self._start(role, port)))
        return self

    def __exit__(self, *exc_info: object) -> None:
        for member in self._members:
            member.process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for member in self._members:
            try:
                member.process.wait(max(deadline - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                member.process.kill()
                member.process.wait()

    @property
    def web_urls(self) -> dict[Role, str]:
        """Where each role's web server listens."""
        host = self.settings.web_host
        return {member.role: f"http://{host}:{member.web_port}" for member in self._members}

    @property
    def pids(self) -> dict[Role, int]:
        return {member.role: member.process.pid for member in self._members}

    def check(self) -> list[str]:
        """Start again what has ended; one line for each worker found ended."""
        ended = []
        for member in self._members:
            if member.process.poll() is None:
                continue
            if member.start_at is None:
                delay = _BACKOFF_SECONDS[min(member.restarts, len(_BACKOFF_SECONDS) - 1)]
                member.start_at = time.monotonic() + delay
                code = member.process.returncode
                ended.append(f"{member.role} worker ended with {code}, again in {delay:g} s")
            elif time.monotonic() >= member.start_at:
                member.process = self._start(member.role, member.web_port)
                member.restarts += 1
                member.start_at = None
        return ended

    def _start(self, role: Role, web_port: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "topology", "worker", role, "--web-port", str(web_port)],
            env={**os.environ, **self.environment, "FIREBREAK_BOOTSTRAP_SERVERS": self.bootstrap},
            preexec_fn=partial(die_with_parent, os.getpid()),
        )


def _require_free(host: str, port: int) -> None:
    """Told before anything starts: a worker would only find it out, end, and be started again."""
    with socket.socket() as probe:
        # As servers do, so that a port in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise WebPortTaken(
                f"{host}:{port}: {error.strerror}; set FIREBREAK_WEB_PORT to the first of "
                f"{len(_ROLES)} free ports"
            ) from error
