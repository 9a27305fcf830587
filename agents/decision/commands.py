"""What people can order, of a stream or of a scope. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from schemas import OperatorCommanded

from .states import Refusal


class Command(StrEnum):
    """An order; those from ``HOLD_TAKEDOWNS`` on are about a scope, the others about a stream."""

    TAKEDOWN = "takedown"
    RELEASE = "release"
    SUPPRESS = "suppress"
    RESUME = "resume"
    VERDICT_TRUE = "verdict-true"
    VERDICT_FALSE = "verdict-false"
    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    """Gives the incident into somebody's hands, one's own or another's, or back."""
    ESCALATE = "escalate"
    """Puts the incident before more people, as one that is graver."""
    HOLD_TAKEDOWNS = "hold-takedowns"
    """The kill switch: what would be taken down by the policy is escalated instead."""
    LIFT_HOLD = "lift-hold"
    CLOSE_BREAKER = "close-breaker"
    TRIP_BREAKER = "trip-breaker"


OF_SCOPES = frozenset(
    {Command.HOLD_TAKEDOWNS, Command.LIFT_HOLD, Command.CLOSE_BREAKER, Command.TRIP_BREAKER}
)
LIMITED = frozenset({Command.SUPPRESS, Command.HOLD_TAKEDOWNS, Command.TRIP_BREAKER})
"""What is ordered for a time only, so that nobody has to remember to take it back."""
OF_INCIDENTS = frozenset({Command.ASSIGN, Command.ESCALATE})
"""What is of use while an incident is open, and of none otherwise."""
LOCKED = frozenset({Command.ACKNOWLEDGE, Command.VERDICT_TRUE, Command.VERDICT_FALSE})
"""What of an incident is left to whoever has it in hand, so that two do not do the same work. What
protects people or streams is nobody's alone, and anybody may assign the incident to themselves."""
OF_THE_BREAKER = frozenset({Command.CLOSE_BREAKER, Command.TRIP_BREAKER})
"""There is one: what is ordered of it is ordered of ``all``."""


class ScopeKind(StrEnum):
    """What a scope names."""

    ALL = "all"
    REGION = "region"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Scope:
    """Streams that an order is about. ``name`` is a region's or a policy's; empty for all."""

    kind: ScopeKind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else str(self.kind)

    def covers(self, region: str, policy: str) -> bool:
        """Whether a stream of ``region``, decided about by the policy of this name, is in it.

        A stream whose region is not known is in no region.
        """
        match self.kind:
            case ScopeKind.ALL:
                return True
            case ScopeKind.REGION:
                return self.name == region
            case ScopeKind.POLICY:
                return self.name == policy


_SCOPE = re.compile(r"all|(?P<kind>region|policy):(?P<name>[^:]+)")
_NAMES = {
    ScopeKind.REGION: re.compile(r"[A-Z]{2}"),
    ScopeKind.POLICY: re.compile(r"[a-z0-9-]{1,64}"),
}


def read_scope(text: str) -> Scope | None:
    """The scope that ``all``, ``region:XX`` or ``policy:NAME`` names; none for anything else."""
    found = _SCOPE.fullmatch(text)
    if found is None:
        return None
    if found["kind"] is None:
        return Scope(ScopeKind.ALL)
    kind, name = ScopeKind(found["kind"]), found["name"]
    return Scope(kind, name) if _NAMES[kind].fullmatch(name) else None


def refusal_of_scope(command: OperatorCommanded, now: int) -> Refusal | None:
    """Why an order about a scope is carried out nowhere; none where it is carried out."""
    if command.command not in OF_SCOPES:
        return Refusal.UNKNOWN_COMMAND
    scope = read_scope(command.scope)
    if scope is None or (command.command in OF_THE_BREAKER and scope.kind is not ScopeKind.ALL):
        return Refusal.UNKNOWN_SCOPE
    if not command.reason.strip() or not command.operator.strip():
        return Refusal.NO_REASON
    if command.command in LIMITED:
        if command.until == 0:
            return Refusal.NO_TIME_LIMIT
        if command.until <= now:
            return Refusal.EXPIRED
    return None
