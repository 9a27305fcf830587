"""Judgement workers come and go, killed and stopped, and nothing is lost or decided otherwise.

The reference is computed by the pure cores from the detections topic itself.

A worker ends in the midst of work, but not while the group is forming: the embedded broker's
coordinator (Tansu 0.6.0) then keeps waiting for the group's leader although it is gone, and lets
the others join the same generation again and again.
"""

from __future__ import annotations

import random
import signal
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.aggregation.risk import PartitionWindows
from agents.aggregation.windows import WindowSpec
from agents.decision.controls import Controls
from agents.decision.partition import PartitionDecisions
from agents.decision.policies import Policies
from agents.decision.policy import Policy
from schemas import (
    DetectionsMade,
    EscalationRaised,
    Event,
    ReferralPrepared,
    RiskAssessed,
    SamplingBoostRequested,
    TakedownRequested,
    topics,
)
from tests.brokers import BrokerKind, running_broker
from tests.builders import SECOND, detection, detections_made
from tests.e2e.support import CODEC, Reader, produce
from tests.e2e.workers import PATIENT, Workers, policy_file
from tests.waiting import wait_until
from topology.policies import load_policy
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


def test_workers_that_come_and_go_lose_nothing_and_decide_the_same(
    tmp_path: Path, broker_kind: BrokerKind
) -> None:
    chance = random.Random(7)
    settings = Settings(runtime_dir=tmp_path)
    with running_broker(broker_kind, tmp_path) as bootstrap:
        apply_topics(settings, bootstrap)
        policy = policy_file(tmp_path / "policy.toml", *PATIENT)
        workers = Workers(bootstrap, tmp_path / "made by the worker", policy)
        try:
            workers.start()
            workers.start()
            records = [(key, CODEC.encode(batch)) for key, batch in batches()]
            share = len(records) // ROUNDS
            for at in range(0, len(records), share):
                _work_through(bootstrap, records, slice(at, at + share), workers, chance)
                workers.start()
            _compare(bootstrap, load_policy(policy))
        finally:
            workers.end_all()


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


def _compare(bootstrap: str, policy: Policy) -> None:
    with (
        Reader(bootstrap, DetectionsMade) as detections,
        Reader(bootstrap, RiskAssessed) as risks,
        Reader(bootstrap, TakedownRequested) as takedowns,
        Reader(bootstrap, EscalationRaised) as escalations,
        Reader(bootstrap, SamplingBoostRequested) as boosts,
    ):
        expected = _reference(detections, STREAMS * FRAMES)
        assert _missing(expected, risks) == []
        effects = _effects(expected, _told_at(risks), policy)
        readers = (takedowns, escalations, boosts)
        wait_until(lambda: effects.keys() <= _by_id(*readers).keys(), 60)
        assert {risk.risk_id for risk in risks.events()} == expected.keys()
        for risk in risks.events():
            assert risk == expected[risk.risk_id]
        assert _by_id(*readers) == effects
        for reader in readers:
            _assert_same_each_time(reader)


def _assert_same_each_time(reader: Reader) -> None:
    """What came more than once under an id came word for word."""
    contents: dict[str, set[bytes]] = defaultdict(set)
    for message, event in zip(reader.messages, reader.events(), strict=True):
        contents[event.id].add(message.value() or b"")
    assert [found for found in contents.values() if len(found) > 1] == []


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


def _told_at(risks: Reader) -> dict[str, int]:
    """When the brokers first took each risk, in microseconds: what is decided carries it."""
    found: dict[str, int] = {}
    for message, risk in zip(risks.messages, risks.events(), strict=False):
        found.setdefault(risk.risk_id, message.timestamp()[1] * 1000)
    return found


def _effects(
    risks: dict[str, RiskAssessed], told_at: dict[str, int], policy: Policy
) -> dict[str, Event]:
    decisions, policies, controls = PartitionDecisions(), Policies(policy), Controls()
    effects: dict[str, Event] = {}
    for risk in risks.values():
        for effect in decisions.take(risk, policies, controls, at=told_at[risk.risk_id]).effects:
            if not isinstance(effect, ReferralPrepared):
                effects[effect.id] = effect
    return effects


def _by_id(*readers: Reader) -> dict[str, Event]:
    return {event.id: event for reader in readers for event in reader.events()}
