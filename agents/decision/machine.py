"""The decision as a state machine: one per stream and session. Pure.

``TRANSITIONS`` is the specification. A state and a grade lead to a state and to what is asked for
on the way; whatever is deliberately not asked for is a :class:`Refusal`. A session never falls
back from escalated or takedown requested by itself: only people close an incident.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from schemas import EscalationRaised, RiskAssessed, TakedownRequested, derive_id

from .policy import Grade, Policy, Verdict, judge


class State(StrEnum):
    """Where a stream stands."""

    CLEAR = "clear"
    WATCHING = "watching"
    ESCALATED = "escalated"
    TAKEDOWN_REQUESTED = "takedown-requested"


class Ask(StrEnum):
    """An effect that a transition asks for."""

    ESCALATE = "escalate"
    ESCALATE_CRITICAL = "escalate-critical"
    TAKEDOWN = "takedown"


class Refusal(StrEnum):
    """Why an effect is deliberately not issued."""

    ALREADY_ESCALATED = "already-escalated"
    ALREADY_REQUESTED = "already-requested"
    NO_EVIDENCE = "no-evidence"


@dataclass(frozen=True, slots=True)
class Transition:
    """Where to, what is asked for, and what is refused."""

    to: State
    asks: tuple[Ask, ...] = ()
    refusal: Refusal | None = None


_TAKE_DOWN = Transition(State.TAKEDOWN_REQUESTED, (Ask.ESCALATE_CRITICAL, Ask.TAKEDOWN))
_ESCALATE = Transition(State.ESCALATED, (Ask.ESCALATE,))

TRANSITIONS: dict[tuple[State, Grade], Transition] = {
    (State.CLEAR, Grade.NONE): Transition(State.CLEAR),
    (State.CLEAR, Grade.WATCH): Transition(State.WATCHING),
    (State.CLEAR, Grade.ESCALATE): _ESCALATE,
    (State.CLEAR, Grade.TAKEDOWN): _TAKE_DOWN,
    (State.WATCHING, Grade.NONE): Transition(State.CLEAR),
    (State.WATCHING, Grade.WATCH): Transition(State.WATCHING),
    (State.WATCHING, Grade.ESCALATE): _ESCALATE,
    (State.WATCHING, Grade.TAKEDOWN): _TAKE_DOWN,
    (State.ESCALATED, Grade.NONE): Transition(State.ESCALATED),
    (State.ESCALATED, Grade.WATCH): Transition(State.ESCALATED),
    (State.ESCALATED, Grade.ESCALATE): Transition(
        State.ESCALATED, refusal=Refusal.ALREADY_ESCALATED
    ),
    (State.ESCALATED, Grade.TAKEDOWN): _TAKE_DOWN,
    (State.TAKEDOWN_REQUESTED, Grade.NONE): Transition(State.TAKEDOWN_REQUESTED),
    (State.TAKEDOWN_REQUESTED, Grade.WATCH): Transition(State.TAKEDOWN_REQUESTED),
    (State.TAKEDOWN_REQUESTED, Grade.ESCALATE): Transition(
        State.TAKEDOWN_REQUESTED, refusal=Refusal.ALREADY_REQUESTED
    ),
    (State.TAKEDOWN_REQUESTED, Grade.TAKEDOWN): Transition(
        State.TAKEDOWN_REQUESTED, refusal=Refusal.ALREADY_REQUESTED
    ),
}


class SessionDecision(msgspec.Struct, frozen=True):
    """What is remembered of one session of a stream between risks."""

    state: State = State.CLEAR
    decided_at: int = 0
    """Event time of the risk that last changed it, microseconds since the epoch."""


Effect = TakedownRequested | EscalationRaised


@dataclass(frozen=True, slots=True)
class Decision:
    """The next state, the effects in the order to issue them, and what was refused."""

    state: SessionDecision
    effects: tuple[Effect, ...] = ()
    refusal: Refusal | None = None


def decide(policy: Policy, known: SessionDecision | None, risk: RiskAssessed) -> Decision:
    """What follows from ``risk`` for a session of which ``known`` is remembered.

    Deciding the same again gives the same effects under the same ids, or fewer.
    """
    before = known or SessionDecision()
    verdict = judge(policy, risk)
    transition = TRANSITIONS[before.state, verdict.grade]
    if transition.asks and not risk.evidence:
        return Decision(before, refusal=Refusal.NO_EVIDENCE)
    if transition.to == before.state:
        return Decision(before, refusal=transition.refusal)
    after = SessionDecision(transition.to, risk.assessed_at)
    effects = tuple(_effect(ask, policy, verdict, risk) for ask in transition.asks)
    return Decision(after, effects, transition.refusal)


def _effect(ask: Ask, policy: Policy, verdict: Verdict, risk: RiskAssessed) -> Effect:
    incident_id = derive_id("incident", risk.stream_id, risk.session_id)
    shared: dict[str, Any] = {
        "incident_id": incident_id,
        "stream_id": risk.stream_id,
        "session_id": risk.session_id,
        "rule": verdict.rule,
        "explanation": verdict.explanation,
        "risk": risk.risk,
        "evidence": risk.evidence,
        "cause_id": risk.risk_id,
        "policy": policy.label,
        "policy_digest": policy.digest,
        "bundle": risk.bundle,
        "bundle_digest": risk.bundle_digest,
        "drill": risk.drill,
    }
    effect_id = derive_id(ask, incident_id, risk.risk_id)
    match ask:
        case Ask.TAKEDOWN:
            return TakedownRequested(takedown_id=effect_id, requested_at=risk.assessed_at, **shared)
        case Ask.ESCALATE | Ask.ESCALATE_CRITICAL:
            severity = "critical" if ask is Ask.ESCALATE_CRITICAL else "high"
            return EscalationRaised(
                escalation_id=effect_id, raised_at=risk.assessed_at, severity=severity, **shared
            )
