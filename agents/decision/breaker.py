"""The breaker: what looks like too many attacks at once is put before people first. Pure.

It trips when, over all partitions, as many takedowns were asked for within a while as the policy
allows, or when the share of live streams that are at risk passes the policy's. Then takedowns
become escalations until an operator closes it or the trip expires. Takedowns that people order
neither trip it nor are held back by it, and drills do not count.

What comes after a trip or a closing counts anew: the takedowns before it have had their say. So
have the streams at risk, but those are numbers, of which nobody knows how many are the same
streams; what counts as at risk is an incident that opened within ``BreakerLimits.within``
(``telling.count``), so that after a closing the share is looked at again once that has passed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from schemas import (
    MICROSECONDS,
    BreakerTripped,
    OperatorCommanded,
    StreamsCounted,
    TakedownRequested,
    derive_id,
)

from .moments import Moment, Remembered, told
from .policy import Policy

_TAKEDOWNS_KEPT = 100_000
"""As many as a policy may allow."""
_TRIPS_KEPT = 1_000
_CLOSINGS_KEPT = 100
_COUNT_STANDS = 60 * MICROSECONDS
"""A count that is older says nothing of now: its partition may be with nobody."""
_MINUTE = 60 * MICROSECONDS


@dataclass(frozen=True, slots=True)
class Trip:
    """Why the breaker is open, and until when unless it is closed."""

    explanation: str
    expires_at: int
    by: str
    """The policy, or the person who ordered it, who may order only as much as the policy allows.
    Empty where the person's order has not been read."""
    order_id: str = ""
    """The person's order; empty where it is the policy's."""

    @property
    def ordered(self) -> bool:
        return bool(self.order_id)


