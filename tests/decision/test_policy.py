"""Rules over windows and facts: which decides, what it says, and what it remembers."""

from __future__ import annotations

from msgspec.structs import replace

from agents.decision.conditions import Condition, Group
from agents.decision.facts import Facts
from agents.decision.policy import Grade, Policy, Referral, Rule, Severity, judge
from tests.builders import SECOND, risk_assessed, window

UNKNOWN = Facts()


def rule(name: str, grade: Grade, *conditions: Condition, **given: object) -> Rule:
    return Rule(name, grade, Group("all", conditions), **given)  # type: ignore[arg-type]


def hits(least: int, seconds: float = 10.0) -> Condition:
    return Condition("firearm.hits", seconds, at_least=least)


REAL = Condition("fictional.mean", 10.0, at_most=0.5, until_above=0.6)
POLICY = Policy(
    "test",
    "1",
    (
        rule("stop", Grade.TAKEDOWN, hits(4), REAL, severity=Severity.CRITICAL, boost=True),
        rule("look", Grade.ESCALATE, hits(2), cooldown=7 * SECOND),
        rule("reported", Grade.WATCH, Condition("reports", at_least=1)),
    ),
)


def test_the_first_rule_that_holds_decides_and_all_that_hold_are_remembered() -> None:
    verdict = judge(POLICY, risk_assessed(window(10.0, hits=4)), Facts(reports=1), ())
    assert (verdict.grade, verdict.rule) == (Grade.TAKEDOWN, "stop")
    assert (verdict.severity, verdict.boost, verdict.cooldown) == (Severity.CRITICAL, True, 0)
    assert verdict.holding == ("stop", "look", "reported")
    weaker = judge(POLICY, risk_assessed(window(10.0, hits=3)), UNKNOWN, ())
    assert (weaker.rule, weaker.cooldown, weaker.holding) == ("look", 7 * SECOND, ("look",))


def test_where_no_rule_holds_nothing_is_said() -> None:
    verdict = judge(POLICY, risk_assessed(window(10.0, hits=0)), UNKNOWN, ("stop", "look"))
    assert verdict.grade is Grade.NONE
    assert (verdict.rule, verdict.explain(), verdict.holding) == ("", "", ())


def test_without_a_risk_only_facts_count() -> None:
    verdict = judge(POLICY, None, Facts(reports=1), ())
    assert (verdict.grade, verdict.rule, verdict.window) == (Grade.WATCH, "reported", 0)
    assert judge(POLICY, None, UNKNOWN, ("stop", "look")).grade is Grade.NONE


def test_a_rule_over_a_window_that_is_not_there_does_not_hold() -> None:
    assert judge(POLICY, risk_assessed(window(3.0, hits=9)), UNKNOWN, ()).grade is Grade.NONE


def test_a_rule_that_holds_goes_on_until_its_other_bound_is_passed() -> None:
    fiction = [0.5, 0.55, 0.6, 0.61, 0.55, 0.5]
    #          ≤.5  ≤.6   ≤.6  ends  it must fall to .5 again before it holds anew
    expected = [True, True, True, False, False, True]
    holding: tuple[str, ...] = ()
    found = []
    for mean in fiction:
        seen = risk_assessed(window(10.0, hits=4, fictional=mean))
        holding = judge(POLICY, seen, UNKNOWN, holding).holding
        found.append("stop" in holding)
    assert found == expected


def test_what_only_fiction_held_back_is_said() -> None:
    game = risk_assessed(window(10.0, hits=4, fictional=0.8))
    verdict = judge(POLICY, game, UNKNOWN, ())
    assert verdict.rule == "look"
    assert "held back from rule 'stop': mean score for a game or film" in verdict.explain()
    assert "0.80 (needs at most 0.5" in verdict.explain()
    few = judge(POLICY, risk_assessed(window(10.0, hits=3, fictional=0.8)), UNKNOWN, ())
    assert "held back" not in few.explain()


def test_the_explanation_has_every_condition_of_the_rule_and_what_was_measured() -> None:
    seen = risk_assessed(window(10.0, hits=4, frames=10, fictional=0.25))
    assert judge(POLICY, seen, UNKNOWN, ()).explain() == (
        "4 of 10 frames of the last 10 s show a firearm (needs at least 4); "
        "mean score for a game or film over the last 10 s 0.25 "
        "(needs at most 0.5, to go on at most 0.6)"
    )


def test_the_window_of_a_verdict_is_the_longest_that_its_rule_looks_at() -> None:
    def window_of(*conditions: Condition) -> int:
        policy = Policy("test", "1", (rule("it", Grade.WATCH, *conditions),))
        seen = risk_assessed(*(window(length, hits=4) for length in (3.0, 10.0, 30.0)))
        return judge(policy, seen, Facts(reports=1), ()).window

    assert window_of(hits(1, 3.0)) == 3 * SECOND
    assert window_of(hits(1, 3.0), hits(1, 10.0)) == 10 * SECOND
    assert window_of(Condition("reports", at_least=1)) == 0
    # Evidence adds up over the longest window that there is.
    assert window_of(hits(1, 3.0), Condition("risk", at_least=0.1)) == 30 * SECOND


def test_the_digest_changes_with_anything_and_with_nothing_else() -> None:
    (stop, *others) = POLICY.rules
    changed = [
        replace(POLICY, version="2"),
        replace(POLICY, rules=(replace(stop, boost=False), *others)),
        replace(POLICY, rules=(rule("stop", Grade.TAKEDOWN, hits(5), REAL), *others)),
        replace(POLICY, stop_settle=POLICY.stop_settle + 1),
        replace(POLICY, referral=Referral(regions={"NZ": "nz-police"})),
    ]
    assert len({POLICY.digest, *(policy.digest for policy in changed)}) == len(changed) + 1
    assert replace(POLICY).digest == POLICY.digest
    assert len(POLICY.digest) == 64


def test_the_digest_does_not_hang_on_the_order_of_keys() -> None:
    one = replace(POLICY, referral=Referral(regions={"NZ": "nz-police", "AU": "au-police"}))
    other = replace(POLICY, referral=Referral(regions={"AU": "au-police", "NZ": "nz-police"}))
    assert one.digest == other.digest


def test_a_referral_goes_to_the_region_and_else_to_the_default() -> None:
    referral = Referral(default="national-police", regions={"NZ": "nz-police"})
    assert referral.recipient("NZ") == "nz-police"
    assert referral.recipient("") == "national-police"
    assert replace(referral, default="").recipient("FR") == ""
