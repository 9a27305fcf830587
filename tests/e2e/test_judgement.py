"""Two judgement workers on a real broker, with people and takedown services that answer or do not.

The tests share the workers and the breaker that both keep, and run in order.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from schemas import (
    BreakerTripped,
    DecisionReversed,
    EscalationRaised,
    StreamUnwatched,
    StreamUpdated,
    TakedownRequested,
    topics,
)
from tests.brokers import BrokerKind
from tests.e2e.platform import WAIT, Platform, running_platform
from tests.e2e.workers import policy_file
from tests.waiting import wait_until
from topology.cli import main

pytestmark = pytest.mark.e2e
BUDGET = 8
IMPATIENT = (
    ("takedowns =", f"takedowns = {BUDGET}"),
    ("takedown_within =", 'takedown_within = "2 s"'),
    ("after =", 'after = "9 s"'),
)


@pytest.fixture(scope="module")
def platform(
    broker_kind: BrokerKind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("judgement")
    with running_platform(broker_kind, folder, 2, IMPATIENT) as running:
        yield running


def test_an_operators_release_holds(platform: Platform) -> None:
    platform.show("released", 8)
    platform.wait_for(TakedownRequested, "released")
    platform.confirm("released")
    answer = platform.answer(platform.order("release", "released"))
    assert (answer.applied, answer.state_after) == (True, "released")
    (reversed_,) = platform.wait_for(DecisionReversed, "released")
    asked = platform.of(TakedownRequested, "released")
    assert reversed_.takedown_id in {it.takedown_id for it in asked}
    platform.show("released", 30)
    # What is decided of another stream of the same partition comes after all of that.
    platform.order("acknowledge", "released")
    assert {it.takedown_id for it in platform.of(TakedownRequested, "released")} == {
        it.takedown_id for it in asked
    }
    counts = [status["counts"] for status in platform.workers.status()]
    assert sum(it.get("decision refused human-override", 0) for it in counts) > 0


def test_a_takedown_that_nobody_acknowledges_is_retried_once_and_then_escalated(
    platform: Platform,
) -> None:
    platform.show("silent", 8)
    first, second = platform.wait_for(TakedownRequested, "silent", count=2)
    assert first == second
    wait_until(
        lambda: any(
            it.rule == "takedown-unconfirmed" for it in platform.of(EscalationRaised, "silent")
        ),
        WAIT,
    )
    assert len(platform.of(TakedownRequested, "silent")) == 2


def test_a_live_stream_that_falls_silent_is_told(platform: Platform) -> None:
    now = time.time_ns() // 1000
    platform.send(StreamUpdated("silenced", "silenced-session", "shard-1", "started", now))
    platform.show("silenced", 1, firearm=0.0)
    (notice,) = platform.wait_for(StreamUnwatched, "silenced")
    assert notice.reason == "frames-stopped"


def test_the_breaker_opens_for_both_workers_and_an_operator_closes_it(platform: Platform) -> None:
    streams = [f"many-{number}" for number in range(3 * BUDGET)]
    for stream in streams:
        platform.show(stream, 8)
    for stream in streams:
        platform.wait_for(EscalationRaised, stream)
    assert platform.events(BreakerTripped)
    taken_down = {
        it.stream_id for it in platform.events(TakedownRequested) if it.stream_id in streams
    }
    held = [stream for stream in streams if stream not in taken_down]
    assert len(held) >= BUDGET
    for stream in held:
        assert any(
            "Not taken down by itself" in it.explanation
            for it in platform.of(EscalationRaised, stream)
        )
    # Both have worked, on partitions of their own, and both know.
    statuses = platform.workers.status()
    assert all(status["counts"]["decision events"] > 0 for status in statuses)
    wait_until(lambda: platform.breakers() == [True, True], WAIT)
    platform.order("close-breaker", scope="all")
    wait_until(lambda: platform.breakers() == [False, False], WAIT)
    platform.show(held[0], 4)
    platform.wait_for(TakedownRequested, held[0])


def test_a_kill_switch_turns_takedowns_into_escalations_until_it_is_lifted(
    platform: Platform,
) -> None:
    platform.order("hold-takedowns", scope="all", minutes=10)
    platform.show("killed", 8)
    (escalation,) = platform.wait_for(EscalationRaised, "killed")[:1]
    wait_until(
        lambda: any(
            "Not taken down by itself" in it.explanation
            for it in platform.of(EscalationRaised, "killed")
        ),
        WAIT,
    )
    assert platform.of(TakedownRequested, "killed") == []
    platform.order("lift-hold", scope="all")
    platform.show("killed", 4)
    platform.wait_for(TakedownRequested, "killed")
    assert escalation.incident_id == platform.of(TakedownRequested, "killed")[0].incident_id


def test_the_same_recorded_topic_replayed_gives_the_same_bytes(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIREBREAK_BOOTSTRAP_SERVERS", platform.bootstrap)
    policy = policy_file(tmp_path / "policy.toml", *IMPATIENT)
    logs = []
    for name in ("one", "other"):
        log = tmp_path / name
        arguments = ["backtest", "--policy", str(policy), "--from", topics.DETECTIONS]
        ran = CliRunner().invoke(main, [*arguments, "--decisions", str(log)])
        assert ran.exit_code == 0, ran.output
        logs.append(log.read_bytes())
    assert logs[0] == logs[1]
    assert b"TakedownRequested" in logs[0]
