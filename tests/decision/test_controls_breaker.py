"""The breaker: what trips it, what it does not count, how it closes, and what counts anew."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from agents.decision.controls import Controls, HoldReason
from agents.decision.policy import BreakerLimits, Policy
from schemas import BreakerTripped, Event
from tests.builders import SECOND

from .events import counted, takedown, tripped
from .timeline import MINUTE, at, order

LIMITS = BreakerLimits(
    takedowns=3,
    within=10 * MINUTE * SECOND,
    share_at_risk=0.05,
    at_least_at_risk=20,
    lasts=60 * MINUTE * SECOND,
)
POLICY = Policy("default", "3", rules=(), breaker=LIMITS)


def takedowns(*seconds: float, first: int = 0) -> Iterable[Event]:
    """Of one stream each."""
    return (takedown(it, f"stream-{first + number}") for number, it in enumerate(seconds))


def controls(*events: Event) -> Controls:
    made = Controls()
    for event in events:
        made.apply(event)
    return made


def cause(made: Controls, seconds: float) -> str | None:
    due = made.trip(POLICY, at(seconds))
    return due.cause if due else None


def opened(made: Controls, seconds: float) -> BreakerTripped:
    """As decisions do it: what is due is applied, and published."""
    due = made.trip(POLICY, at(seconds))
    assert due is not None
    made.apply(due)
    return due


#   0 s ── 300 s ── 599 s    three within ten minutes, up to 599 s from the first
@pytest.mark.parametrize(
    ("seconds", "now", "trips"),
    [
        ((0, 300, 599), 599.9, True),
        ((0, 300, 599), 600, False),
        ((0, 300), 300, False),
        ((0, 1, 2, 3, 4, 5), 5, True),
        ((0, 1, 2), 0.5, True),
    ],
    ids=["just-within", "the-first-is-out", "under-budget", "over-budget", "of-a-lagging-worker"],
)
def test_as_many_takedowns_as_the_budget_within_its_time_are_too_many(
    seconds: tuple[float, ...], now: float, trips: bool
) -> None:
    """A worker whose partition lags behind counts what is ahead of it as well."""
    assert cause(controls(*takedowns(*seconds)), now) == ("takedowns" if trips else None)


@pytest.mark.parametrize(
    "third",
    [
        takedown(2, "stream-1"),
        takedown(2, "stream-9", drill=True),
        takedown(2, "stream-9", operator="operator-7"),
    ],
    ids=["asked-for-again", "drill", "ordered-by-a-person"],
)
def test_retries_drills_and_what_people_order_do_not_count(third: Event) -> None:
    assert cause(controls(*takedowns(0, 1), third), 3) is None
    assert cause(controls(*takedowns(0, 1, 2)), 3) == "takedowns"


def test_a_trip_says_why_under_which_policy_and_until_when() -> None:
    due = controls(*takedowns(0, 1, 2)).trip(POLICY, at(3))
    assert due is not None
    assert (due.tripped_at, due.expires_at) == (at(3), at(3 + 60 * MINUTE))
    assert (due.policy, due.policy_digest) == (POLICY.label, POLICY.digest)
    assert due.explanation == (
        "3 takedowns were asked for within 10 minutes, and from 3 on people decide"
    )


def test_workers_that_see_the_same_trip_it_under_the_same_id() -> None:
    one = controls(*takedowns(0, 1, 2)).trip(POLICY, at(3))
    other = controls(*reversed(list(takedowns(0, 1, 2)))).trip(POLICY, at(3))
    assert one == other


def test_takedowns_are_counted_when_the_brokers_got_them_whatever_the_shards_clock_says() -> None:
    """Two shards' clocks are an hour wrong, each to its side."""
    made = Controls()
    for number, wrong in enumerate((-3600, 3600, 0)):
        made.apply(takedown(wrong, f"stream-{number}"), at(number))
    assert cause(made, 3) == "takedowns"
    assert cause(made, 11 * MINUTE) is None


def test_an_open_breaker_holds_back_every_takedown_until_it_expires() -> None:
    made = controls(tripped(0, 100))
    for region in ("NZ", ""):
        held = made.hold(POLICY, region, at(99))
        assert held is not None
        assert (held.reason, held.until) == (HoldReason.BREAKER, at(100))
        assert held.explanation == (
            "the breaker is open until 2023-11-14 22:15:00+00:00: 5 takedowns within 10 minutes"
        )
    assert made.hold(POLICY, "", at(100)) is None


def test_of_several_trips_the_one_that_lasts_longest_counts() -> None:
    held = controls(tripped(0, 100), tripped(1, 300), tripped(2, 200)).hold(POLICY, "", at(150))
    assert held is not None
    assert held.until == at(300)


def test_an_open_breaker_does_not_trip_again() -> None:
    made = controls(*takedowns(0, 1, 2))
    opened(made, 3)
    made.apply(takedown(4, "stream-9"))
    assert cause(made, 5) is None


