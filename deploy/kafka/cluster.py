"""A cluster of Apache Kafka on loopback: started, broken on purpose, stopped, its folder removed.

    with KafkaCluster(folder, brokers=3) as kafka:
        apply_topics(settings, kafka.bootstrap)
        kafka.kill(2)
        kafka.start_broker(2)

On Linux the kernel ends the brokers with the process that started them, even one ended by
SIGKILL; then only the folder stays.
"""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from .jars import KafkaMissing, kafka_missing
from .node import (
    Node,
    broker_properties,
    initial_controllers,
    new_id,
    place_nodes,
    properties_text,
)
from .process import BrokerProcess, ClusterNotStarted

READY_SECONDS = 90.0
"""Most that brokers may take to answer. It is long for machines that are busy with other things."""
_STOP_SECONDS = 15.0
"""Without a quorum, as the last ones are, a broker takes five seconds to give up."""
_POLL_SECONDS = 0.3
_PORT_ATTEMPTS = 3
_PORT_TAKEN = "Address already in use"

Properties = Callable[[Node], Mapping[str, str]]
"""Of one broker: they come on top of ``broker_properties`` and win."""


def _as_they_are(_: Node) -> Mapping[str, str]:
    return {}


class KafkaCluster:
    """Brokers with the numbers 1 to ``brokers``, each a controller too.

    ``folder`` must be empty or not exist. ``heap_mb`` is each broker's, by default 1024 for one
    broker and 512 for several. ``properties`` gives a broker's own configuration, such as secured
    listeners, and is asked again at every start; ``java_options`` (``QUICK_START``, say) go to all.
    To be used on the main thread.
    """

    nodes: tuple[Node, ...]

    def __init__(
        self,
        folder: Path,
        brokers: int = 1,
        *,
        heap_mb: int | None = None,
        properties: Properties = _as_they_are,
        java_options: Sequence[str] = (),
    ) -> None:
        self._folder = folder.absolute()
        self._count = brokers
        self._heap_mb = heap_mb or (1024 if brokers == 1 else 512)
        self._properties = properties
        self._java_options = tuple(java_options)
        self._processes: dict[int, BrokerProcess] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    @property
    def bootstrap(self) -> str:
        """``host:port,…`` for clients: all brokers, running or not."""
        return ",".join(node.clients_address for node in self.nodes)

    @property
    def brokers_bootstrap(self) -> str:
        """``host:port,…`` of the listeners between brokers: plain where ``properties`` left them
        so, for a test to administer a cluster whose clients have to sign in."""
        return ",".join(node.brokers_address for node in self.nodes)

    @property
    def pids(self) -> dict[int, int]:
        """The processes of the brokers that run, paused ones too, by number."""
        found = ((number, process.pid) for number, process in self._processes.items())
        return {number: pid for number, pid in found if pid is not None}

    def start(self) -> None:
        """Return once all brokers are registered and answer.

        Raises ``KafkaMissing``, and ``ClusterNotStarted`` with the log's tail.
        """
        if (missing := kafka_missing()) is not None:
            raise KafkaMissing(missing)
        if self._folder.exists() and any(self._folder.iterdir()):
            raise ClusterNotStarted(f"{self._folder} is not empty, and would be removed at the end")
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            try:
                self._start()
            except ClusterNotStarted as error:
                self.stop()
                if attempt == _PORT_ATTEMPTS or _PORT_TAKEN not in str(error):
                    raise
            except BaseException:
                self.stop()
                raise
            else:
                return

    def stop(self) -> None:
        """End all brokers, in their own time at first, and remove the folder.

        Does nothing where none was started: then the folder may be somebody else's.
        """
        if not self._processes:
            return
        deadline = time.monotonic() + _STOP_SECONDS
        for process in self._processes.values():
            process.begin_stop()
        for process in self._processes.values():
            process.end_stop(max(deadline - time.monotonic(), 0))
        self._processes = {}
        shutil.rmtree(self._folder, ignore_errors=True)

    def kill(self, broker: int) -> None:
        """SIGKILL; gone when this returns. The others learn of it when its session runs out
        (``node.SESSION_MS``)."""
        self._processes[broker].kill()

    def stop_broker(self, broker: int) -> None:
        """SIGTERM: it hands its partitions over and ends. Killed if that takes too long."""
        self._processes[broker].begin_stop()
        self._processes[broker].end_stop(_STOP_SECONDS)

    def start_broker(self, broker: int) -> None:
        """Start one that has ended, with the data and ports it had, and wait until it is back.

        Its replicas may still be catching up. Raises ``ClusterNotStarted``.
        """
        process = self._processes[broker]
        self._configure(process.node)
        process.start()
        self._await_ready([process])

    def pause(self, broker: int) -> None:
        """SIGSTOP: it holds its connections and says nothing. Raises ``BrokerNotRunning``."""
        self._processes[broker].send(signal.SIGSTOP)

    def resume(self, broker: int) -> None:
        """SIGCONT. Raises ``BrokerNotRunning``."""
        self._processes[broker].send(signal.SIGCONT)

    def ended(self) -> list[str]:
        """One line for each broker that does not run now, and how it ended."""
        lines = (process.ended() for process in self._processes.values())
        return [line for line in lines if line is not None]

    def _start(self) -> None:
        self.nodes = place_nodes(self._count, self._folder)
        self._processes = {
            node.id: BrokerProcess(node, self._heap_mb, self._java_options) for node in self.nodes
        }
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for node in self.nodes:
            node.folder.mkdir(mode=0o700)
            self._configure(node)
        self._format()
        for process in self._processes.values():
            process.start()
        self._await_ready(self._processes.values())

    def _configure(self, node: Node) -> None:
        properties = broker_properties(node, self.nodes)
        properties |= self._properties(node)
        node.properties_file.write_text(
            properties_text(properties), encoding="latin-1", errors="backslashreplace"
        )

    def _format(self) -> None:
        """All at the same time: most of it is Java's own start."""
        cluster_id, controllers = new_id(), initial_controllers(self.nodes)
        with ExitStack() as running:
            formatting = []
            for process in self._processes.values():
                begun = process.begin_format(cluster_id, controllers)
                running.callback(begun.wait)
                running.callback(begun.kill)
                formatting.append((process, begun))
            for process, begun in formatting:
                process.end_format(begun)

    def _await_ready(self, processes: Iterable[BrokerProcess]) -> None:
        """Wait until each of them answers by itself and lists all of them."""
        deadline = time.monotonic() + READY_SECONDS
        waiting = {process: _client(process.node) for process in processes}
        expected = {process.node.id for process in waiting}
        while waiting:
            for process, client in list(waiting.items()):
                if (ended := process.ended()) is not None:
                    raise ClusterNotStarted(f"{ended}{process.last_words()}")
                if time.monotonic() >= deadline:
                    raise ClusterNotStarted(
                        f"broker {process.node.id} was not ready within {READY_SECONDS:g} s"
                        f"{process.last_words()}"
                    )
                try:
                    listed = client.list_topics(timeout=_POLL_SECONDS).brokers
                except KafkaException:
                    continue
                if listed.keys() >= expected and process.listens():
                    del waiting[process]


def _client(node: Node) -> AdminClient:
    """It knows of no other broker when it first asks."""
    return AdminClient(
        {
            "bootstrap.servers": node.brokers_address,
            "reconnect.backoff.ms": 10,
            "reconnect.backoff.max.ms": 100,
            "log_level": 0,  # refused connections are expected
        }
    )