class Breaker:
    """Folds takedowns, counts, trips and closings of all partitions, in whatever order.

    Remembers the last 100,000 takedowns, 1,000 trips and 100 closings, and a count a partition.
    """

    def __init__(self) -> None:
        self._takedowns: Remembered[None] = Remembered(_TAKEDOWNS_KEPT)
        self._trips: Remembered[Trip] = Remembered(_TRIPS_KEPT)
        self._closings: Remembered[None] = Remembered(_CLOSINGS_KEPT)
        self._counts: dict[int, StreamsCounted] = {}

    def take_down(self, takedown: TakedownRequested, when: Moment) -> None:
        """Count a takedown, however often it is asked for."""
        if not takedown.drill and not takedown.operator:
            self._takedowns.note(takedown.takedown_id, when, None)

    def count(self, counted: StreamsCounted) -> None:
        """Take in how the streams of a partition stand; the newest count stands for it."""
        known = self._counts.get(counted.partition)
        if known is None or _age(known) < _age(counted):
            self._counts[counted.partition] = counted

    def trip(self, tripped: BreakerTripped, when: Moment) -> None:
        """The breaker tripped, in whatever partition."""
        ordered = tripped.cause == "operator"
        by, order_id = ("", tripped.trip_id) if ordered else (tripped.policy, "")
        trip = Trip(tripped.explanation, tripped.expires_at, by, order_id)
        self._trips.note(tripped.trip_id, when, trip)

    def trip_as_ordered(self, command: OperatorCommanded, when: Moment) -> None:
        """A person orders it open, until the order's ``until``. What is published of it has the
        order's id too."""
        why = f"a person ordered so: {command.reason}"
        trip = Trip(why, command.until, command.operator, command.command_id)
        self._trips.note(command.command_id, when, trip)

    def close(self, command: OperatorCommanded, when: Moment) -> None:
        """A person closes it: whatever tripped it before no longer holds it open."""
        self._closings.note(command.command_id, when, None)

    def open(self, policy: Policy, now: int) -> Trip | None:
        """The trip that keeps it open longest; none where it is closed."""
        closed_at = self._closed_at()
        standing = []
        for at, trip_id, trip in self._trips:
            longest = at + policy.longest_override if trip.ordered else trip.expires_at
            expires_at = min(trip.expires_at, longest)
            if at > closed_at and expires_at > now:
                standing.append((expires_at, trip_id, trip))
        if not standing:
            return None
        expires_at, _, trip = max(standing, key=lambda it: it[:2])
        return replace(trip, expires_at=expires_at)

    def due(self, policy: Policy, now: int) -> BreakerTripped | None:
        """The trip that is due by ``now``; none where nothing is too much, or it is open."""
        if self.open(policy, now) is not None:
            return None
        return self._by_takedowns(policy, now) or self._by_risk(policy, now)

    def counted(self, policy: Policy, now: int) -> int:
        """Takedowns that count against the policy's budget."""
        return len(self._within(policy, now))

    def at_risk(self, now: int) -> tuple[int, int]:
        """How many streams are at risk and how many are live, as far as counts stand."""
        standing = self._standing(now)
        return sum(it.at_risk for it in standing), sum(it.live for it in standing)

    def unwatched(self, now: int) -> int:
        """How many live streams are not judged in time, as far as counts stand."""
        return sum(it.unwatched for it in self._standing(now))

    def _standing(self, now: int) -> list[StreamsCounted]:
        return [it for it in self._counts.values() if it.counted_at > now - _COUNT_STANDS]

    def _by_takedowns(self, policy: Policy, now: int) -> BreakerTripped | None:
        limits = policy.breaker
        if len(self._takedowns) < limits.takedowns:
            return None
        counted = self._within(policy, now)
        if len(counted) < limits.takedowns:
            return None
        _, tipped_by = counted[limits.takedowns - 1]
        explanation = (
            f"{len(counted)} takedowns were asked for within {limits.within / _MINUTE:g} minutes, "
            f"and from {limits.takedowns} on people decide"
        )
        return self._tripped(policy, now, "takedowns", explanation, tipped_by)

    def _by_risk(self, policy: Policy, now: int) -> BreakerTripped | None:
        limits = policy.breaker
        at_risk, live = self.at_risk(now)
        if at_risk < max(limits.at_least_at_risk, limits.share_at_risk * live, 1):
            return None
        newest = max(self._counts.values(), key=_age)
        if newest.counted_at <= self._closed_at() + limits.within:
            return None
        explanation = (
            f"{at_risk} of {live} live streams are at risk, and from "
            f"{limits.share_at_risk * 100:g}% on (and {limits.at_least_at_risk}) people decide"
        )
        return self._tripped(policy, now, "streams-at-risk", explanation, newest.id)

    def _within(self, policy: Policy, now: int) -> list[tuple[int, str]]:
        """When each takedown that counts was asked for, and its id; in that order."""
        before = max((at for at, _, _ in self._trips), default=0)
        since = max(now - policy.breaker.within, before, self._closed_at())
        return sorted((at, takedown_id) for at, takedown_id, _ in self._takedowns if at > since)

    def _closed_at(self) -> int:
        return max((at for at, _, _ in self._closings), default=0)

    def _tripped(
        self, policy: Policy, now: int, cause: str, explanation: str, tipped_by: str
    ) -> BreakerTripped:
        # A partition that lags behind must not trip it into a past in which it was closed.
        tripped_at = max(now, self._closed_at() + 1)
        return BreakerTripped(
            trip_id=derive_id("trip", cause, tipped_by, tripped_at),
            cause=cause,
            tripped_at=tripped_at,
            expires_at=tripped_at + policy.breaker.lasts,
            explanation=explanation,
            policy=policy.label,
            policy_digest=policy.digest,
        )


def explain(trip: Trip) -> str:
    """Why takedowns are held back while ``trip`` stands."""
    return f"the breaker is open until {told(trip.expires_at)}: {trip.explanation}"


def _age(counted: StreamsCounted) -> tuple[int, int, int]:
    return counted.counted_at, counted.at_risk, counted.live
