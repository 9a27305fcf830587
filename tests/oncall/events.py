"""Decisions, orders, answers and notices, for tests that don't care about every field."""

from __future__ import annotations

from typing import Any, TypeVar

from schemas import (
    AgentCounted,
    AlertRaised,
    BreakerTripped,
    CommandAnswered,
    DecisionReversed,
    DrillOrdered,
    EscalationRaised,
    Event,
    EventDeadLettered,
    EventRedriven,
    EvidenceViewed,
    IncidentClosed,
    OperatorCommanded,
    PartInForce,
    ReferralPrepared,
    SamplingBoostRequested,
    StreamHeard,
    StreamsHeard,
    StreamUnwatched,
    StreamUpdated,
    TakedownAcknowledged,
    TakedownRequested,
    TopicCounted,
    WorkerReported,
    topics,
)
from tests.builders import SECOND, START

E = TypeVar("E", bound=Event)
NOW = START + 60 * SECOND
_STREAM = {"stream_id": "stream-1", "session_id": "session-1"}
_POLICY = {"policy": "test/1", "policy_digest": "c" * 64}


def _made(event_type: type[E], defaults: dict[str, Any], given: dict[str, Any]) -> E:
    return event_type(**{**defaults, **given})


def stream_updated(change: str = "started", **given: Any) -> StreamUpdated:
    defaults = {"shard_id": "shard-1", "change": change, "updated_at": START}
    return _made(StreamUpdated, {**_STREAM, **defaults}, given)


def heard(frames: int = 1, *, heard_at: int = START, partition: int = 0, **given: Any) -> Event:
    """That ``frames`` frames of a session were judged, the newest of them captured at ``START``."""
    defaults = {"captured_at": START, "appended_at": START, "frames": frames}
    return StreamsHeard(partition, heard_at, [StreamHeard(**{**_STREAM, **defaults, **given})])


def _decision(**given: Any) -> dict[str, Any]:
    defaults = {
        "incident_id": "incident-1",
        "rule": "sustained",
        "explanation": "18 of 20 frames over 10 s",
        "risk": 0.97,
        "evidence": [],
        "cause_id": "risk-1",
        "bundle": "test/1",
        "bundle_digest": "b" * 64,
    }
    return {**_STREAM, **_POLICY, **defaults, **given}


def takedown_requested(**given: Any) -> TakedownRequested:
    return TakedownRequested(**_decision(**{"takedown_id": "t-1", "requested_at": START, **given}))


def escalation_raised(**given: Any) -> EscalationRaised:
    defaults = {"escalation_id": "e-1", "raised_at": START, "severity": "high"}
    return EscalationRaised(**_decision(**{**defaults, **given}))


def dead_lettered(**given: Any) -> EventDeadLettered:
    defaults: dict[str, Any] = {
        "dead_letter_id": "d-1",
        "topic": topics.FRAME_SAMPLES,
        "partition": 0,
        "offset": 1,
        "appended_at": START,
        "agent": "detection",
        "cause": "undecodable-payload",
        "detail": "no picture",
        "key": b"stream-1",
        "stream_id": "stream-1",
    }
    return EventDeadLettered(**{**defaults, **given})


def boost_requested(**given: Any) -> SamplingBoostRequested:
    defaults = {
        "boost_id": "b-1",
        "incident_id": "incident-1",
        "requested_at": START,
        "frames_per_second": 8.0,
        "until": START + 60 * SECOND,
        "rule": "firearm-seen",
        "explanation": "1 of 4 frames over 10 s",
        "cause_id": "risk-1",
    }
    return _made(SamplingBoostRequested, {**_STREAM, **_POLICY, **defaults}, given)


def referral_prepared(**given: Any) -> ReferralPrepared:
    defaults = {
        "referral_id": "r-1",
        "prepared_at": START,
        "recipient": "nz-police",
        "region": "NZ",
    }
    return _made(ReferralPrepared, {**_decision(), **defaults}, given)


def acknowledged(**given: Any) -> TakedownAcknowledged:
    defaults = {
        "acknowledgement_id": "a-1",
        "takedown_id": "t-1",
        "outcome": "stopped",
        "detail": "",
        "service": "takedowns",
        "acknowledged_at": START,
    }
    return _made(TakedownAcknowledged, {**_STREAM, **defaults}, given)


def reversed_decision(**given: Any) -> DecisionReversed:
    defaults = {
        "reversal_id": "rev-1",
        "incident_id": "incident-1",
        "takedown_id": "t-1",
        "reversed_at": START,
        "operator": "kea",
        "reason": "a film set",
        "cause_id": "command-1",
    }
    return _made(DecisionReversed, {**_STREAM, **_POLICY, **defaults}, given)


