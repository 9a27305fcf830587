"""Events as lines for people."""

from __future__ import annotations

import pytest

from schemas import (
    BundlesDisagreed,
    Event,
    EventRedriven,
    FrameRef,
    FramesShed,
    PoliciesDisagreed,
    StreamShed,
    TopicCounted,
    topics,
)
from tests.builders import SECOND, START, detection, detections_made, risk_assessed, window
from tests.oncall.events import (
    acknowledged,
    alert_raised,
    answered,
    boost_requested,
    breaker_tripped,
    commanded,
    dead_lettered,
    drill_ordered,
    escalation_raised,
    evidence_viewed,
    incident_closed,
    referral_prepared,
    reversed_decision,
    takedown_requested,
    unwatched,
    worker_reported,
)
from topology.lines import to_lines
from topology.watch import WATCHED

AT = "2023-11-14T22:13:20.000Z"


def bundles_disagreed() -> BundlesDisagreed:
    return BundlesDisagreed(
        disagreement_id="d-1",
        stream_id="stream-1",
        session_id="session-1",
        frame=FrameRef(topics.FRAME_SAMPLES, 0, 7, START, 0.75),
        signal="firearm",
        bundle="lite0/1",
        bundle_digest="a" * 64,
        score=0.75,
        threshold=0.5,
        shadow_bundle="lite0/2",
        shadow_digest="b" * 64,
        shadow_score=0.125,
        shadow_threshold=0.4,
    )


def policies_disagreed() -> PoliciesDisagreed:
    return PoliciesDisagreed(
        disagreement_id="d-1",
        stream_id="stream-1",
        session_id="session-1",
        decided_at=START,
        cause_id="risk-1",
        policy="live/1",
        policy_digest="a" * 64,
        effects=["EscalationRaised"],
        explanation="because",
        shadow_policy="next/2",
        shadow_digest="b" * 64,
        shadow_effects=[],
        shadow_explanation="no rule holds",
    )


