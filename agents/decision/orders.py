"""Orders about a scope: who is told what of them. What they do is in ``controls``. Pure."""

from __future__ import annotations

from schemas import BreakerTripped, Event, OperatorCommanded

from .answering import answered_scope
from .commands import Command, refusal_of_scope
from .controls import Controls
from .policy import Policy


def of_scope(
    command: OperatorCommanded, now: int, policy: Policy, controls: Controls
) -> list[Event]:
    """What follows from an order about a scope: its answer, last."""
    refusal = refusal_of_scope(command, now)
    effects: list[Event] = []
    if refusal is None:
        controls.apply(command)
        if command.command == Command.TRIP_BREAKER:
            effects.append(_tripped(command, now, policy))
    return [*effects, answered_scope(command, refusal, now)]


def _tripped(command: OperatorCommanded, now: int, policy: Policy) -> BreakerTripped:
    return BreakerTripped(
        # The controls know the trip by the order, which reaches them too.
        trip_id=command.command_id,
        cause="operator",
        tripped_at=command.issued_at,
        expires_at=min(command.until, now + policy.longest_override),
        explanation=f"Ordered by a person: {command.reason}",
        policy=policy.label,
        policy_digest=policy.digest,
    )