def incident_closed(**given: Any) -> IncidentClosed:
    defaults = {
        "closure_id": "c-1",
        "incident_id": "incident-1",
        "closed_at": START,
        "outcome": "unanswered",
        "operator": "",
        "reason": "nobody answered",
        "cause_id": "due-1",
    }
    return _made(IncidentClosed, {**_STREAM, **_POLICY, **defaults}, given)


def commanded(command: str = "release", **given: Any) -> OperatorCommanded:
    defaults = {
        "command_id": "command-1",
        "command": command,
        "operator": "kea",
        "reason": "a film set",
        "issued_at": START,
        "stream_id": "" if "scope" in given else "stream-1",
    }
    return _made(OperatorCommanded, defaults, given)


def answered(command: str = "release", **given: Any) -> CommandAnswered:
    """What became of ``commanded(command)``: by default, a takedown was taken back."""
    defaults = {
        "answer_id": f"answer-{given.get('command_id', 'command-1')}",
        "command_id": "command-1",
        "command": command,
        "scope": "",
        "incident_id": "incident-1",
        "operator": "kea",
        "reason": "a film set",
        "answered_at": START,
        "applied": True,
        "refusal": "",
        "state_before": "takedown-requested",
        "state_after": "released",
    }
    return _made(CommandAnswered, {**_STREAM, **defaults}, given)


def unwatched(**given: Any) -> StreamUnwatched:
    defaults = {
        "notice_id": "u-1",
        "noticed_at": START,
        "watched_again": False,
        "reason": "frames-stopped",
        "since": START,
        "state": "clear",
        "viewers": 40,
    }
    return _made(StreamUnwatched, {**_STREAM, **defaults}, given)


def breaker_tripped(**given: Any) -> BreakerTripped:
    defaults = {
        "trip_id": "trip-1",
        "cause": "takedowns",
        "tripped_at": START,
        "expires_at": START + 3600 * SECOND,
        "explanation": "5 takedowns were asked for within 10 minutes",
    }
    return _made(BreakerTripped, {**_POLICY, **defaults}, given)


def alert_raised(**given: Any) -> AlertRaised:
    defaults = {
        "alert_id": "alert-1",
        "kind": "policy-broken",
        "raised_at": START,
        "source": "policy.toml",
        "detail": "line 12: rule 'x': expected a number",
    }
    return _made(AlertRaised, defaults, given)


def evidence_viewed(**given: Any) -> EvidenceViewed:
    defaults = {
        "view_id": "v-1",
        "operator": "kea",
        "incident_id": "i-1",
        "stream_id": "stream-1",
        "kind": "veiled",
        "reason": "",
        "viewed_at": START,
        "topic": topics.FRAME_SAMPLES,
        "partition": 0,
        "offset": 7,
    }
    return EvidenceViewed(**{**defaults, **given})


def worker_reported(**given: Any) -> WorkerReported:
    defaults = {
        "report_id": "report-1",
        "worker_id": "worker-1",
        "role": "detection",
        "started_at": START,
        "reported_at": START,
        "agents": [AgentCounted("detection", 100, 90, 8, 2)],
        "topics": [
            TopicCounted(topics.FRAME_SAMPLES, [0, 1], 100, 0, 7, 1.5),
            TopicCounted(topics.DETECTIONS, [], 0, 90, 0, 0.0),
        ],
        "in_force": [PartInForce("bundle", "live", "lite0 1", "abc", 1.0, "CPUExecutionProvider")],
        "not_ready": [],
        "errors": [],
        "batch_size": 8,
        "batch_most": 32,
        "seconds_per_batch": 0.01,
        "seconds_per_frame": 0.004,
        "rss_bytes": 300_000_000,
    }
    return WorkerReported(**{**defaults, **given})


def redriven(**given: Any) -> EventRedriven:
    defaults = {
        "dead_letter_id": "d-1",
        "redriven_at": START,
        "topic": topics.FRAME_SAMPLES,
        "partition": 0,
        "offset": 1,
        "operator": "kea",
        "reason": "mended",
    }
    return EventRedriven(**{**defaults, **given})


def drill_ordered(change: str = "started", **given: Any) -> DrillOrdered:
    defaults = {
        "order_id": "drill-order-1",
        "change": change,
        "stream_id": "drill-1",
        "operator": "kea",
        "reason": "the monthly drill",
        "ordered_at": START,
        "until": START + 120 * SECOND,
    }
    return _made(DrillOrdered, defaults, given)
