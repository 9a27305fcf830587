"""Workers of both roles say what they are and do, while they do it."""

from __future__ import annotations

import time

import pytest

from schemas import WorkerReported, topics
from tests.builders import SECOND, frame_sampled
from tests.detection.test_decode import picture
from tests.e2e.support import CODEC, Reader, produce
from tests.waiting import wait_until
from topology.app import Role
from topology.stack import Stack

pytestmark = pytest.mark.e2e
STREAM = b"stream-of-the-reports-test"
FRAMES = 8


def test_what_workers_do_is_in_their_reports(stack: Stack) -> None:
    """A frame that is judged counts for who judged it; what can't be read is dead-lettered; nothing
    waits once all of it is done."""
    with Reader(stack.bootstrap, WorkerReported) as reports:

        def newest(role: Role) -> WorkerReported | None:
            of_role = [it for it in reports.events() if it.role == role]
            return max(of_role, key=lambda it: it.reported_at, default=None)

        def taken(role: Role, agent: str) -> int:
            report = newest(role)
            counted = {it.agent: it.taken for it in report.agents} if report else {}
            return counted.get(agent, 0)

        wait_until(lambda: all(newest(role) for role in Role), 30)
        judged, summed = taken(Role.DETECTION, "detection"), taken(Role.JUDGEMENT, "aggregation")
        now = time.time_ns() // 1000
        frames = [
            frame_sampled(
                stream_id=STREAM.decode(),
                sequence=number,
                payload=picture(),
                captured_at=now + number * SECOND // 10,
            )
            for number in range(FRAMES)
        ]
        values = [*(CODEC.encode(frame) for frame in frames), b"rubbish"]
        produce(stack.bootstrap, topics.FRAME_SAMPLES, [(STREAM, value) for value in values])
        wait_until(lambda: taken(Role.DETECTION, "detection") >= judged + FRAMES + 1, 60)
        wait_until(lambda: taken(Role.JUDGEMENT, "aggregation") > summed, 60)

        def done() -> bool:
            report = newest(Role.DETECTION)
            return report is not None and not any(it.waiting for it in report.topics)

        wait_until(done, 60, about=lambda: newest(Role.DETECTION))
        detection, judgement = newest(Role.DETECTION), newest(Role.JUDGEMENT)

    assert detection is not None
    assert judgement is not None
    (agent,) = detection.agents
    assert agent.dead_lettered >= 1
    assert agent.published > 1
    told = {it.topic: it for it in detection.topics}
    assert told[topics.FRAME_SAMPLES].partitions
    assert told[topics.FRAME_SAMPLES].lag_seconds == 0
    assert told[topics.DETECTIONS].written >= 1
    (live,) = detection.in_force
    assert (live.kind, live.part, live.provider[-17:]) == ("bundle", "live", "ExecutionProvider")
    assert 1 <= detection.batch_size <= detection.batch_most
    assert [(it.kind, it.part) for it in judgement.in_force] == [("policy", "live")]
    assert [it.agent for it in judgement.agents] == ["aggregation", "decision"]
    assert (detection.not_ready, judgement.errors) == ([], [])
