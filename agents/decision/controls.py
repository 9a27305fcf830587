"""What holds back takedowns everywhere, and which accounts were taken down. Pure.

Every worker folds the same events of all partitions into controls of its own, in whatever order
partitions come and each event any number of times: what its own partitions decide it applies at
once, and again when that has come round through the topics. Two workers can each ask for a takedown
in the moment that the other's is on its way, so that the breaker's budget may be passed by as many
takedowns as are decided within that; never for longer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from schemas import (
    BreakerTripped,
    DecisionReversed,
    Event,
    OperatorCommanded,
    StreamsCounted,
    TakedownRequested,
)

from .accounts import Former, TakenDown
from .breaker import Breaker, explain
from .commands import Command, refusal_of_scope
from .holds import Hold, HoldReason, KillSwitches
from .moments import Moment, moment, told
from .policy import Policy

__all__ = ["Controls", "Former", "Hold", "HoldReason"]

UNKNOWN = Hold(
    HoldReason.CONTROLS_UNKNOWN,
    "this worker does not know at the moment whether the breaker is open or a person ordered "
    "takedowns to be held back",
    until=0,
)


class Controls:
    """``known`` tells whether what was applied is all there is, as far as can be; while it is not,
    takedowns are held back."""

    def __init__(self, known: Callable[[], bool] = lambda: True) -> None:
        self._known = known
        self._breaker = Breaker()
        self._switches = KillSwitches()
        self._taken_down = TakenDown()

    def apply(self, event: Event, appended_at: int = -1) -> None:
        """Take in ``event``, which the brokers appended at ``appended_at`` (-1: not known, or not
        yet).

        Events that nothing here follows from, and orders that are refused, change nothing.
        """
        when = moment(event.time, appended_at)
        match event:
            case TakedownRequested():
                self._breaker.take_down(event, when)
                self._taken_down.mark(event, when)
            case DecisionReversed():
                self._taken_down.unmark(event.takedown_id, when)
            case BreakerTripped():
                self._breaker.trip(event, when)
            case StreamsCounted():
                self._breaker.count(event)
            case OperatorCommanded() if refusal_of_scope(event, event.issued_at) is None:
                self._obey(event, when)

    def hold(self, policy: Policy, region: str, now: int) -> Hold | None:
        """Why a stream of ``region`` that ``policy`` decides about is not taken down by it."""
        ordered = self._switches.hold(policy, region, now)
        if ordered is not None:
            return ordered
        trip = self._breaker.open(policy, now)
        if trip is not None:
            return Hold(HoldReason.BREAKER, explain(trip), trip.expires_at)
        return None if self._known() else UNKNOWN

    def trip(self, policy: Policy, now: int) -> BreakerTripped | None:
        """The breaker's trip that is due; apply it and publish it."""
        return self._breaker.due(policy, now)

    def former(
        self, stream_id: str, account_id: str, session_id: str, now: int, drill: bool = False
    ) -> Former | None:
        """The takedown that a session of the stream, or of a known account, comes after."""
        return self._taken_down.former(stream_id, account_id, session_id, now, drill)

    def status(self, policy: Policy, now: int) -> Mapping[str, object]:
        """How things stand under ``policy``, for people to read."""
        trip = self._breaker.open(policy, now)
        at_risk, live = self._breaker.at_risk(now)
        return {
            "known": self._known(),
            "streams_unwatched": self._breaker.unwatched(now),
            "breaker": {
                "open": trip is not None,
                "until": told(trip.expires_at) if trip else None,
                "why": trip.explanation if trip else None,
                "by": (trip.by or None) if trip else None,
                "order": (trip.order_id or None) if trip else None,
                "takedowns": self._breaker.counted(policy, now),
                "opens_at_takedowns": policy.breaker.takedowns,
                "streams_at_risk": at_risk,
                "streams_live": live,
            },
            "kill_switches": [
                {
                    "scope": str(scope),
                    "until": told(until),
                    "by": order.operator,
                    "why": order.reason,
                    "order": order.order_id,
                }
                for scope, until, order in sorted(
                    self._switches.in_force(policy, now), key=lambda it: (str(it[0]), it[1])
                )
            ],
        }

    def _obey(self, command: OperatorCommanded, when: Moment) -> None:
        match Command(command.command):
            case Command.HOLD_TAKEDOWNS | Command.LIFT_HOLD:
                self._switches.order(command, when)
            case Command.TRIP_BREAKER:
                self._breaker.trip_as_ordered(command, when)
            case Command.CLOSE_BREAKER:
                self._breaker.close(command, when)
