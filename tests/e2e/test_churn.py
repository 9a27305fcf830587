"""Judgement workers come and go, killed and stopped, and nothing is lost or decided otherwise.

The reference is computed by the pure cores from the detections topic itself.

A worker ends in the midst of work, but not while the group is forming: the embedded broker's
coordinator (Tansu 0.6.0) then keeps waiting for the group's leader although it is gone, and lets
the others join the same generation again and again.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.aggregation.risk import PartitionWindows
from agents.aggregation.windows import WindowSpec
from agents.decision.machine import SessionDecision, decide
from agents.decision.policy import DEFAULT_POLICY
from schemas import DetectionsMade, EscalationRaised, RiskAssessed, TakedownRequested, topics
from tests.builders import SECOND, detection, detections_made
from tests.e2e.support import CODEC, READY_SECONDS, Reader, free_port_pair, get, produce
from tests.waiting import wait_until
from topology.app import Role
from topology.broker import EmbeddedBroker
from topology.settings import Settings
from topology.topic_admin import apply_topics

pytestmark = pytest.mark.e2e
STREAMS = 64
FRAMES = 60
ROUNDS = 4


def batches() -> Iterator[tuple[bytes, DetectionsMade]]:
    """Detections of all streams in the order of event time; every fourth stream is an attack."""
    start = int(time.time() - FRAMES / 2) * SECOND
    for number in range(FRAMES):
        for stream in range(STREAMS):
            armed = stream % 4 == 0 and number > 20
            item = detection(
                number,
                0.9 if armed else 0.01 * (stream % 3),
                stream_id=f"stream-{stream}",
                captured_at=start + number * SECOND // 2,
                appended_at=start + number * SECOND // 2,
                offset=number * STREAMS + stream,
            )
            yield f"stream-{stream}".encode(), detections_made(item, frame_partition=stream % 8)


class Workers:
    """Judgement workers by hand: the churn decides when one starts and how it ends."""

    def __init__(self, bootstrap: str, runtime_dir: Path) -> None:
        self._environment = {
            **os.environ,
            "FIREBREAK_BOOTSTRAP_SERVERS": bootstrap,
            "FIREBREAK_RUNTIME_DIR": str(runtime_dir),
        }
        self.running: list[tuple[subprocess.Popen[bytes], str]] = []

    def start(self) -> None:
        """Start one more, and wait until it and the others take part in the group."""
        port = free_port_pair()
        command = [sys.executable, "-m", "topology", "worker", Role.JUDGEMENT]
        worker = subprocess.Popen([*command, "--web-port", str(port)], env=self._environment)
        self.running.append((worker, f"http://127.0.0.1:{port}"))
        wait_until(self.ready, READY_SECONDS, about=self.told)

    def ready(self) -> bool:
        return all(get(f"{url}/ready").get("ready") for _, url in self.running)

    def told(self) -> list[object]:
        """What each says of itself: nothing from one that has ended or is not ready."""
        return [(worker.poll(), get(f"{url}/ready")) for worker, url in self.running]

    def end(self, which: int, how: signal.Signals) -> None:
        worker, _ = self.running.pop(which)
        worker.send_signal(how)
        worker.wait(30)

    def end_all(self) -> None:
        while self.running:
            self.end(0, signal.SIGKILL)


def test_workers_that_come_and_go_lose_nothing_and_decide_the_same(tmp_path: Path) -> None:
    chance = random.Random(7)
    settings = Settings(runtime_dir=tmp_path)
    with EmbeddedBroker(settings) as broker:
        apply_topics(settings, broker.bootstrap)
        workers = Workers(broker.bootstrap, tmp_path / "made by the worker")
        try:
            workers.start()
            workers.start()
            records = [(key, CODEC.encode(batch)) for key, batch in batches()]
            share = len(records) // ROUNDS
            for at in range(0, len(records), share):
                _work_through(broker.bootstrap, records, slice(at, at + share), workers, chance)
                workers.start()
            _compare(broker.bootstrap)
        finally:
            workers.end_all()
        broker.check()


def _work_through(
    bootstrap: str,
    records: list[tuple[bytes, bytes]],
    share: slice,
    workers: Workers,
    chance: random.Random,
) -> None:
    """Produce a share of ``records``, end a worker in its midst, and see the others finish."""
    with Reader(bootstrap, RiskAssessed) as risks, Reader(bootstrap, DetectionsMade) as detections:
        expected = _reference(detections, share.start)
        wait_until(lambda: not _missing(expected, risks), 30)
        produce(bootstrap, topics.DETECTIONS, records[share])
        wait_until(lambda: len(risks.events()) > len(expected), 60)
        how = chance.choice([signal.SIGKILL, signal.SIGTERM])
        workers.end(chance.randrange(len(workers.running)), how)
        expected = _reference(detections, share.stop)
        wait_until(lambda: not _missing(expected, risks), 60, about=workers.told)


def _compare(bootstrap: str) -> None:
    with (
        Reader(bootstrap, DetectionsMade) as detections,
        Reader(bootstrap, RiskAssessed) as risks,
        Reader(bootstrap, TakedownRequested) as takedowns,
        Reader(bootstrap, EscalationRaised) as escalations,
    ):
        expected = _reference(detections, STREAMS * FRAMES)
        effects = _effects(expected)
        assert _missing(expected, risks) == []
        wait_until(lambda: effects.keys() <= _by_id(takedowns, escalations).keys(), 60)
        assert {risk.risk_id for risk in risks.events()} == expected.keys()
        for risk in risks.events():
            assert risk == expected[risk.risk_id]
        assert _by_id(takedowns, escalations) == effects


def _missing(expected: dict[str, RiskAssessed], risks: Reader) -> list[tuple[int, int]]:
    """Frame partition and offset of each risk that has not come."""
    told = {risk.risk_id for risk in risks.events()}
    lost = [expected[risk_id].cause for risk_id in expected.keys() - told]
    return sorted((cause.partition, cause.offset) for cause in lost)


def _reference(detections: Reader, count: int) -> dict[str, RiskAssessed]:
    """The risks of all ``count`` detections so far, by id."""
    wait_until(lambda: len(detections.events()) == count, 30)
    partitions: dict[int, PartitionWindows] = {}
    expected = {}
    for message, batch in zip(detections.messages, detections.events(), strict=True):
        partition, offset = message.partition(), message.offset()
        assert partition is not None
        assert offset is not None
        windows = partitions.setdefault(partition, PartitionWindows(WindowSpec()))
        for risk in windows.observe(batch, offset):
            expected[risk.risk_id] = risk
    return expected


def _effects(risks: dict[str, RiskAssessed]) -> dict[str, TakedownRequested | EscalationRaised]:
    known: dict[str, SessionDecision] = {}
    effects: dict[str, TakedownRequested | EscalationRaised] = {}
    for risk in risks.values():
        decision = decide(DEFAULT_POLICY, known.get(risk.stream_id), risk)
        known[risk.stream_id] = decision.state
        effects |= {_id(effect): effect for effect in decision.effects}
    return effects


def _by_id(
    takedowns: Reader, escalations: Reader
) -> dict[str, TakedownRequested | EscalationRaised]:
    return {_id(event): event for event in [*takedowns.events(), *escalations.events()]}


def _id(effect: TakedownRequested | EscalationRaised) -> str:
    return effect.takedown_id if isinstance(effect, TakedownRequested) else effect.escalation_id
