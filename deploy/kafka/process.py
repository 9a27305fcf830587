"""A node's process: its data formatted once, then started, stopped, killed, paused, resumed."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from functools import partial

import psutil

from topology.broker import die_with_parent
from topology.errors import OperatorError

from .jars import HERE, classpath, java
from .node import Node

QUICK_START = ("-XX:TieredStopAtLevel=1",)
"""Options of Java: half the work to start, and slower later. For what does little."""
_FORMAT_SECONDS = 60.0
_TAIL_COLUMNS = 300
_TAIL_LINES = 40
_TAIL_BYTES = 16 * 1024


class ClusterNotStarted(OperatorError):
    """The cluster, or one broker of it, did not come up; with the tail of its log."""


class BrokerNotRunning(OperatorError):
    """What was asked for needs a broker that runs."""


class BrokerProcess:
    """A node's process; there may be several one after the other. Not safe between threads."""

    def __init__(self, node: Node, heap_mb: int, java_options: Sequence[str]) -> None:
        self.node = node
        self._options = (
            f"-Xmx{heap_mb}m",
            # On a few cores and a small heap, other collectors cost more than they save.
            "-XX:+UseSerialGC",
            # A broker without memory half lives on; this one ends, and is seen to.
            "-XX:+ExitOnOutOfMemoryError",
            # All that a process leaves behind when it is killed is to be in its own folder.
            "-XX:-UsePerfData",
            f"-XX:ErrorFile={node.folder}/java-error.log",
            f"-Djava.io.tmpdir={node.folder}",
            f"-Dlog4j2.configurationFile={HERE / 'log4j2.xml'}",
            *java_options,
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """``None`` while it does not run. One that is paused runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def listens(self) -> bool:
        """Whether its listeners for clients and for brokers are open, and not another process's:
        each opens by itself, and a client that can't sign in could not tell."""
        wanted = {self.node.clients_port, self.node.brokers_port}
        try:
            sockets = psutil.Process(self.pid).net_connections("tcp") if self.pid else []
        except psutil.NoSuchProcess:
            return False
        return wanted <= {s.laddr.port for s in sockets if s.status == psutil.CONN_LISTEN}

    def begin_format(self, cluster_id: str, controllers: str) -> subprocess.Popen[bytes]:
        """Have the node's folder made a member of the cluster; ``end_format`` waits for it."""
        return self._run(
            *QUICK_START,
            "kafka.tools.StorageTool",
            "format",
            f"--config={self.node.properties_file}",
            f"--cluster-id={cluster_id}",
            f"--initial-controllers={controllers}",
        )

    def end_format(self, formatting: subprocess.Popen[bytes]) -> None:
        """Raises ``ClusterNotStarted``."""
        try:
            code = formatting.wait(_FORMAT_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise ClusterNotStarted(
                f"formatting took more than {_FORMAT_SECONDS:g} s{self.last_words()}"
            ) from error
        if code != 0:
            raise ClusterNotStarted(f"formatting ended with {code}{self.last_words()}")

    def start(self) -> None:
        """Only starts it: it takes seconds to answer. Raises ``ClusterNotStarted``."""
        if self.pid is not None:
            raise ClusterNotStarted(f"broker {self.node.id} runs already")
        self._process = self._run("kafka.Kafka", str(self.node.properties_file))

    def send(self, number: signal.Signals) -> None:
        """Raises ``BrokerNotRunning``."""
        if self._process is None or self.pid is None:
            raise BrokerNotRunning(f"broker {self.node.id} does not run")
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would; gone when this returns. No matter if it is already."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def begin_stop(self) -> None:
        """Ask it to end in its own time; wakes it where it is paused."""
        if self.pid is not None:
            self.send(signal.SIGTERM)
            self.send(signal.SIGCONT)

    def end_stop(self, seconds: float) -> None:
        """Wait until it has ended; kill it after that long."""
        if self._process is not None:
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()

    def ended(self) -> str | None:
        """How it ended, where it did."""
        code = None if self._process is None else self._process.poll()
        return None if code is None else f"broker {self.node.id} ended with {code}"

    def last_words(self) -> str:
        """The tail of its log, to follow a message."""
        try:
            with self.node.log_file.open("rb") as log:
                log.seek(max(log.seek(0, os.SEEK_END) - _TAIL_BYTES, 0))
                lines = log.read().decode(errors="replace").splitlines()[-_TAIL_LINES:]
        except FileNotFoundError:
            lines = []
        lines = [line[:_TAIL_COLUMNS] for line in lines]
        return "; it said nothing" if not lines else "; its log ends with\n" + "\n".join(lines)

    def _run(self, *arguments: str) -> subprocess.Popen[bytes]:
        # Linux ties its life to the thread that starts it.
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("a broker has to be started on the main thread")
        command = [java(), *self._options, "-classpath", classpath(), *arguments]
        with self.node.log_file.open("ab") as log:
            try:
                return subprocess.Popen(  # noqa: S603  # Java by its path
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={"LC_ALL": "C.UTF-8"},  # some of Java's own variables add options
                    cwd=self.node.folder,
                    start_new_session=True,  # Ctrl-C in the terminal is for the owner
                    preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509  # one system call
                )
            except OSError as error:
                raise ClusterNotStarted(f"java can't be run: {error}") from error
