"""A node of a cluster, and its configuration: broker and controller in one process.

Clients, brokers and controllers have a listener each. So a test can secure or cut off what
clients use and leave replication alone, or the other way round; and the cluster can be asked how
it does over the brokers' listeners, whatever clients need to get in.

What is not named here is as Kafka has it by default.
"""

from __future__ import annotations

import base64
import socket
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom

HOST = "127.0.0.1"

# Below the ports that Linux lends to outgoing connections: one of those could hold a killed
# broker's port when it is started again.
_PORTS = range(20_000, 32_000)
_CLEANER_BYTES = 16 * 1024 * 1024
_REPLICAS = 3
SESSION_MS = 6_000
"""After so long the others give a broker up that says nothing."""


@dataclass(frozen=True, slots=True)
class Node:
    """Where a node has its things. Its listeners are CLIENTS, BROKERS and CONTROLLERS."""

    id: int
    """From 1."""
    folder: Path
    """Its data, configuration, log and temporary files."""
    directory_id: str
    """What the quorum knows its data by."""
    clients_port: int
    brokers_port: int
    controllers_port: int

    @property
    def clients_address(self) -> str:
        return f"{HOST}:{self.clients_port}"

    @property
    def brokers_address(self) -> str:
        return f"{HOST}:{self.brokers_port}"

    @property
    def controllers_address(self) -> str:
        return f"{HOST}:{self.controllers_port}"

    @property
    def log_file(self) -> Path:
        return self.folder / "broker.log"

    @property
    def properties_file(self) -> Path:
        return self.folder / "broker.properties"


def place_nodes(count: int, folder: Path) -> tuple[Node, ...]:
    """Nodes that don't exist yet, on ports that were free just now."""
    ports = iter(_free_ports(3 * count))
    return tuple(
        Node(number, folder / f"broker-{number}", new_id(), next(ports), next(ports), next(ports))
        for number in range(1, count + 1)
    )


def new_id() -> str:
    """A Kafka UUID: 22 characters of base64. None begins with a dash, as an option does."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()).startswith("-"):
        pass
    return text.rstrip("=")


def initial_controllers(nodes: tuple[Node, ...]) -> str:
    """The first quorum, in the form that formatting takes."""
    return ",".join(f"{node.id}@{node.controllers_address}:{node.directory_id}" for node in nodes)


def broker_properties(node: Node, nodes: tuple[Node, ...]) -> dict[str, str]:
    """The configuration of one of ``nodes``; every listener is plain.

    With three nodes or more, records are on three of them, and a record that is acknowledged
    (``acks=all``) on two at least.
    """
    replicas = min(len(nodes), _REPLICAS)
    least = max(replicas - 1, 1)
    listeners = (
        f"CLIENTS://{node.clients_address},BROKERS://{node.brokers_address},"
        f"CONTROLLERS://{node.controllers_address}"
    )
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.id),
        "controller.quorum.bootstrap.servers": ",".join(n.controllers_address for n in nodes),
        "listeners": listeners,
        "listener.security.protocol.map": (
            "CLIENTS:PLAINTEXT,BROKERS:PLAINTEXT,CONTROLLERS:PLAINTEXT"
        ),
        "inter.broker.listener.name": "BROKERS",
        "controller.listener.names": "CONTROLLERS",
        "log.dirs": str(node.folder / "data"),
        "auto.create.topics.enable": "false",
        "default.replication.factor": str(replicas),
        "min.insync.replicas": str(least),
        "offsets.topic.replication.factor": str(replicas),
        "transaction.state.log.replication.factor": str(replicas),
        "transaction.state.log.min.isr": str(least),
        "share.coordinator.state.topic.replication.factor": str(replicas),
        "share.coordinator.state.topic.min.isr": str(least),
        # What a dead broker has to acknowledge waits until it is given up, which is everywhere: by
        # default after nine seconds.
        "broker.session.timeout.ms": str(SESSION_MS),
        "broker.heartbeat.interval.ms": str(SESSION_MS // 6),
        # The first member of a group need not wait for others: tests start few.
        "group.initial.rebalance.delay.ms": "0",
        # On the heap from the start; 128 MiB by default.
        "log.cleaner.dedupe.buffer.size": str(_CLEANER_BYTES),
    }


def properties_text(properties: Mapping[str, str]) -> str:
    """As a Java properties file, to be written in Latin-1; values may have several lines."""
    return "".join(f"{key}={_escaped(value)}\n" for key, value in properties.items())


def _escaped(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")
    return "\\ " + escaped[1:] if escaped.startswith(" ") else escaped


def _free_ports(count: int) -> list[int]:
    """Different ports, all free just now."""
    ports: list[int] = []
    choice = SystemRandom()
    with ExitStack() as held:
        while len(ports) < count:
            probe = held.enter_context(socket.socket())
            port = choice.choice(_PORTS)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            ports.append(port)
    return ports
