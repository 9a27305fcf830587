"""What measurements stand on: fresh brokers, processes and their CPU time, parts of a job."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import psutil
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from schemas import Codec, RiskAssessed, topics
from topology.broker import EmbeddedBroker, die_with_parent
from topology.settings import Settings
from topology.topic_admin import TopicsNotApplied, apply_topics

from .job import END, Part, Source

BrokerKind = Literal["embedded", "kafka"]
MEMORY_MB = 6000
_LIMIT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Ground:
    """A broker that holds nothing but the topics."""

    kind: BrokerKind
    bootstrap: str
    pids: tuple[int, ...]
    partitions: int

    @property
    def fetch_wait_ms(self) -> int:
        """For readers that are to be told at once and cost the brokers little: the embedded one
        holds a fetch to the end."""
        return 20 if self.kind == "embedded" else 500


def kafka_missing() -> str | None:
    """Why there is no real Kafka here, if there is none."""
    from deploy.kafka.jars import kafka_missing as missing  # noqa: PLC0415  # needs Java

    return missing()


@contextmanager
def fresh_ground(kind: BrokerKind, partitions: int = 8) -> Iterator[Ground]:
    """A broker of ``kind`` for as long as the context lasts, with topics of ``partitions``."""
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="firebreak-bench")))
        if kind == "embedded":
            settings = Settings(runtime_dir=folder, broker_memory_limit_mb=MEMORY_MB)
            broker = running.enter_context(EmbeddedBroker(settings))
            bootstrap, pids = broker.bootstrap, [broker.pid]
        else:
            from deploy.kafka.cluster import KafkaCluster  # noqa: PLC0415  # needs Java
            from deploy.kafka.process import QUICK_START  # noqa: PLC0415

            # Java's second compiler would take half of two cores for minutes.
            cluster = running.enter_context(
                KafkaCluster(folder / "kafka", java_options=QUICK_START)
            )
            bootstrap, pids = cluster.bootstrap, list(cluster.pids.values())
        settings = Settings(runtime_dir=folder, bootstrap_servers=bootstrap)
        _apply_topics(settings, bootstrap, partitions)
        yield Ground(kind, bootstrap, tuple(pids), partitions)


def _apply_topics(settings: Settings, bootstrap: str, partitions: int) -> None:
    """A thousand partitions take a busy broker longer than an operator is kept waiting."""
    deadline = time.monotonic() + _LIMIT_SECONDS
    while True:
        try:
            apply_topics(settings, bootstrap, partitions=partitions)
            return
        except TopicsNotApplied:
            if time.monotonic() > deadline:
                raise


def begin(
    command: Sequence[str], environment: Mapping[str, str], prefix: Sequence[str] = ()
) -> subprocess.Popen[bytes]:
    """Run ``command`` with this Python, behind ``prefix``; it ends with this process."""
    return subprocess.Popen(
        [*prefix, sys.executable, *command],
        env={**os.environ, **environment},
        preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509  # one system call
    )


def end(running: Sequence[subprocess.Popen[bytes]]) -> None:
    """Stop processes, by force where they take too long."""
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def processes(
    commands: Sequence[Sequence[str]], environment: Mapping[str, str]
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """``commands`` run side by side with this Python, ended when the context is left."""
    running: list[subprocess.Popen[bytes]] = []
    try:
        running += (begin(command, environment) for command in commands)
        yield running
    finally:
        end(running)


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time of the processes and of all that they started."""
    total = 0.0
    for pid in pids:
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            times = one.cpu_times()
            total += times.user + times.system
    return total


@dataclass(frozen=True, slots=True)
class Cost:
    """What a part took: seconds, of CPU for the processes measured and for the brokers."""

    frames: int
    wall: float
    cpu: float
    broker_cpu: float


class Risks:
    """Reads the risks as they come, so that it is known when a part is done."""

    def __init__(self, ground: Ground) -> None:
        self._codec = Codec()
        self._ground = ground
        self._consumer = Consumer(
            {
                "bootstrap.servers": ground.bootstrap,
                "group.id": "bench",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": ground.fetch_wait_ms,
            }
        )
        self._consumer.assign(
            [
                TopicPartition(topics.RISK, number, OFFSET_BEGINNING)
                for number in range(ground.partitions)
            ]
        )
        self.told: dict[str, RiskAssessed] = {}
        """By id."""

    def wait_for(self, part: Part) -> None:
        """Return once every partition has told of the end of ``part``. Raises ``TimeoutError``."""
        wanted = {frame.stream_id for frame in part.ends}
        wanted -= {risk.stream_id for risk in self.told.values()}
        deadline = time.monotonic() + _LIMIT_SECONDS
        while wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no risk of {sorted(wanted)}")
            for message in self._consumer.consume(500, timeout=0.02):
                if message.error() is None:
                    risk = self._codec.decode(message.value(), RiskAssessed)
                    self.told[risk.id] = risk
                    wanted.discard(risk.stream_id)

    def of_streams(self) -> set[str]:
        """The ids of all risks but those of the parts' ends."""
        return {key for key, it in self.told.items() if not it.stream_id.startswith(END)}

    def close(self) -> None:
        self._consumer.close()


def measure(ground: Ground, pids: Sequence[int], source: Source, risks: Risks, part: Part) -> Cost:
    """What ``part`` takes the processes ``pids``, from its first frame to its last risk."""
    cpu, broker, began = cpu_seconds(pids), cpu_seconds(ground.pids), time.monotonic()
    source.send(part)
    risks.wait_for(part)
    return Cost(
        len(part.frames) + len(part.ends),
        time.monotonic() - began,
        cpu_seconds(pids) - cpu,
        cpu_seconds(ground.pids) - broker,
    )


def spread(figures: Sequence[float], digits: int = 3) -> dict[str, float]:
    """Median, least and most."""
    return {
        "median": round(statistics.median(figures), digits),
        "least": round(min(figures), digits),
        "most": round(max(figures), digits),
    }
