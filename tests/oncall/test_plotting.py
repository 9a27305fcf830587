"""What of a stream's past is drawn, and where the bounds lie."""

from __future__ import annotations

from agents.oncall.plotting import plot_of
from agents.oncall.ports import History, PolicyNow, RuleNow, Threshold
from agents.oncall.rendering import spark
from schemas import SignalSummary
from tests.builders import risk_assessed, window

ON = SignalSummary(signal="firearm", hits=4, on=4, mean=0.4)


def policy(*thresholds: Threshold) -> PolicyNow:
    return PolicyNow("p/1", (RuleNow("r", "takedown", True, "all", (), thresholds),))


def test_of_windows_the_mean_is_drawn_and_whatever_a_rule_bounds() -> None:
    """What a rule went by can be looked at; what none goes by is not in the way."""
    windows = (
        window(3.0, 1, 0.1),
        window(10.0, 4, 0.4, fictional=0.3, coverage=0.5, observed=10, signals=[ON]),
    )
    bounded = policy(
        Threshold("firearm.share", 10.0, 0.35, "r"), Threshold("fictional.mean", 10.0, 0.5, "r")
    )

    plot = plot_of(History(risks=(risk_assessed(*windows, risk=0.7),)), bounded)

    assert [(it.label, it.values, it.at_first) for it in plot.series] == [
        ("risk", [0.7], True),
        ("firearm, mean of 3 s", [0.1], True),
        ("firearm, mean of 10 s", [0.4], True),
        ("fictional, mean of 10 s", [0.3], True),
        ("firearm, share of 10 s", [0.4], False),
    ]
    assert {(it.label, it.value) for it in plot.bounds} == {
        ("firearm, share of 10 s", 0.35),
        ("fictional, mean of 10 s", 0.5),
    }


def test_a_bound_of_several_rules_is_one() -> None:
    twice = PolicyNow(
        "p/1",
        tuple(
            RuleNow(name, "escalate", False, "all", (), (Threshold("risk", 0, 0.5, name),))
            for name in ("one", "two")
        ),
    )

    (bound,) = plot_of(History(risks=(risk_assessed(),)), twice).bounds

    assert (bound.value, bound.rule) == (0.5, "one, two")


def test_a_spark_goes_straight_over_spans_in_which_nothing_was_told() -> None:
    """A risk is told when it changes: a line with holes would look like a lost stream."""
    assert spark((0.0, None, 1.0)) == "M0.0 20.0L64.0 0.0"
    assert spark((None, 0.5, None)) == "M32.0 10.0L32.0 10.0"
    assert spark((None, None)) == ""
