"""The brokers that tests run on: the embedded one, or with ``--broker kafka`` Apache Kafka."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from deploy.kafka.cluster import KafkaCluster
from topology.broker import EmbeddedBroker
from topology.settings import Settings

BrokerKind = Literal["embedded", "kafka"]
BROKERS: tuple[BrokerKind, ...] = ("embedded", "kafka")


@contextmanager
def running_broker(kind: BrokerKind, folder: Path) -> Iterator[str]:
    """``host:port`` of a broker that has nothing on it yet. Raises ``KafkaMissing``."""
    if kind == "kafka":
        with KafkaCluster(folder / "kafka") as cluster:
            yield cluster.bootstrap
            assert cluster.ended() == []
    else:
        with EmbeddedBroker(Settings(runtime_dir=folder)) as broker:
            yield broker.bootstrap
            broker.check()


@contextmanager
def paused(pid: int) -> Iterator[None]:
    """It answers nothing, and forgets nothing."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
