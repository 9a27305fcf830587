"""What is decided about a stream, and what follows for it. Each id follows from its cause."""

from __future__ import annotations

from .base import FrameRef, Record


class TakedownRequested(Record, frozen=True):
    """Stop this stream. Asked again with the same id, and word for word, until it is answered."""

    ID = "takedown_id"
    TIME = "requested_at"

    takedown_id: str
    incident_id: str
    stream_id: str
    session_id: str
    requested_at: int
    rule: str
    explanation: str
    risk: float
    evidence: list[FrameRef]
    cause_id: str
    """Id of the event that tipped the decision: a risk's or an operator's command's."""
    policy: str
    policy_digest: str
    bundle: str
    bundle_digest: str
    drill: bool = False
    account_id: str = ""
    operator: str = ""
    """Who ordered it; empty where the policy did."""


class EscalationRaised(Record, frozen=True):
    """Put this stream before a person."""

    ID = "escalation_id"
    TIME = "raised_at"

    escalation_id: str
    incident_id: str
    stream_id: str
    session_id: str
    raised_at: int
    severity: str
    """``elevated``, ``high`` or ``critical``."""
    rule: str
    explanation: str
    risk: float
    evidence: list[FrameRef]
    cause_id: str
    policy: str
    policy_digest: str
    bundle: str
    bundle_digest: str
    drill: bool = False
    change: str = "opened"
    """What it is to its incident: ``opened``, ``updated``, ``repeated`` where nobody answered in
    time, ``widened`` where a person wants more people on it, ``reopened``."""
    routes: list[str] = []
    """Whom it is for, as the policy names them."""
    answer_by: int = 0
    """When it is raised again unless somebody answers; 0 where nothing is waited for."""
    viewers: int = -1
    region: str = ""


class SamplingBoostRequested(Record, frozen=True):
    """Sample this stream faster for a while."""

    ID = "boost_id"
    TIME = "requested_at"

    boost_id: str
    incident_id: str
    stream_id: str
    session_id: str
    requested_at: int
    frames_per_second: float
    until: int
    rule: str
    explanation: str
    cause_id: str
    policy: str
    policy_digest: str
    drill: bool = False


class ReferralPrepared(Record, frozen=True):
    """What the police would need to know is ready. A person sends it, nothing does so by itself."""

    ID = "referral_id"
    TIME = "prepared_at"

    referral_id: str
    incident_id: str
    stream_id: str
    session_id: str
    prepared_at: int
    recipient: str
    """The law-enforcement route of the stream's region, as the policy names it."""
    region: str
    rule: str
    explanation: str
    risk: float
    evidence: list[FrameRef]
    cause_id: str
    policy: str
    policy_digest: str
    bundle: str
    bundle_digest: str
    drill: bool = False
    operator: str = ""
    """Who confirmed it; empty where nobody has yet."""


class DecisionReversed(Record, frozen=True):
    """A person took a takedown back: let the stream go on, and put right what it caused."""

    ID = "reversal_id"
    TIME = "reversed_at"

    reversal_id: str
    incident_id: str
    takedown_id: str
    stream_id: str
    session_id: str
    reversed_at: int
    operator: str
    reason: str
    cause_id: str
    policy: str
    policy_digest: str
    drill: bool = False
    account_id: str = ""


class IncidentClosed(Record, frozen=True):
    """Nothing is left to do about an incident."""

    ID = "closure_id"
    TIME = "closed_at"

    closure_id: str
    incident_id: str
    stream_id: str
    session_id: str
    closed_at: int
    outcome: str
    """``confirmed``, ``rejected`` or ``unanswered``."""
    operator: str
    reason: str
    cause_id: str
    policy: str
    policy_digest: str
    drill: bool = False


class CommandAnswered(Record, frozen=True):
    """What became of an :class:`OperatorCommanded`: with it, the record of who did what and why."""

    ID = "answer_id"
    TIME = "answered_at"

    answer_id: str
    command_id: str
    command: str
    stream_id: str
    session_id: str
    scope: str
    incident_id: str
    operator: str
    reason: str
    answered_at: int
    applied: bool
    refusal: str
    """A member of ``Refusal`` where it was not applied, empty otherwise."""
    state_before: str
    state_after: str
    held_by: str = ""
    """Who has the incident in hand after it; empty where nobody has, or nothing is open."""
    answer_by: int = 0
    """When the incident is raised again unless somebody answers; 0 where nothing is waited for."""

    @property
    def subject(self) -> str:
        return self.stream_id or self.scope
