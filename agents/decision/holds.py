"""Why takedowns are held back, and the kill switches, which are one reason. Pure.

A kill switch is an order to hold takedowns in a scope, for a time. Of the orders about a scope the
newest counts, whether it holds or lifts; scopes do not lift each other's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from schemas import OperatorCommanded

from .commands import Command, Scope, read_scope
from .moments import Moment, Remembered, told
from .policy import Policy

_SCOPES_KEPT = 1_000
_ORDERS_KEPT = 8
"""Of a scope. The newest one counts: the others matter only while clocks disagree about which."""


class HoldReason(StrEnum):
    """Why nothing is taken down by the policy."""

    BREAKER = "breaker"
    KILL_SWITCH = "kill-switch"
    CONTROLS_UNKNOWN = "controls-unknown"
    """Whether one of the others holds is not known, so a person is asked."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What would be taken down is put before people instead, until ``until``.

    ``explanation`` is for them. ``until`` is 0 where nobody knows yet.
    """

    reason: HoldReason
    explanation: str
    until: int


@dataclass(frozen=True, slots=True)
class _Order:
    order_id: str
    operator: str
    reason: str
    until: int
    """0 where it lifts."""


class KillSwitches:
    """Folds orders to hold takedowns and to lift that, in whatever order they come.

    At most 1,000 scopes are remembered; beyond these, the one whose hold lapses first is dropped.
    """

    def __init__(self) -> None:
        self._scopes: dict[Scope, Remembered[_Order]] = {}

    def order(self, command: OperatorCommanded, when: Moment) -> None:
        """Take in an order, as ``commands.refusal_of_scope`` leaves it."""
        scope = read_scope(command.scope)
        if scope is None:
            return
        until = command.until if command.command == Command.HOLD_TAKEDOWNS else 0
        orders = self._scopes.setdefault(scope, Remembered(_ORDERS_KEPT))
        order = _Order(command.command_id, command.operator, command.reason, until)
        orders.note(command.command_id, when, order)
        if len(self._scopes) > _SCOPES_KEPT:
            del self._scopes[min(self._scopes, key=lambda it: _newest(self._scopes[it])[1].until)]

    def hold(self, policy: Policy, region: str, now: int) -> Hold | None:
        """What holds back takedowns of a stream; where several do, the one that lapses last."""
        covering = (
            (until, scope, order)
            for scope, until, order in self.in_force(policy, now)
            if scope.covers(region, policy.name)
        )
        found = max(covering, key=lambda it: (it[0], str(it[1])), default=None)
        if found is None:
            return None
        until, scope, order = found
        explanation = f"a person ordered so for {scope} until {told(until)}: {order.reason}"
        return Hold(HoldReason.KILL_SWITCH, explanation, until)

    def in_force(self, policy: Policy, now: int) -> Iterator[tuple[Scope, int, _Order]]:
        """Each scope that is held, until when, and the order."""
        for scope, orders in self._scopes.items():
            at, order = _newest(orders)
            # However long was ordered, no longer than the policy allows.
            until = min(order.until, at + policy.longest_override)
            if until > now:
                yield scope, until, order


def _newest(orders: Remembered[_Order]) -> tuple[int, _Order]:
    at, _, order = max(orders, key=lambda it: it[:2])
    return at, order
