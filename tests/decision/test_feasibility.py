"""What can be told of conditions before anything is measured."""

from __future__ import annotations

from typing import Literal

import pytest

from agents.decision.conditions import Condition, Group
from agents.decision.feasibility import contradiction, rests_on

SEEN = Condition("firearm.hits", 10.0, at_least=1)
KNOWN = Condition("known_content.evidence", at_least=1)
REPORTED = Condition("reports", at_least=1)
UNREPORTED = Condition("reports", at_most=0)
CROWD = Condition("viewers", at_least=100)


def every(*members: Condition | Group) -> Group:
    return Group("all", members)


def either(*members: Condition | Group) -> Group:
    return Group("any", members)


@pytest.mark.parametrize(
    ("group", "why"),
    [
        (every(REPORTED, UNREPORTED), "reports would have to be at least 1 and is at most 0"),
        (every(REPORTED, every(UNREPORTED)), "reports"),
        (every(REPORTED, either(UNREPORTED)), "reports"),
        (every(REPORTED, either(UNREPORTED, every(CROWD, UNREPORTED))), "reports"),
        (either(every(REPORTED, UNREPORTED)), "reports"),
        (every(every(either(every(REPORTED, UNREPORTED)))), "reports"),
        (
            every(Condition("firearm.on", 3.0, at_least=7)),
            "firearm.on over 3 s would have to be at least 7 and is at most 6",
        ),
        (
            every(Condition("region", one_of=("NZ",)), Condition("region", one_of=("AU",))),
            "no region is in every 'one_of'",
        ),
        (
            every(Condition("first_stream", equals=True), Condition("first_stream", equals=False)),
            "first_stream would have to be both true and false",
        ),
    ],
)
def test_what_can_never_hold_is_found(group: Group, why: str) -> None:
    assert why in (contradiction(group) or "")


@pytest.mark.parametrize(
    "group",
    [
        every(REPORTED, SEEN),
        either(REPORTED, UNREPORTED),
        every(REPORTED, either(UNREPORTED, CROWD)),
        every(SEEN, Condition("firearm.hits", 3.0, at_most=0)),
        every(Condition("firearm.on", 3.0, at_least=6)),
        every(Condition("region", one_of=("NZ", "AU")), Condition("region", one_of=("AU",))),
        every(Condition("reports", at_least=1), Condition("reports", at_most=1)),
    ],
)
def test_what_can_hold_is_left_alone(group: Group) -> None:
    assert contradiction(group) is None


@pytest.mark.parametrize(
    ("members", "need", "rests"),
    [
        ((SEEN, REPORTED), "all", True),
        ((KNOWN,), "all", True),
        ((SEEN, REPORTED), "any", False),
        ((SEEN, every(KNOWN, REPORTED)), "any", True),
        ((REPORTED, either(SEEN, KNOWN)), "all", True),
        ((REPORTED, CROWD), "all", False),
        ((Condition("fictional.hits", 10.0, at_least=1),), "all", False),
        ((Condition("firearm.hits", 10.0, at_most=9),), "all", False),
        ((Condition("firearm.hits", 10.0, at_least=0),), "all", False),
    ],
)
def test_a_rule_rests_on_signals_if_one_of_them_is_there_whenever_it_holds(
    members: tuple[Condition | Group, ...], need: Literal["all", "any"], rests: bool
) -> None:
    assert rests_on(("firearm", "known_content"), Group(need, members)) is rests
