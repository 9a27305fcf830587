"""What a decision is about: why it is taken, of which session, under which policy. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemas import derive_id

from .policy import Policy, Severity
from .session import Grounds, Session


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something is decided: by a rule of the policy, or by a person."""

    id: str
    """Of the event that led to it."""
    at: int
    """The time that effects carry: the event's."""
    rule: str
    explain: Callable[[], str]
    """Why in words, for whoever it hits; called once somebody is told."""
    severity: Severity = Severity.CRITICAL
    grounds: Grounds | None = None
    """What it rests on; that of the incident where the event brings none."""
    operator: str = ""
    reason: str = ""
    confirms: bool = False
    """Whether that person's verdict is that it is real."""


@dataclass(frozen=True, slots=True)
class Case:
    """One decision to be taken. ``now`` is the partition's time: limits are measured in it."""

    policy: Policy
    stream_id: str
    session_id: str
    now: int
    cause: Cause
    until: int = 0
    """When what a person orders lapses; 0 where it does not."""
    assignee: str = ""
    """Whom a person gives the incident to."""

    @property
    def incident_id(self) -> str:
        return incident_id(self.stream_id, self.session_id)


def incident_id(stream_id: str, session_id: str) -> str:
    """There is one incident a session."""
    return derive_id("incident", stream_id, session_id)


def about(case: Case, session: Session) -> dict[str, Any]:
    """The fields that every effect of a case has."""
    return {
        "stream_id": case.stream_id,
        "session_id": case.session_id,
        "cause_id": case.cause.id,
        "policy": case.policy.label,
        "policy_digest": case.policy.digest,
        "drill": session.drill,
    }


def grounds_of(case: Case, session: Session) -> Grounds:
    """What the case rests on: what its event brings, or its incident had."""
    if case.cause.grounds is not None:
        return case.cause.grounds
    return session.incident.grounds if session.incident else Grounds()


def grounded(case: Case, session: Session) -> dict[str, Any]:
    """The fields of an effect that people must be able to follow up."""
    grounds = grounds_of(case, session)
    return {
        **about(case, session),
        "incident_id": case.incident_id,
        "rule": case.cause.rule,
        "explanation": case.cause.explain(),
        "risk": grounds.risk,
        "evidence": list(grounds.evidence),
        "bundle": grounds.bundle,
        "bundle_digest": grounds.bundle_digest,
    }
