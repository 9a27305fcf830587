"""The brokers that tests run on: the embedded one, or with ``--broker kafka`` Apache Kafka."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import psutil

from deploy.kafka.cluster import KafkaCluster
from tests.waiting import wait_until
from topology.broker import EmbeddedBroker
from topology.settings import Settings

BrokerKind = Literal["embedded", "kafka"]
BROKERS: tuple[BrokerKind, ...] = ("embedded", "kafka")
_STOP_SECONDS = 10.0


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
        # A thread that waits for a CPU as the signal comes answers for a little longer.
        wait_until(lambda: _stopped(pid), _STOP_SECONDS)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _stopped(pid: int) -> bool:
    threads = psutil.Process(pid).threads()
    return all(psutil.Process(it.id).status() == psutil.STATUS_STOPPED for it in threads)
