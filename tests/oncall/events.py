"""Decisions, stream updates and dead letters for the on-call tests."""

from __future__ import annotations

from typing import Any

from schemas import EscalationRaised, EventDeadLettered, StreamUpdated, TakedownRequested, topics
from tests.builders import START

NOW = START + 60_000_000


def stream_updated(change: str = "started", **given: Any) -> StreamUpdated:
    defaults: dict[str, Any] = {
        "stream_id": "stream-1",
        "session_id": "session-1",
        "shard_id": "shard-1",
        "change": change,
        "updated_at": START,
    }
    return StreamUpdated(**{**defaults, **given})


def _decision(**given: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "incident_id": "incident-1",
        "stream_id": "stream-1",
        "session_id": "session-1",
        "rule": "sustained",
        "explanation": "18 of 20 frames over 10 s",
        "risk": 0.97,
        "evidence": [],
        "cause_id": "risk-1",
        "policy": "test/1",
        "policy_digest": "c" * 64,
        "bundle": "test/1",
        "bundle_digest": "b" * 64,
    }
    return {**defaults, **given}


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
