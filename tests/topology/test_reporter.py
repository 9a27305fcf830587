"""What a worker says of itself, and that nothing depends on it."""

from __future__ import annotations

from collections.abc import Mapping

import faust
import pytest
from faust.types import TP

from schemas import AgentCounted, PartInForce, TopicCounted, WorkerReported, topics
from tests.builders import SECOND, START
from tests.shell import KeepingPublisher
from topology.backlog import Backlog
from topology.reporter import Reporter, Sources, sources_of

FRAMES = topics.FRAME_SAMPLES
LIVE = PartInForce("bundle", "live", "lite0 1", "abc", 1.0, "CPUExecutionProvider")


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


def sources(backlogs: Mapping[TP, Backlog] | None = None) -> Sources:
    made = Sources(
        "detection",
        counts={
            "detection events": 12,
            "detection published": 10,
            "detection refused late": 1,
            "detection frames shed": 2,
            "detection frames of streams at risk shed": 3,
            "detection frames too old shed": 20,
            "detection frames too old of streams at risk shed": 30,
            "detection dead-lettered empty-payload": 1,
            "detection dead-lettered unknown-codec": 4,
            "aggregation events": 99,
        },
        written={topics.DETECTIONS: 10},
        read=lambda: {FRAMES: 12},
        assigned=lambda: {TP(FRAMES, 1), TP(FRAMES, 0)},
        backlogs=lambda: backlogs or {},
        readiness=lambda: {"partitions assigned": True, "state recovered": False},
    )
    made.agents.append("detection")
    made.tell_of(lambda: [LIVE], lambda: ["bundle, canary: no such folder"])
    return made


def report(made: Sources) -> WorkerReported:
    return Reporter(made, KeepingPublisher(), Clock()).report()


def test_an_agents_counts_are_its_own() -> None:
    assert report(sources()).agents == [
        AgentCounted("detection", taken=12, published=10, refused=56, dead_lettered=5)
    ]


def test_a_topics_lag_is_that_of_its_slowest_partition() -> None:
    waiting = {
        TP(FRAMES, 0): Backlog(3, START // 1000 - 2_000),
        TP(FRAMES, 1): Backlog(4, START // 1000 - 500),
    }
    assert report(sources(waiting)).topics == [
        TopicCounted(topics.DETECTIONS, [], 0, 10, 0, 0.0),
        TopicCounted(FRAMES, [0, 1], 12, 0, 7, 2.0),
    ]


def test_it_says_what_is_in_force_and_what_is_wrong() -> None:
    told = report(sources())
    assert told.in_force == [LIVE]
    assert told.not_ready == ["state recovered"]
    assert told.errors == ["bundle, canary: no such folder"]
    assert told.rss_bytes > 0


def test_what_is_wrong_is_told_within_bounds() -> None:
    made = sources()
    made.tell_of(list, lambda: ["x" * 10_000])
    assert [len(error) for error in report(made).errors] == [300]


def test_each_process_is_a_worker_of_its_own_and_each_report_is_another() -> None:
    clock = Clock()
    reporter = Reporter(sources(), KeepingPublisher(), clock)
    first = reporter.report()
    clock.now += 2 * SECOND
    second = reporter.report()
    assert first.worker_id == second.worker_id != report(sources()).worker_id
    assert first.report_id != second.report_id
    assert (second.started_at, second.reported_at) == (START, START + 2 * SECOND)


async def test_a_report_goes_out_under_the_workers_id() -> None:
    publisher = KeepingPublisher()
    reporter = Reporter(sources(), publisher, Clock())
    await reporter.tell()
    (sent,) = publisher.kept
    assert isinstance(sent.event, WorkerReported)
    assert sent.key == sent.event.worker_id.encode()


async def test_brokers_that_are_away_and_what_nobody_foresaw_stop_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await Reporter(sources(), KeepingPublisher(broken=True), Clock()).tell()
    broken = sources()
    broken.readiness = lambda: 1 / 0  # type: ignore[assignment,return-value]
    publisher = KeepingPublisher()
    await Reporter(broken, publisher, Clock()).tell()
    assert publisher.kept == []
    assert "ZeroDivisionError" in caplog.text


def test_a_worker_that_has_not_joined_yet_has_no_partitions() -> None:
    app = faust.App("reporter", broker="kafka://127.0.0.1:1", store="memory://", autodiscover=False)
    told = report(sources_of(app, "judgement", {}, {}, dict))
    assert told.topics == []