EXAMPLES: list[tuple[Event, list[str]]] = [
    (
        takedown_requested(),
        [
            f"{AT}  TAKEDOWN  stream-1  risk 0.97  "
            "sustained: 18 of 20 frames over 10 s  incident incident-1"
        ],
    ),
    (
        escalation_raised(drill=True, rule="brief", explanation="3 of 4 frames"),
        [
            f"{AT}  ESCALATION high  stream-1  DRILL  risk 0.97  "
            "brief: 3 of 4 frames  incident incident-1"
        ],
    ),
    (
        risk_assessed(window(4.0, 3, frames=8), window(10.0, 3, frames=20)),
        [f"{AT}  risk  stream-1  0.500  3/8 in 4 s, 3/20 in 10 s"],
    ),
    (
        detections_made(detection(0, 0.125), detection(1, 0.75, stream_id="stream-2")),
        [
            f"{AT}  frame  stream-1  #0  firearm 0.125",
            "2023-11-14T22:13:20.500Z  frame  stream-2  #1  firearm 0.750",
        ],
    ),
    (
        takedown_requested(operator="kea", rule="operator-takedown", explanation="Ordered."),
        [
            f"{AT}  TAKEDOWN  stream-1  risk 0.97  operator-takedown: Ordered.  "
            "ordered by kea  incident incident-1"
        ],
    ),
    (
        escalation_raised(
            change="repeated", routes=["on-call", "duty-manager"], answer_by=START + 2 * SECOND
        ),
        [
            f"{AT}  ESCALATION high repeated  stream-1  risk 0.97  "
            "sustained: 18 of 20 frames over 10 s  for on-call, duty-manager  "
            "answer by 2023-11-14T22:13:22.000Z  incident incident-1"
        ],
    ),
    (
        acknowledged(outcome="failed", detail="no such stream"),
        [f"{AT}  acknowledged  stream-1  failed  by takedowns  no such stream  takedown t-1"],
    ),
    (
        reversed_decision(drill=True),
        [
            f"{AT}  REVERSAL  stream-1  DRILL  of takedown t-1  by kea: a film set  "
            "incident incident-1"
        ],
    ),
    (
        incident_closed(),
        [f"{AT}  closed  stream-1  unanswered  by nobody: nobody answered  incident incident-1"],
    ),
    (
        referral_prepared(),
        [
            f"{AT}  REFERRAL  stream-1  for nz-police (NZ)  "
            "sustained: 18 of 20 frames over 10 s  confirmed by nobody yet  "
            "incident incident-1"
        ],
    ),
    (
        boost_requested(),
        [
            f"{AT}  sampling  stream-1  8 frames/s until 2023-11-14T22:14:20.000Z  "
            "firearm-seen: 1 of 4 frames over 10 s  incident incident-1"
        ],
    ),
    (
        commanded("hold-takedowns", scope="region:NZ", until=START + 2 * SECOND),
        [
            f"{AT}  command hold-takedowns  region:NZ  until 2023-11-14T22:13:22.000Z  "
            "by kea: a film set"
        ],
    ),
    (
        answered(),
        [
            f"{AT}  answer release  stream-1  applied  takedown-requested -> released  "
            "by kea: a film set"
        ],
    ),
    (
        answered(
            "lift-hold",
            stream_id="",
            scope="all",
            applied=False,
            refusal="no-reason",
            state_before="",
            state_after="",
            reason="",
        ),
        [f"{AT}  answer lift-hold  all  refused: no-reason  by kea: "],
    ),
    (
        unwatched(),
        [f"{AT}  UNWATCHED  stream-1  frames-stopped  since {AT}  clear  40 viewers"],
    ),
    (
        unwatched(watched_again=True, viewers=-1),
        [f"{AT}  watched again  stream-1  frames-stopped  since {AT}  clear"],
    ),
    (
        breaker_tripped(),
        [
            f"{AT}  BREAKER  breaker  takedowns  5 takedowns were asked for within 10 minutes  "
            "open until 2023-11-14T23:13:20.000Z"
        ],
    ),
    (
        alert_raised(),
        [f"{AT}  ALERT policy-broken  policy.toml  line 12: rule 'x': expected a number"],
    ),
    (
        bundles_disagreed(),
        [
            f"{AT}  disagreement  stream-1  firearm  lite0/1 0.750 (from 0.5)  "
            "shadow lite0/2 0.125 (from 0.4)"
        ],
    ),
    (
        policies_disagreed(),
        [
            f"{AT}  disagreement  stream-1  live/1 asks for EscalationRaised: because  "
            "shadow next/2 asks for nothing: no rule holds"
        ],
    ),
    (
        FramesShed(
            shed_id="shed-1",
            shed_at=START,
            frame_topic=topics.FRAME_SAMPLES,
            frame_partition=3,
            backlog_seconds=7.25,
            streams=[
                StreamShed("stream-1", "session-1", False, [1, 2, 3]),
                StreamShed("stream-2", "session-2", True, [4]),
            ],
        ),
        [
            f"{AT}  SHED  3  4 frames of 2 streams, 1 of streams at risk  a backlog of 7.2 s",
        ],
    ),
    (
        FramesShed(
            shed_id="shed-2",
            shed_at=START,
            frame_topic=topics.FRAME_SAMPLES,
            frame_partition=3,
            backlog_seconds=0.0,
            streams=[StreamShed("stream-1", "session-1", False, [1])],
            reason="too-old",
        ),
        [
            f"{AT}  SHED  3  1 frames of 1 streams, 0 of streams at risk  too-old  "
            "a backlog of 0.0 s",
        ],
    ),
    (
        dead_lettered(attempt=2),
        [
            f"{AT}  DEAD LETTER  firebreak.frame-samples.v1/0/1  detection  "
            "undecodable-payload: no picture  #2  stream stream-1"
        ],
    ),
    (
        EventRedriven("d-1", START, topics.FRAME_SAMPLES, 0, 1, "op-1", "mended"),
        [f"{AT}  redriven  firebreak.frame-samples.v1/0/1  by op-1: mended"],
    ),
    (drill_ordered(), [f"{AT}  drill started  drill-1  by kea: the monthly drill"]),
    (
        worker_reported(topics=[TopicCounted(topics.FRAME_SAMPLES, [0], 1, 0, 1, 0.5)]),
        [f"{AT}  worker detection  worker-1  1 record waits, the oldest for 0.5 s"],
    ),
    (
        worker_reported(not_ready=["state recovered"], errors=["bundle live: no such folder"]),
        [
            f"{AT}  worker detection  worker-1  7 records wait, the oldest for 1.5 s  "
            "lacks state recovered  bundle live: no such folder"
        ],
    ),
    (
        evidence_viewed(),
        [f"{AT}  viewed veiled  stream-1  firebreak.frame-samples.v1/0/7  by kea  incident i-1"],
    ),
    (
        evidence_viewed(stream_id="", kind="export", reason="for the police", topic=""),
        [f"{AT}  viewed export  i-1  by kea: for the police  incident i-1"],
    ),
]


@pytest.mark.parametrize(("event", "lines"), EXAMPLES, ids=lambda it: type(it).__name__)
def test_an_event_is_one_line_and_a_batch_one_a_frame(event: Event, lines: list[str]) -> None:
    """Event time first, then what, of which stream, and why."""
    assert list(to_lines(event)) == lines


def test_a_time_that_no_calendar_has_is_told_all_the_same() -> None:
    """Times come from outside too."""
    (line,) = to_lines(takedown_requested(requested_at=2**63 - 1))

    assert line.startswith("9999-12-31T23:59:59.999Z  TAKEDOWN")


@pytest.mark.parametrize("event_type", WATCHED.values())
def test_whatever_can_be_watched_has_a_topic_and_a_line(event_type: type[Event]) -> None:
    told = {type(event) for event, _ in EXAMPLES}

    assert event_type in told
    assert event_type.__name__ in topics.TOPIC_OF


def test_a_stream_id_can_not_write_on_the_terminal() -> None:
    """Escapes, line breaks and direction marks are spelled out; other scripts are left alone."""
    (line,) = to_lines(takedown_requested(stream_id="\x1b[2J\n\u202eстрим"))

    assert "\\x1b[2J\\n\\u202eстрим" in line
    assert line.isprintable()
