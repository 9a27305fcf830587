"""Controls as a whole: kill switches, what is not known, and how things stand."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from agents.decision.controls import Controls, HoldReason
from agents.decision.policy import Policy
from schemas import Event

from .events import counted, takedown, tripped
from .timeline import at, order

HOUR = 3600
POLICY = Policy("default", "3", rules=())
OTHER = replace(POLICY, name="other")


def controls(*events: Event) -> Controls:
    made = Controls()
    for event in events:
        made.apply(event)
    return made


def hold(scope: str, seconds: float, until: float, **given: Any) -> Event:
    return order(seconds, "hold-takedowns", until, scope=scope, **given)


def lift(scope: str, seconds: float) -> Event:
    return order(seconds, "lift-hold", scope=scope)


@pytest.mark.parametrize(
    ("scope", "held"),
    [
        ("all", {("NZ", "default"), ("NZ", "other"), ("", "default"), ("DE", "other")}),
        ("region:NZ", {("NZ", "default"), ("NZ", "other")}),
        ("policy:other", {("NZ", "other"), ("DE", "other")}),
    ],
)
def test_a_kill_switch_holds_back_takedowns_in_its_scope_and_nowhere_else(
    scope: str, held: set[tuple[str, str]]
) -> None:
    made = controls(hold(scope, 0, 100))
    found = {
        (region, policy.name)
        for region, policy in (("NZ", POLICY), ("NZ", OTHER), ("", POLICY), ("DE", OTHER))
        if made.hold(policy, region, at(10)) is not None
    }
    assert found == held


def test_a_hold_says_who_is_asked_why_and_until_when() -> None:
    held = controls(hold("region:NZ", 0, 100, reason="model misjudges hunting")).hold(
        POLICY, "NZ", at(10)
    )
    assert held is not None
    assert (held.reason, held.until) == (HoldReason.KILL_SWITCH, at(100))
    assert held.explanation == (
        "a person ordered so for region:NZ until 2023-11-14 22:15:00+00:00: model misjudges hunting"
    )


#   0        50        100       150
#   hold ───────────────┤ expires
#   hold ────┤ lifted
#            lift, of another scope
def test_a_kill_switch_ends_when_it_expires_or_is_lifted_for_the_same_scope() -> None:
    begun = hold("all", 0, 100)
    held = {
        "at work": controls(begun).hold(POLICY, "", at(99)),
        "expired": controls(begun).hold(POLICY, "", at(100)),
        "lifted": controls(begun, lift("all", 50)).hold(POLICY, "", at(60)),
        "lifted elsewhere": controls(begun, lift("region:NZ", 50)).hold(POLICY, "NZ", at(60)),
        "held again": controls(begun, lift("all", 50), hold("all", 55, 90)).hold(
            POLICY, "", at(60)
        ),
    }
    assert {what for what, found in held.items() if found} == {
        "at work",
        "lifted elsewhere",
        "held again",
    }


def test_an_order_holds_no_longer_than_the_policy_allows() -> None:
    brief = replace(POLICY, longest_override=at(HOUR) - at(0))
    made = controls(hold("all", 0, 10 * HOUR), order(0, "trip-breaker", 10 * HOUR, scope="all"))
    assert made.hold(brief, "", at(HOUR - 1)) is not None
    assert made.hold(brief, "", at(HOUR)) is None
    assert made.hold(POLICY, "", at(HOUR)) is not None


@pytest.mark.parametrize(
    "refused",
    [
        order(0, "hold-takedowns", scope="all"),
        order(0, "hold-takedowns", 100, scope="mars"),
        order(0, "hold-takedowns", 100, scope="all", reason=""),
        order(0, "trip-breaker", 100, scope="region:NZ"),
        order(0, "hold-takedowns", 100),
    ],
    ids=["for-ever", "no-scope", "no-reason", "part-of-a-breaker", "of-a-stream"],
)
def test_an_order_that_is_refused_holds_nothing(refused: Event) -> None:
    assert controls(refused).hold(POLICY, "NZ", at(10)) is None


def test_a_lift_that_comes_before_what_it_lifts_still_lifts_it() -> None:
    """Partitions are read in no order between them."""
    made = Controls()
    made.apply(lift("all", 50), at(51))
    made.apply(hold("all", 0, 100), at(1))
    assert made.hold(POLICY, "", at(60)) is None


def test_of_two_orders_the_brokers_say_which_is_newer_and_not_the_clocks_of_people() -> None:
    """The hold's clock is a minute ahead."""
    made = controls(hold("all", 60, 200), lift("all", 10))
    assert made.hold(POLICY, "", at(30)) is not None
    made.apply(hold("all", 60, 200), at(2))
    made.apply(lift("all", 10), at(10))
    assert made.hold(POLICY, "", at(30)) is None


def test_an_order_of_a_clock_beyond_every_calendar_is_told_all_the_same() -> None:
    held = controls(hold("all", 0, 10.0**12, issued_at=at(10.0**12 - 1))).hold(POLICY, "", at(10))
    assert held is not None
    assert "until 9999-12-31 23:59:59" in held.explanation


def test_while_it_is_not_known_what_holds_a_person_is_asked() -> None:
    known = False
    made = Controls(known=lambda: known)
    held = made.hold(POLICY, "", at(0))
    assert held is not None
    assert (held.reason, held.until) == (HoldReason.CONTROLS_UNKNOWN, 0)
    known = True
    assert made.hold(POLICY, "", at(0)) is None
    known = False
    made.apply(hold("all", 0, 100))
    told = made.hold(POLICY, "", at(10))
    assert told is not None
    assert told.reason is HoldReason.KILL_SWITCH


def test_more_scopes_than_are_remembered_lose_the_hold_that_lapses_first() -> None:
    made = Controls()
    for number in range(1_001):
        until = 50 if number == 500 else 100
        made.apply(hold(f"policy:p-{number}", 0, until))
    in_force = made.status(POLICY, at(10))["kill_switches"]
    assert isinstance(in_force, list)
    assert len(in_force) == 1_000
    assert "policy:p-500" not in {it["scope"] for it in in_force}


def test_the_status_tells_what_holds_and_how_near_the_breaker_is() -> None:
    counts = counted(3, live=40, at_risk=4, unwatched=2)
    made = controls(hold("region:NZ", 0, 100), takedown(1), tripped(2, 60), counts)
    assert made.status(POLICY, at(10)) == {
        "known": True,
        "streams_unwatched": 2,
        "breaker": {
            "open": True,
            "until": "2023-11-14 22:14:20+00:00",
            "why": "5 takedowns within 10 minutes",
            "by": "test/1",
            "order": None,
            "takedowns": 0,
            "opens_at_takedowns": 5,
            "streams_at_risk": 4,
            "streams_live": 40,
        },
        "kill_switches": [
            {
                "scope": "region:NZ",
                "until": "2023-11-14 22:15:00+00:00",
                "by": "operator-7",
                "why": "looked at it",
                "order": hold("region:NZ", 0, 100).id,
            }
        ],
    }
    assert made.status(POLICY, at(100))["kill_switches"] == []
