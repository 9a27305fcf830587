"""An incident to export: each thing that can happen to a stream, once, two seconds apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agents.decision.case import incident_id
from schemas import (
    CommandAnswered,
    DecisionReversed,
    EscalationRaised,
    Event,
    FrameRef,
    IncidentClosed,
    OperatorCommanded,
    ReferralPrepared,
    RiskAssessed,
    SamplingBoostRequested,
    SignalEvidence,
    SignalSummary,
    StreamUnwatched,
    StreamUpdated,
    TakedownAcknowledged,
    TakedownRequested,
    derive_id,
    topics,
)
from tests.builders import SECOND, START, risk_assessed, window
from tests.oncall.events import escalation_raised, stream_updated, takedown_requested
from topology.incident.records import IncidentRecord, Place, in_order

STREAM, SESSION = "stream-1", "session-1"


def frame_ref(offset: int = 7, **given: Any) -> FrameRef:
    defaults: dict[str, Any] = {
        "topic": topics.FRAME_SAMPLES,
        "partition": 0,
        "offset": offset,
        "captured_at": START + offset * SECOND // 2,
        "score": 0.9,
    }
    return FrameRef(**{**defaults, **given})


class Story:
    """Events of one session. ``drill`` and ``evidence`` are those of all its effects."""

    def __init__(
        self,
        stream_id: str = STREAM,
        session_id: str = SESSION,
        *,
        drill: bool = False,
        evidence: Sequence[FrameRef] = (),
    ) -> None:
        self.incident_id = incident_id(stream_id, session_id)
        self._of = {"stream_id": stream_id, "session_id": session_id}
        self._effect = {
            **self._of,
            "incident_id": self.incident_id,
            "drill": drill,
            "policy": "default/3",
            "policy_digest": "c" * 64,
        }
        self._grounds = {
            **self._effect,
            "rule": "sustained-firearm",
            "explanation": "18 of 20 frames within 10 s",
            "risk": 0.97,
            "evidence": list(evidence),
            "cause_id": self._id("risk"),
            "bundle": "lite0/4",
            "bundle_digest": "b" * 64,
        }

    def _id(self, kind: str, number: int = 0) -> str:
        return derive_id(kind, *self._of.values(), number)

    def started(self, **given: Any) -> StreamUpdated:
        known = {"account_id": "account-9", "region": "NZ", "viewers": 3, "category": "outdoors"}
        return stream_updated(**{**self._of, **known, "updated_at": START, **given})

    def risk(self, number: int = 0, risk: float = 0.97, **given: Any) -> RiskAssessed:
        signals = [SignalSummary("firearm", 18, 14, 0.71), SignalSummary("fictional", 1, 1, 0.06)]
        defaults = {
            **self._of,
            "risk_id": self._id("risk", number),
            "assessed_at": START + 2 * SECOND + number * SECOND // 10,
            "risk": risk,
            "bundle": "lite0/4",
            "signals": [SignalEvidence("firearm", 9.5, START)],
        }
        windows = window(10.0, 18, 0.71, frames=20, coverage=0.95, signals=signals)
        return risk_assessed(windows, **{**defaults, **given})

    def boost(self, **given: Any) -> SamplingBoostRequested:
        defaults: dict[str, Any] = {
            **self._effect,
            "boost_id": self._id("boost"),
            "requested_at": START + 3 * SECOND,
            "frames_per_second": 8.0,
            "until": START + 60 * SECOND,
            "rule": "firearm-seen",
            "explanation": "1 of 2 frames within 10 s",
            "cause_id": self._id("risk"),
        }
        return SamplingBoostRequested(**{**defaults, **given})

    def escalation(self, **given: Any) -> EscalationRaised:
        defaults = {
            **self._grounds,
            "escalation_id": self._id("escalation"),
            "raised_at": START + 4 * SECOND,
            "severity": "critical",
            "routes": ["on-call", "human-review"],
            "answer_by": START + 124 * SECOND,
            "viewers": 17,
            "region": "NZ",
        }
        return escalation_raised(**{**defaults, **given})

    def takedown(self, **given: Any) -> TakedownRequested:
        defaults = {
            **self._grounds,
            "takedown_id": self._id("takedown"),
            "requested_at": START + 4 * SECOND,
            "account_id": "account-9",
        }
        return takedown_requested(**{**defaults, **given})

    def referral(self, **given: Any) -> ReferralPrepared:
        defaults: dict[str, Any] = {
            **self._grounds,
            "referral_id": self._id("referral"),
            "prepared_at": START + 4 * SECOND,
            "recipient": "nz-police",
            "region": "NZ",
        }
        return ReferralPrepared(**{**defaults, **given})

    def acknowledgement(self, **given: Any) -> TakedownAcknowledged:
        defaults: dict[str, Any] = {
            **self._of,
            "acknowledgement_id": self._id("acknowledgement"),
            "takedown_id": self._id("takedown"),
            "outcome": "stopped",
            "detail": "ingest closed",
            "service": "edge-stop",
            "acknowledged_at": START + 6 * SECOND,
        }
        return TakedownAcknowledged(**{**defaults, **given})

    def unwatched(self, **given: Any) -> StreamUnwatched:
        defaults: dict[str, Any] = {
            **self._of,
            "notice_id": self._id("notice"),
            "noticed_at": START + 7 * SECOND,
            "watched_again": False,
            "reason": "frames-stopped",
            "since": START + 6 * SECOND,
            "state": "stopped",
            "viewers": 17,
        }
        return StreamUnwatched(**{**defaults, **given})

    def command(self, number: int = 0, **given: Any) -> OperatorCommanded:
        defaults: dict[str, Any] = {
            "stream_id": self._of["stream_id"],
            "command_id": self._id("command", number),
            "command": "verdict-true",
            "operator": "reviewer-4",
            "reason": "a rifle is aimed at people",
            "issued_at": START + 8 * SECOND,
        }
        return OperatorCommanded(**{**defaults, **given})

    def answer(self, number: int = 0, **given: Any) -> CommandAnswered:
        defaults: dict[str, Any] = {
            **self._of,
            "answer_id": self._id("answer", number),
            "command_id": self._id("command", number),
            "command": "verdict-true",
            "scope": "",
            "incident_id": self.incident_id,
            "operator": "reviewer-4",
            "reason": "a rifle is aimed at people",
            "answered_at": START + 8 * SECOND,
            "applied": True,
            "refusal": "",
            "state_before": "stopped",
            "state_after": "stopped",
        }
        return CommandAnswered(**{**defaults, **given})

    def reversal(self, **given: Any) -> DecisionReversed:
        defaults: dict[str, Any] = {
            **self._effect,
            "reversal_id": self._id("reversal"),
            "takedown_id": self._id("takedown"),
            "reversed_at": START + 9 * SECOND,
            "operator": "reviewer-5",
            "reason": "a toy",
            "cause_id": self._id("command"),
        }
        return DecisionReversed(**{**defaults, **given})

    def closure(self, **given: Any) -> IncidentClosed:
        defaults: dict[str, Any] = {
            **self._effect,
            "closure_id": self._id("closure"),
            "closed_at": START + 10 * SECOND,
            "outcome": "confirmed",
            "operator": "reviewer-4",
            "reason": "a rifle is aimed at people",
            "cause_id": self._id("command"),
        }
        return IncidentClosed(**{**defaults, **given})

    def whole(self) -> list[Event]:
        """From the start of the stream to the closing of the incident, confirmed by a person."""
        return [
            self.started(),
            self.risk(),
            self.boost(),
            self.escalation(),
            self.takedown(),
            self.referral(),
            self.acknowledgement(),
            self.unwatched(),
            self.command(),
            self.answer(),
            self.closure(),
        ]


def record(*events: Event, given_id: str | None = None) -> IncidentRecord:
    """What the topics hold, each event written once, in the order given."""
    places = [
        Place(topics.TOPIC_OF[type(event).__name__], 0, number, START + number)
        for number, event in enumerate(events)
    ]
    found = in_order(zip(events, places, strict=True))
    return IncidentRecord(given_id or incident_id(STREAM, SESSION), found)
