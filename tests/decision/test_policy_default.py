"""The default policy: what it takes to watch, to escalate and to take down."""

from __future__ import annotations

from typing import Any

import pytest

from agents.decision.defaults import default_policy
from agents.decision.facts import Facts
from agents.decision.policy import Answers, Grade, Policy, Verdict, judge
from schemas import RiskAssessed, SignalEvidence, SignalSummary
from tests.builders import START, risk_assessed, window

UNREPORTED, REPORTED = Facts(), Facts(reports=1)
STRONG = [SignalEvidence("firearm", 2.0, START)]
WEAK = [SignalEvidence("firearm", 1.99, START)]


def seen(
    hits: int, frames: int = 20, evidence: list[SignalEvidence] = STRONG, **given: Any
) -> RiskAssessed:
    """``hits`` of the ``frames`` of the last 10 s, none of them in the last 3 s."""
    quiet = window(3.0, hits=0, frames=6)
    return risk_assessed(quiet, window(10.0, hits, 0.5, frames=frames, **given), signals=evidence)


def judged(risk: RiskAssessed | None, facts: Facts = UNREPORTED) -> Verdict:
    return judge(default_policy(), risk, facts, ())


@pytest.mark.parametrize(
    ("risk", "facts", "rule"),
    [
        (seen(0), Facts(), ""),
        (seen(1), Facts(), "firearm-seen"),
        (seen(8), Facts(), "sustained-firearm"),
        (seen(4, frames=10), Facts(), "sustained-firearm"),
        (seen(4, frames=11), Facts(), "recurring-firearm"),
        (seen(3, frames=3), Facts(), "recurring-firearm"),
        (seen(8, coverage=0.39), Facts(), "recurring-firearm"),
        (seen(8, coverage=0.29), Facts(), "firearm-seen"),
        (seen(8, fictional=0.5), Facts(), "sustained-firearm"),
        (seen(8, fictional=0.51), Facts(), "recurring-firearm"),
        (seen(8, evidence=WEAK, fictional=0.51), Facts(), "firearm-seen"),
        (seen(6, evidence=WEAK), Facts(), "firearm-seen"),
        (seen(1), REPORTED, "reported-firearm"),
        (seen(0), REPORTED, "viewer-report"),
        (None, REPORTED, "viewer-report"),
        (None, Facts(), ""),
    ],
)
def test_what_it_makes_of_ten_seconds(risk: RiskAssessed | None, facts: Facts, rule: str) -> None:
    assert judged(risk, facts).rule == rule


def test_half_of_three_seconds_escalates() -> None:
    def of_three(hits: int, frames: int, evidence: list[SignalEvidence]) -> str:
        few = window(10.0, hits, 0.5, frames=20, coverage=1.0)
        return judged(
            risk_assessed(window(3.0, hits, 0.3, frames=frames), few, signals=evidence)
        ).rule

    assert of_three(2, 4, STRONG) == "repeated-firearm"
    assert of_three(2, 5, STRONG) == "firearm-seen"
    assert of_three(2, 4, WEAK) == "firearm-seen"


def test_known_content_is_taken_down_at_once_whatever_else_is_seen() -> None:
    known = [SignalSummary("known_content", hits=1, on=1, mean=0.05)]
    verdict = judged(seen(0, evidence=[], fictional=1.0, coverage=0.01, signals=known))
    assert (verdict.grade, verdict.rule) == (Grade.CERTAIN, "known-content")


def test_model_evidence_alone_is_watched_faster_and_escalated_before_it_takes_down() -> None:
    grades = [judged(seen(hits)).grade for hits in (0, 1, 6, 8)]
    assert grades == [Grade.NONE, Grade.WATCH, Grade.ESCALATE, Grade.TAKEDOWN]
    assert judged(seen(1)).boost
    assert judged(None, REPORTED).boost


def test_no_takedown_waits_for_a_cooldown() -> None:
    strong = [rule for rule in default_policy().rules if rule.grade >= Grade.TAKEDOWN]
    assert {rule.cooldown for rule in strong} == {0}


def test_what_looks_like_fiction_says_what_held_the_takedown_back() -> None:
    verdict = judged(seen(8, fictional=0.8))
    assert verdict.grade is Grade.ESCALATE
    assert "held back from rule 'sustained-firearm'" in verdict.explain()
    assert "0.80 (needs at most 0.5" in verdict.explain()


def test_its_sections_are_what_a_file_without_them_means() -> None:
    policy = default_policy()
    assert policy == Policy(policy.name, policy.version, policy.rules)
    assert set(policy.answers.escalation_within) == set(Answers().escalation_within)


def test_every_severity_has_a_route_and_a_limit() -> None:
    policy = default_policy()
    for rule in policy.rules:
        assert policy.routes.by_severity[rule.severity]
        assert policy.answers.escalation_within[rule.severity] > 0
