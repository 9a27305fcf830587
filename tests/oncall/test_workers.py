"""What is made of workers' reports: rates, who is silent, and what all of them do together."""

from __future__ import annotations

from typing import Any

import pytest

from agents.oncall.topology import topology_of
from agents.oncall.workers import WORKERS_KEPT, Workers, agents_of, topics_of
from schemas import AgentCounted, TopicCounted, topics
from tests.builders import SECOND, START

from .events import worker_reported
from .folding import told

FRAMES = topics.FRAME_SAMPLES


def counted(taken: int, lag: float = 0.0, **given: Any) -> dict[str, Any]:
    """What a worker had ``taken``, of a topic of which the oldest record waits for ``lag``."""
    return {
        "agents": [AgentCounted("detection", taken, taken, 0, 0)],
        "topics": [TopicCounted(FRAMES, [0], taken, 0, 3, lag)],
        **given,
    }


def folded(*reports: dict[str, Any]) -> Workers:
    workers = Workers()
    for given in reports:
        report = worker_reported(**given)
        workers.apply(report, report.reported_at)
    return workers


def test_two_reports_make_a_rate() -> None:
    """t=0: 100 records; t=2: 160, so 30 a second."""
    workers = folded(counted(100), counted(160, reported_at=START + 2 * SECOND))
    (worker,) = workers.now(START + 2 * SECOND)
    assert (worker.agents[0].taken, worker.topics[0].read) == (30.0, 30.0)


def test_one_report_makes_none() -> None:
    (worker,) = folded(counted(100)).now(START)
    assert worker.agents[0].taken == 0.0


def test_a_report_that_comes_again_or_late_changes_nothing() -> None:
    later = counted(160, reported_at=START + 2 * SECOND)
    workers = folded(counted(100), later, later, counted(100))
    (worker,) = workers.now(START + 2 * SECOND)
    assert worker.agents[0].taken == 30.0


@pytest.mark.parametrize(
    ("seconds", "silent"), [(10, [False]), (11, [True]), (600, [True]), (601, [])]
)
def test_a_worker_falls_silent_and_is_forgotten(seconds: int, silent: list[bool]) -> None:
    """Reported at 0 s: silent after 10 s, forgotten after 600."""
    now = START + seconds * SECOND
    assert [it.silent for it in folded(counted(1)).now(now)] == silent


def test_the_longest_unheard_of_workers_make_room_for_others() -> None:
    workers = folded(
        *({"worker_id": f"w-{at}", "reported_at": START + at} for at in range(WORKERS_KEPT + 1))
    )
    kept = {it.report.worker_id for it in workers.now(START)}
    assert len(kept) == WORKERS_KEPT
    assert "w-0" not in kept


def test_a_report_with_too_much_of_anything_is_cut_off() -> None:
    (worker,) = folded({"errors": ["x"] * 1_000, "agents": []}).now(START)
    assert len(worker.report.errors) == 64


def test_workers_of_a_role_do_together_what_they_do() -> None:
    """The lag is that of the slowest; what a silent one said of its partitions counts no more."""
    later = START + 2 * SECOND
    workers = folded(
        counted(0, worker_id="a"),
        counted(20, 0.5, worker_id="a", reported_at=later),
        counted(0, worker_id="b"),
        counted(10, 4.0, worker_id="b", reported_at=later),
        counted(0, 99.0, worker_id="gone", reported_at=START - 20 * SECOND),
    ).now(later)
    assert agents_of(workers)["detection"].taken == 15.0
    assert agents_of(workers)["detection"].workers == 2
    frames = topics_of(workers)[FRAMES]
    assert (frames.read, frames.waiting, frames.lag_seconds, frames.partitions) == (15.0, 6, 4.0, 2)


def test_the_topology_says_of_each_agent_what_it_runs_on_and_who_is_missing() -> None:
    topology = topology_of(folded(counted(1, 2.5)).now(START))
    detection, aggregation, *_ = topology.agents
    assert (detection.workers, detection.lag_seconds, detection.waiting) == (1, 2.5, 3)
    assert detection.providers == ("CPUExecutionProvider",)
    assert detection.batches is not None
    assert (detection.batches.sizes, detection.batches.most) == ((8,), 32)
    assert (aggregation.workers, aggregation.now, aggregation.batches) == (0, None, None)
    assert topology.unstaffed == ("aggregation", "decision", "on-call")


def test_the_read_model_knows_the_workers() -> None:
    (worker,) = told([worker_reported()]).workers.now(START)
    assert worker.report.worker_id == "worker-1"
