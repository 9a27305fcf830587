"""Rules over windows."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from agents.decision.policy import DEFAULT_POLICY, Grade, Policy, Rule, judge
from tests.builders import risk_assessed, window

RULE = Rule("rule", Grade.ESCALATE, 3.0, hits=3, share=0.5, mean=0.5, coverage=0.6)


@pytest.mark.parametrize(
    ("given", "met"),
    [
        ({"hits": 3, "mean": 0.5, "coverage": 0.6}, True),
        ({"hits": 3, "frames": 6, "mean": 0.9}, True),
        ({"hits": 3, "frames": 7, "mean": 0.9}, False),
        ({"hits": 2, "mean": 0.9, "coverage": 1.0}, False),
        ({"hits": 6, "mean": 0.49, "coverage": 1.0}, False),
        ({"hits": 6, "mean": 0.9, "coverage": 0.59}, False),
    ],
)
def test_a_rule_is_met_when_every_bound_is_reached(given: dict[str, Any], met: bool) -> None:
    assert RULE.met_by(window(3.0, **given)) is met


def test_what_looks_like_fiction_escalates_and_says_what_held_the_takedown_back() -> None:
    game = [window(3.0, 6, 0.9, fictional=0.8), window(10.0, 12, 0.8, fictional=0.8)]
    real = [window(3.0, 6, 0.9, fictional=0.5), window(10.0, 12, 0.8, fictional=0.5)]
    assert judge(DEFAULT_POLICY, risk_assessed(*real)).grade is Grade.TAKEDOWN
    verdict = judge(DEFAULT_POLICY, risk_assessed(*game))
    assert verdict.grade is Grade.ESCALATE
    assert "looks like a game or film (0.80)" in verdict.explanation
    assert "'sustained-firearm' allows 0.5" in verdict.explanation


@pytest.mark.parametrize("fictional", [0.51, 1.0])
@pytest.mark.parametrize("hits", [4, 8, 20])
def test_whatever_fiction_keeps_from_a_takedown_is_put_before_people(
    fictional: float, hits: int
) -> None:
    seen = window(10.0, hits, 0.2, frames=hits * 5 // 2, coverage=0.4, fictional=fictional)
    assert judge(DEFAULT_POLICY, risk_assessed(seen)).grade is Grade.ESCALATE


def test_a_rule_over_a_window_that_is_not_there_is_not_met() -> None:
    policy = Policy("p", "1", (RULE,))
    assert judge(policy, risk_assessed(window(10.0, hits=9, mean=1.0))).grade is Grade.NONE


def test_the_rules_of_the_default_policy_go_from_the_strongest_grade_down() -> None:
    grades = [rule.grade for rule in DEFAULT_POLICY.rules]
    assert grades == sorted(grades, reverse=True)


def test_the_digest_changes_with_any_threshold() -> None:
    changed = msgspec.structs.replace(DEFAULT_POLICY, rules=(RULE, *DEFAULT_POLICY.rules[1:]))
    assert changed.digest != DEFAULT_POLICY.digest
    assert len(DEFAULT_POLICY.digest) == 64
