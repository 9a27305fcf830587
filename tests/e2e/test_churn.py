"""Judgement workers come and go, killed and stopped, and nothing is lost or decided otherwise.

The reference is computed by the pure cores from the detections topic itself.
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
from tests.e2e.support import CODEC, Reader, free_port_pair, produce
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
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        port = str(free_port_pair())
        command = [sys.executable, "-m", "topology", "worker", Role.JUDGEMENT, "--web-port", port]
        self.running.append(subprocess.Popen(command, env=self._environment))

    def end(self, which: int, how: signal.Signals) -> None:
        worker = self.running.pop(which)
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
            with Reader(broker.bootstrap, RiskAssessed) as risks:
                for at in range(0, len(records), share):
                    told = len(risks.events())
                    produce(broker.bootstrap, topics.DETECTIONS, records[at : at + share])
                    # In the midst of it: the share has begun to be worked on and is not done.
                    wait_until(lambda told=told: len(risks.events()) > told, 60)  # type: ignore[misc]
                    how = chance.choice([signal.SIGKILL, signal.SIGTERM])
                    workers.end(chance.randrange(len(workers.running)), how)
                    workers.start()
            _compare(broker.bootstrap)
        finally:
            workers.end_all()
        broker.check()


def _compare(bootstrap: str) -> None:
    with (
        Reader(bootstrap, DetectionsMade) as detections,
        Reader(bootstrap, RiskAssessed) as risks,
        Reader(bootstrap, TakedownRequested) as takedowns,
        Reader(bootstrap, EscalationRaised) as escalations,
    ):
        wait_until(lambda: len(detections.events()) == STREAMS * FRAMES, 30)
        expected = _reference(detections)
        effects = _effects(expected)

        def missing() -> list[tuple[int, int]]:
            """Frame partition and offset of each risk that did not come."""
            told = {risk.risk_id for risk in risks.events()}
            lost = [expected[risk_id].cause for risk_id in expected.keys() - told]
            return sorted((cause.partition, cause.offset) for cause in lost)

        wait_until(lambda: not missing(), 120, about=missing)
        wait_until(lambda: effects.keys() <= _by_id(takedowns, escalations).keys(), 60)
        assert {risk.risk_id for risk in risks.events()} == expected.keys()
        for risk in risks.events():
            assert risk == expected[risk.risk_id]
        assert _by_id(takedowns, escalations) == effects


def _reference(detections: Reader) -> dict[str, RiskAssessed]:
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
