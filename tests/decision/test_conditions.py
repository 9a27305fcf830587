"""Conditions: what each measures, what is not known, hysteresis, and what is said of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.decision.conditions import (
    Condition,
    Group,
    compiled,
    explain,
    relaxed,
    without_fiction,
)
from agents.decision.facts import Facts
from agents.decision.measures import MEASURES, Circumstances, Kind
from schemas import SignalEvidence, SignalSummary
from tests.builders import START, risk_assessed, window

SEEN = window(
    10.0,
    hits=4,
    frames=10,
    mean=0.35,
    coverage=0.8,
    fictional=0.25,
    observed=5,
    signals=[
        SignalSummary("firearm", hits=4, on=2, mean=0.35),
        SignalSummary("fictional", hits=1, on=1, mean=0.25),
        SignalSummary("known_content", hits=2, on=1, mean=0.1),
    ],
)
RISK = risk_assessed(
    SEEN, risk=0.9, signals=[SignalEvidence("firearm", 3.5, START), SignalEvidence("x", 9.0, START)]
)
FACTS = Facts(
    viewers=120,
    category="games",
    region="NZ",
    account_age_days=3,
    previous_streams=0,
    reports=2,
)
MEASURED: dict[str, Any] = {
    "firearm.hits": 4,
    "firearm.on": 2,
    "firearm.share": 0.4,
    "firearm.mean": 0.35,
    "firearm.evidence": 3.5,
    "fictional.hits": 1,
    "fictional.on": 1,
    "fictional.share": 0.2,
    "fictional.mean": 0.25,
    "fictional.evidence": 0.0,
    "first_person.hits": 0,
    "first_person.on": 0,
    "first_person.share": 0.0,
    "first_person.mean": 0.0,
    "first_person.evidence": 0.0,
    "known_content.hits": 2,
    "known_content.on": 1,
    "known_content.share": 0.2,
    "known_content.mean": 0.1,
    "known_content.evidence": 0.0,
    "coverage": 0.8,
    "frames": 10,
    "risk": 0.9,
    "viewers": 120,
    "reports": 2,
    "account_age_days": 3,
    "first_stream": True,
    "region": "NZ",
    "category": "games",
}


def condition(measure: str, **bounds: Any) -> Condition:
    return Condition(measure, 10.0 if MEASURES[measure].windowed else 0.0, **bounds)


def holds(it: Condition | Group, at: Circumstances | None = None) -> bool:
    group = it if isinstance(it, Group) else Group("all", (it,))
    return compiled(group)(at or Circumstances(RISK, FACTS))


def exactly(measure: str) -> dict[str, Any]:
    """Bounds that only what was measured meets."""
    value = MEASURED[measure]
    match MEASURES[measure].kind:
        case Kind.WORD:
            return {"one_of": (value,)}
        case Kind.TRUTH:
            return {"equals": value}
    return {"at_least": value, "at_most": value}


@pytest.mark.parametrize("measure", MEASURES)
def test_each_measure_reads_what_was_found(measure: str) -> None:
    assert holds(condition(measure, **exactly(measure)))


@pytest.mark.parametrize(
    ("measure", "bounds"),
    [
        ("firearm.hits", {"at_least": 5}),
        ("firearm.hits", {"at_most": 3}),
        ("firearm.share", {"at_least": 0.41}),
        ("firearm.evidence", {"at_least": 3.51}),
        ("region", {"one_of": ("AU", "FR")}),
        ("category", {"one_of": ("Games",)}),
        ("first_stream", {"equals": False}),
    ],
)
def test_what_is_beyond_a_bound_does_not_hold(measure: str, bounds: dict[str, Any]) -> None:
    assert not holds(condition(measure, **bounds))


@pytest.mark.parametrize(
    "measure", ["viewers", "account_age_days", "first_stream", "region", "category"]
)
def test_of_a_fact_that_is_not_known_nothing_is_concluded(measure: str) -> None:
    nothing_known = Circumstances(RISK, Facts())
    of_kind: dict[Kind, dict[str, Any]] = {
        Kind.NUMBER: {"at_least": 0, "at_most": 10**9},
        Kind.WORD: {"one_of": ("", "NZ")},
        Kind.TRUTH: {"equals": False},
    }
    anything = of_kind[MEASURES[measure].kind]
    assert not holds(condition(measure, **anything), nothing_known)
    assert "not known" in explain(Group("all", (condition(measure, **anything),)), nothing_known)


@pytest.mark.parametrize(
    "measure", [name for name, it in MEASURES.items() if it.windowed or it.longest]
)
def test_without_a_risk_nothing_holds_that_is_read_from_one(measure: str) -> None:
    assert not holds(condition(measure, at_least=0), Circumstances(None, FACTS))


def test_a_share_at_its_bound_holds_however_many_frames_there_are() -> None:
    for frames in range(10, 2000, 10):
        seen = risk_assessed(window(10.0, hits=frames * 3 // 10, frames=frames))
        asked = condition("firearm.share", at_least=0.3)
        assert holds(asked, Circumstances(seen, FACTS))


def test_groups_nest() -> None:
    met, unmet = condition("reports", at_least=2), condition("reports", at_least=3)
    assert holds(Group("all", (met, Group("any", (unmet, met)))))
    assert not holds(Group("all", (met, Group("any", (unmet, unmet)))))
    assert holds(Group("any", (unmet, Group("all", (met, met)))))
    assert not holds(Group("any", (unmet, Group("all", (met, unmet)))))


def test_what_goes_on_goes_by_its_other_bounds_and_by_the_same_where_it_has_none() -> None:
    group = Group(
        "all",
        (
            condition("firearm.share", at_least=0.5, until_below=0.4),
            Group("any", (condition("fictional.mean", at_most=0.2, until_above=0.25),)),
            condition("reports", at_least=2),
        ),
    )
    assert not holds(group)
    assert holds(relaxed(group))
    assert not holds(relaxed(Group("all", (*group.of, condition("frames", at_least=11)))))


def test_without_fiction_only_what_keeps_fiction_out_is_passed_over() -> None:
    fiction = condition("fictional.mean", at_most=0.1)
    assert holds(without_fiction(Group("all", (fiction, condition("reports", at_least=2)))))
    assert not holds(without_fiction(Group("all", (fiction, condition("reports", at_least=3)))))
    asked_for = condition("fictional.mean", at_least=0.9)
    assert not holds(without_fiction(Group("all", (asked_for,))))


@pytest.mark.parametrize(
    ("measure", "bounds", "said"),
    [
        (
            "firearm.hits",
            {"at_least": 4},
            "4 of 10 frames of the last 10 s show a firearm (needs at least 4)",
        ),
        (
            "firearm.share",
            {"at_least": 0.375, "until_below": 0.2},
            "40% of the watched half seconds of the last 10 s show a firearm "
            "(needs at least 37.5%, to go on at least 20%)",
        ),
        (
            "known_content.on",
            {"at_least": 1},
            "1 of 5 watched half seconds of the last 10 s show known content (needs at least 1)",
        ),
        (
            "fictional.mean",
            {"at_most": 0.5},
            "mean score for a game or film over the last 10 s 0.25 (needs at most 0.5)",
        ),
        (
            "firearm.evidence",
            {"at_least": 2.0},
            "evidence for a firearm 3.50 (log-odds) (needs at least 2)",
        ),
        ("coverage", {"at_least": 0.4}, "watched 80% of the last 10 s (needs at least 40%)"),
        ("risk", {"at_least": 0.5}, "risk 0.90 (needs at least 0.5)"),
        ("account_age_days", {"at_most": 7}, "age of the account in days: 3 (needs at most 7)"),
        ("category", {"one_of": ("games",)}, "category games (needs one of games)"),
        ("viewers", {"at_least": 100}, "viewers: 120 (needs at least 100)"),
        ("reports", {"at_least": 1}, "reports by viewers: 2 (needs at least 1)"),
        (
            "first_stream",
            {"equals": True},
            "the account's first stream: true (needs true)",
        ),
        ("region", {"one_of": ("AU", "NZ")}, "region NZ (needs one of AU, NZ)"),
    ],
)
def test_a_condition_is_said_in_plain_words(
    measure: str, bounds: dict[str, Any], said: str
) -> None:
    at = Circumstances(RISK, FACTS)
    assert explain(Group("all", (condition(measure, **bounds),)), at) == said


def test_a_stream_is_not_the_first_where_there_were_others() -> None:
    again = Circumstances(None, Facts(previous_streams=4))
    assert holds(condition("first_stream", equals=False), again)
    assert not holds(condition("first_stream", equals=True), again)


def test_alternatives_are_said_as_such() -> None:
    either = Group("any", (condition("reports", at_least=3), condition("viewers", at_least=100)))
    said = explain(
        Group("all", (condition("frames", at_least=1), either)), Circumstances(RISK, FACTS)
    )
    assert said == (
        "10 frames judged of the last 10 s (needs at least 1); (one of: reports by viewers: 2 "
        "(needs at least 3); or viewers: 120 (needs at least 100))"
    )


_numbers = st.sampled_from(["firearm.hits", "firearm.share", "viewers", "reports", "coverage"])
_bounds = st.one_of(st.none(), st.floats(0, 5).map(lambda bound: round(bound, 1)))
_conditions = st.builds(
    lambda measure, least, most: condition(measure, at_least=least, at_most=most),
    _numbers,
    _bounds,
    _bounds,
)
_groups = st.recursive(
    _conditions,
    lambda members: st.builds(
        Group, st.sampled_from(["all", "any"]), st.lists(members, min_size=1).map(tuple)
    ),
    max_leaves=12,
)


def met(it: Condition | Group, measured: dict[str, Any]) -> bool:
    """The same, straight from the definition."""
    if isinstance(it, Group):
        return (all if it.need == "all" else any)(met(member, measured) for member in it.of)
    value = measured[it.measure]
    return (it.at_least is None or value >= it.at_least) and (
        it.at_most is None or value <= it.at_most
    )


@given(_groups, st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))
def test_groups_hold_as_they_are_defined(
    it: Condition | Group, hits: int, viewers: int, reports: int
) -> None:
    seen = risk_assessed(window(10.0, hits=hits, frames=5, coverage=0.5))
    measured = {
        "firearm.hits": hits,
        "firearm.share": hits / 5,
        "viewers": viewers,
        "reports": reports,
        "coverage": 0.5,
    }
    at = Circumstances(seen, Facts(viewers=viewers, reports=reports))
    assert holds(it, at) is met(it, measured)