def test_closed_by_a_person_it_lets_takedowns_through_and_counts_anew() -> None:
    made = controls(*takedowns(0, 1, 2))
    opened(made, 3)
    made.apply(order(60, "close-breaker", scope="all"))
    assert made.hold(POLICY, "", at(61)) is None
    assert cause(made, 61) is None
    for event in takedowns(62, 63, first=3):
        made.apply(event)
    assert cause(made, 64) is None
    made.apply(takedown(65, "stream-5"))
    assert cause(made, 66) == "takedowns"


def test_a_trip_after_the_closing_holds_and_one_before_it_does_not() -> None:
    """In whatever order they are heard of."""
    closing = order(60, "close-breaker", scope="all")
    assert controls(closing, tripped(59, 600)).hold(POLICY, "", at(61)) is None
    assert controls(tripped(61, 600), closing).hold(POLICY, "", at(61)) is not None


def test_a_worker_that_lags_behind_a_closing_can_still_trip_it() -> None:
    """Its time is before the closing; what trips it came after."""
    made = controls(order(600, "close-breaker", scope="all"), *takedowns(601, 602, 603))
    opened(made, 30)
    assert made.hold(POLICY, "", at(604)) is not None


def test_after_a_trip_has_expired_takedowns_count_anew() -> None:
    lasting = replace(POLICY, breaker=replace(LIMITS, lasts=5 * SECOND))
    made = controls(*takedowns(0, 1, 2))
    due = made.trip(lasting, at(3))
    assert due is not None
    made.apply(due)
    assert made.hold(lasting, "", at(7)) is not None
    assert made.hold(lasting, "", at(8)) is None
    assert made.trip(lasting, at(8)) is None


def test_a_person_can_trip_it_for_a_while_and_close_it_again() -> None:
    made = controls(order(0, "trip-breaker", 100, scope="all", reason="a hoax is going round"))
    held = made.hold(POLICY, "", at(10))
    assert held is not None
    assert "a hoax is going round" in held.explanation
    assert made.hold(POLICY, "", at(100)) is None
    made.apply(order(20, "close-breaker", scope="all"))
    assert made.hold(POLICY, "", at(21)) is None


@pytest.mark.parametrize(
    ("counts", "trips"),
    [
        ([(0, 0, 400, 19)], False),
        ([(0, 0, 400, 20)], True),
        ([(0, 0, 401, 20)], False),
        ([(0, 0, 200, 10), (0, 1, 200, 10)], True),
        ([(0, 0, 400, 50), (5, 0, 400, 0)], False),
        ([(5, 0, 400, 0), (0, 0, 400, 50)], False),
        ([(-51, 0, 400, 50)], False),
        ([(-51, 0, 4000, 0), (0, 1, 400, 20)], True),
    ],
    ids=[
        "too-few",
        "as-many",
        "too-small-a-share",
        "over-two-partitions",
        "the-newest-counts",
        "the-newest-counts-though-it-came-first",
        "too-old",
        "an-old-count-dilutes-nothing",
    ],
)
def test_a_share_at_risk_over_all_partitions_trips_it(
    counts: list[tuple[int, int, int, int]], trips: bool
) -> None:
    made = controls(*(counted(s, p, live, at_risk) for s, p, live, at_risk in counts))
    due = made.trip(POLICY, at(9))
    assert (due.cause if due else None) == ("streams-at-risk" if trips else None)


def test_a_share_at_risk_says_how_large_it_is() -> None:
    due = controls(counted(0, live=400, at_risk=20)).trip(POLICY, at(1))
    assert due is not None
    assert due.explanation == (
        "20 of 400 live streams are at risk, and from 5% on (and 20) people decide"
    )


#   0 s          trip, by 50 at risk
#   60 s         closed
#   70 s ──────  50 at risk still: those before the closing
#   661 s        50 at risk: incidents that opened after it
def test_after_a_closing_the_share_counts_once_what_was_at_risk_then_is_not_any_more() -> None:
    made = controls(counted(0, live=400, at_risk=50))
    opened(made, 1)
    made.apply(order(60, "close-breaker", scope="all"))
    made.apply(counted(70, live=400, at_risk=50))
    assert cause(made, 71) is None
    made.apply(counted(61 + 10 * MINUTE, live=400, at_risk=50))
    assert cause(made, 62 + 10 * MINUTE) == "streams-at-risk"


def test_a_share_that_stays_large_opens_an_expired_breaker_again_under_another_id() -> None:
    made = controls(counted(0, live=400, at_risk=50))
    first = opened(made, 1)
    made.apply(counted(61 * MINUTE, live=400, at_risk=50))
    second = opened(made, 61 * MINUTE + 1)
    assert first.trip_id != second.trip_id
