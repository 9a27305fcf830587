"""The controls of every worker, fed from all partitions of a real broker."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from agents.decision.controls import HoldReason
from agents.decision.policies import Policies
from agents.decision.policy import BreakerLimits, Policy
from agents.publishing import outgoing
from schemas import (
    MICROSECONDS,
    BreakerTripped,
    Codec,
    Event,
    OperatorCommanded,
    StreamsCounted,
    derive_id,
)
from tests.brokers import BrokerKind, running_broker
from tests.oncall.events import takedown_requested
from tests.waiting import wait_until_async
from topology.controls import ControlsFollower
from topology.publisher import KafkaPublisher
from topology.settings import Settings
from topology.topic_admin import apply_topics

pytestmark = pytest.mark.e2e

LIMIT = 20.0
"""Seconds within which anything here must have happened."""
HOUR = 3600 * MICROSECONDS
POLICY = Policy("default", "3", (), breaker=BreakerLimits(takedowns=3))
Publish = Callable[[Event], Awaitable[None]]


@pytest.fixture
def kafka(tmp_path: Path, broker_kind: BrokerKind) -> Iterator[str]:
    """A broker of the test's own: controls are of all that is on it."""
    with running_broker(broker_kind, tmp_path) as bootstrap:
        apply_topics(Settings(runtime_dir=tmp_path), bootstrap)
        yield bootstrap


@pytest.fixture
async def publish(kafka: str) -> AsyncIterator[Publish]:
    publisher = KafkaPublisher({"bootstrap.servers": kafka}, Codec(), "firebreak/test")

    async def send(event: Event) -> None:
        partition = event.partition if isinstance(event, StreamsCounted) else None
        await publisher.publish([outgoing(event, None, partition)])

    yield send
    publisher.close()


def follower(kafka: str) -> ControlsFollower:
    return ControlsFollower(Policies(POLICY), Codec(), {"bootstrap_servers": kafka})


def now() -> int:
    return time.time_ns() // 1000


def order(command: str, until: int = 0) -> OperatorCommanded:
    return OperatorCommanded(
        command_id=derive_id("command", command),
        command=command,
        operator="operator-7",
        reason="too many",
        issued_at=now(),
        scope="all",
        until=until,
    )


def tripped() -> BreakerTripped:
    at = now()
    return BreakerTripped(
        "trip-1", "takedowns", at, at + HOUR, "5 takedowns", "default/3", "c" * 64
    )


def why(controls: ControlsFollower) -> HoldReason | None:
    held = controls.controls.hold(POLICY, "", now())
    return held.reason if held else None


async def test_until_the_past_has_been_read_takedowns_are_held_back(
    kafka: str, publish: Publish
) -> None:
    """And then for as long as what was read says so."""
    await publish(order("hold-takedowns", now() + HOUR))
    reading = follower(kafka)
    assert why(reading) is HoldReason.CONTROLS_UNKNOWN
    async with reading:
        await wait_until_async(lambda: reading.fresh, LIMIT)
        assert why(reading) is HoldReason.KILL_SWITCH
        await publish(order("lift-hold"))
        await wait_until_async(lambda: why(reading) is None, LIMIT)


async def test_every_worker_counts_the_takedowns_of_all_partitions(
    kafka: str, publish: Publish
) -> None:
    """Three streams, in partitions apart, and each worker sees three."""
    one, other = follower(kafka), follower(kafka)
    async with one, other:
        for number in range(3):
            stream = f"stream-{number}"
            await publish(
                takedown_requested(
                    takedown_id=f"takedown-{number}", stream_id=stream, requested_at=now()
                )
            )
        await wait_until_async(lambda: due(one) == due(other) == "takedowns", LIMIT)


async def test_a_share_at_risk_is_counted_over_all_partitions(kafka: str, publish: Publish) -> None:
    reading = follower(kafka)
    async with reading:
        for partition in (0, 1):
            await publish(StreamsCounted(partition, now(), live=100, at_risk=12, unwatched=0))
        await wait_until_async(lambda: due(reading) == "streams-at-risk", LIMIT)


async def test_a_breaker_that_one_worker_trips_holds_everywhere_until_a_person_closes_it(
    kafka: str, publish: Publish
) -> None:
    one, other = follower(kafka), follower(kafka)
    async with one, other:
        await wait_until_async(lambda: one.fresh and other.fresh, LIMIT)
        await publish(tripped())
        await wait_until_async(lambda: why(one) is why(other) is HoldReason.BREAKER, LIMIT)
        await publish(order("close-breaker"))
        await wait_until_async(lambda: why(one) is why(other) is None, LIMIT)


def due(worker: ControlsFollower) -> str | None:
    trip = worker.controls.trip(POLICY, now())
    return trip.cause if trip else None
