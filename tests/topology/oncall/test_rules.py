"""What the rules measure now, in words and beside what they ask for."""

from __future__ import annotations

from agents.decision.defaults import default_policy
from agents.decision.policies import Policies
from agents.oncall.ports import PolicyNow, RuleNow
from schemas import RiskAssessed, SignalEvidence, SignalSummary, StreamUpdated
from tests.builders import risk_assessed, window
from tests.oncall.events import stream_updated
from topology.oncall.rules import telling_rules

TELL = telling_rules(lambda: Policies(default_policy()))


def told(risk: RiskAssessed | None, *updates: StreamUpdated) -> PolicyNow:
    return TELL("stream-1", risk, updates)


def rule(policy: PolicyNow, name: str) -> RuleNow:
    return next(it for it in policy.rules if it.name == name)


def seen() -> RiskAssessed:
    """A firearm in 9 of 20 half seconds of the last ten."""
    firearm = SignalSummary("firearm", 9, 9, 0.45)
    return risk_assessed(
        window(10.0, 9, 0.45, frames=20, observed=20, signals=[firearm]),
        signals=[SignalEvidence("firearm", 9.5, 1)],
    )


def test_each_rule_says_what_it_measures_beside_what_it_asks_for() -> None:
    """Strongest first, in the words of the decisions themselves."""
    policy = told(seen())

    assert policy.label == default_policy().label
    assert policy.rules[0].grade == "certain"
    sustained = rule(policy, "sustained-firearm")
    assert sustained.holds
    words = [it.words for it in sustained.conditions]
    assert (
        "9 of 20 watched half seconds of the last 10 s show a firearm (needs at least 4)" in words
    )
    assert all(it.met for it in sustained.conditions)


def test_a_condition_that_is_not_met_is_marked() -> None:
    """One may be met while its rule does not hold."""
    reported = rule(told(seen()), "reported-firearm")

    assert [it.met for it in reported.conditions] == [False, True]
    assert not reported.holds


def test_news_of_the_stream_counts() -> None:
    reported = rule(
        told(seen(), stream_updated("started"), stream_updated("reported")), "reported-firearm"
    )

    assert reported.holds


def test_without_any_risk_what_is_not_known_is_said() -> None:
    sustained = rule(told(None), "sustained-firearm")

    assert not sustained.holds
    assert "is not known" in sustained.conditions[0].words


def test_bounds_between_nought_and_one_can_be_drawn() -> None:
    drawn = {
        (it.measure, it.window): it.value for it in rule(told(None), "sustained-firearm").thresholds
    }

    assert drawn[("firearm.mean", 10.0)] == 0.2
    assert drawn[("fictional.mean", 10.0)] == 0.5
    assert ("firearm.on", 10.0) not in drawn
