"""A policy on trial: it decides beside the one that counts, and only differences are told. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from schemas import (
    EscalationRaised,
    Event,
    PoliciesDisagreed,
    RiskAssessed,
    SamplingBoostRequested,
    StreamUpdated,
    TakedownRequested,
    derive_id,
)

from .controls import Controls
from .partition import PartitionDecisions
from .policies import Policies
from .policy import Policy
from .turn import Outcome

_COMPARED = (TakedownRequested, EscalationRaised, SamplingBoostRequested)


@dataclass(slots=True)
class Shadow:
    """Follows one partition. It begins with what is known when its policy comes into force."""

    _policy: Policy | None = None
    _decisions: PartitionDecisions = field(default_factory=PartitionDecisions)

    def follow(
        self,
        event: Event,
        live: Outcome,
        decisions: PartitionDecisions,
        policies: Policies,
        controls: Controls,
        *,
        at: int = -1,
    ) -> PoliciesDisagreed | None:
        """Take in ``event``, of which ``live`` was made; where the policy on trial asks for
        something else, that. ``at`` is when the brokers took it."""
        policy = policies.shadow
        if policy is None:
            self._policy = None
            return None
        if self._policy is None or self._policy.digest != policy.digest:
            self._policy = policy
            self._decisions = PartitionDecisions(dict(decisions.sessions), trial=True)
            return None
        outcome = self._decisions.take(event, Policies(policy), controls, at=at)
        if not isinstance(event, RiskAssessed | StreamUpdated):
            return None
        asked, would_ask = _compared(live), _compared(outcome)
        if [type(it) for it in asked] == [type(it) for it in would_ask]:
            return None
        counts = policies.of(event.stream_id)
        return PoliciesDisagreed(
            disagreement_id=derive_id("policies", event.id, counts.digest, policy.digest),
            stream_id=event.stream_id,
            session_id=event.session_id,
            decided_at=event.time,
            cause_id=event.id,
            policy=counts.label,
            policy_digest=counts.digest,
            effects=[type(it).__name__ for it in asked],
            explanation=_explained(asked),
            shadow_policy=policy.label,
            shadow_digest=policy.digest,
            shadow_effects=[type(it).__name__ for it in would_ask],
            shadow_explanation=_explained(would_ask),
            drill=event.drill,
        )


_Compared = TakedownRequested | EscalationRaised | SamplingBoostRequested


def _compared(outcome: Outcome) -> list[_Compared]:
    return [it for it in outcome.effects if isinstance(it, _COMPARED)]


def _explained(effects: list[_Compared]) -> str:
    return effects[0].explanation if effects else ""
