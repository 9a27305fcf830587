"""A policy's file: what it says, what is left to defaults, and where it is wrong."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.decision.conditions import Condition, Group
from agents.decision.defaults import DEFAULT_POLICY_FILE
from agents.decision.policy import (
    Answers,
    Boost,
    BreakerLimits,
    Grade,
    Policy,
    Referral,
    Routes,
    Severity,
)
from agents.decision.policy_file import PolicyInvalid, json_schema, parse_policy
from tests.builders import SECOND

DEFAULT = DEFAULT_POLICY_FILE.read_text()
SCHEMA_FILE = DEFAULT_POLICY_FILE.parent / "policy.schema.json"
FULL = """\
name = "strict"
version = "3.1"

[[rule]]
name = "sure"
grade = "takedown"
boost = true
severity = "critical"
all = [
  { measure = "firearm.hits", window = 10, at_least = 4 },
  { any = [
    { measure = "firearm.share", window = 3.0, at_least = 0.4, until_below = 0.2 },
    { measure = "known_content.hits", window = 30, at_least = 1 },
  ] },
  { measure = "region", one_of = ["NZ", "AU"] },
  { measure = "first_stream", equals = true },
]

[[rule]]
name = "look"
grade = "escalate"
cooldown = "10 min"
any = [{ measure = "reports", at_least = 1 }]

[answers]
takedown_within = "1.5 s"
takedown_retries = 2
escalation_within = { critical = "90 s" }
escalation_repeats = 0
forget_after = "1 day"

[routes]
critical = ["duty-manager"]
repeated = []

[referral]
on = ["verdict-true"]
default = ""
regions = { NZ = "nz-police" }

[breaker]
takedowns = 50
within = "30 min"
share_at_risk = 0.5
at_least_at_risk = 7
lasts = "2 h"

[sampling]
frames_per_second = 4
lasts = "500 ms"

[unwatched]
after = "20 s"

[stop]
settle = "30s"

[overrides]
longest = "30 days"
"""
MINIMAL = """\
name = "p"
version = "1"
[[rule]]
name = "seen"
grade = "escalate"
all = [{ measure = "firearm.hits", window = 10, at_least = 1 }]
"""


def test_a_file_says_it_all() -> None:
    policy = parse_policy(FULL)
    assert policy.label == "strict/3.1"
    sure, look = policy.rules
    assert (sure.name, sure.grade, sure.severity) == ("sure", Grade.TAKEDOWN, Severity.CRITICAL)
    assert (sure.boost, look.cooldown) == (True, 600 * SECOND)
    either = (
        Condition("firearm.share", 3.0, at_least=0.4, until_below=0.2),
        Condition("known_content.hits", 30.0, at_least=1),
    )
    assert sure.when == Group(
        "all",
        (
            Condition("firearm.hits", 10.0, at_least=4),
            Group("any", either),
            Condition("region", one_of=("NZ", "AU")),
            Condition("first_stream", equals=True),
        ),
    )
    assert (look.grade, look.severity, look.boost) == (Grade.ESCALATE, Severity.HIGH, False)
    assert look.when.need == "any"
    assert policy.answers == Answers(
        takedown_within=1_500_000,
        takedown_retries=2,
        escalation_within={**Answers().escalation_within, "critical": 90 * SECOND},
        escalation_repeats=0,
        forget_after=86_400 * SECOND,
    )
    assert policy.routes == Routes(
        {**Routes().by_severity, "critical": ("duty-manager",)}, repeated=()
    )
    assert policy.referral == Referral(("verdict-true",), "", {"NZ": "nz-police"})
    assert policy.breaker == BreakerLimits(50, 1800 * SECOND, 0.5, 7, 7200 * SECOND)
    assert policy.sampling == Boost(4.0, SECOND // 2)
    assert (policy.unwatched_after, policy.stop_settle) == (20 * SECOND, 30 * SECOND)
    assert policy.longest_override == 30 * 86_400 * SECOND


def test_what_is_left_out_has_its_default() -> None:
    policy = parse_policy(MINIMAL)
    assert policy == Policy("p", "1", policy.rules)
    (rule,) = policy.rules
    assert (rule.severity, rule.boost, rule.cooldown) == (Severity.HIGH, False, 0)


def edited(text: str, before: str, after: str) -> str:
    assert text.count(before) == 1, before
    return text.replace(before, after)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "at_least = 0.4, until_below = 0.2",
            "at_least = '4x'",
            "line 12: rule 'sure': all[1].any[0].at_least: expected a number 0 to 1, found '4x'",
        ),
        (
            "at_least = 4 ",
            "at_least = true ",
            "line 10: rule 'sure': all[0].at_least: expected a number of at least 0, found true",
        ),
        (
            "at_least = 4 ",
            "at_least = nan ",
            "line 10: rule 'sure': all[0].at_least: expected a number of at least 0, found nan",
        ),
        (
            "at_least = 4 ",
            "at_last = 4 ",
            "line 10: rule 'sure': all[0].at_last: unknown key, did you mean 'at_least'?",
        ),
        (
            '"firearm.hits"',
            '"firarm.hits"',
            "line 10: rule 'sure': all[0].measure: unknown measure, did you mean 'firearm.hits'?",
        ),
        (
            "window = 10",
            "window = 5",
            "line 10: rule 'sure': all[0].window: expected one of the windows that there are, "
            "3, 10, 30 seconds, found 5",
        ),
        ("window = 10, ", "", "line 10: rule 'sure': all[0]: 'window' is missing"),
        (
            'measure = "reports"',
            'measure = "reports", window = 3',
            "line 23: rule 'look': any[0].window: unknown key; known are "
            "measure, at_least, at_most, until_below, until_above",
        ),
        (
            ", at_least = 4 ",
            " ",
            "line 10: rule 'sure': all[0]: asks for nothing: 'at_least' or 'at_most' is missing",
        ),
        (
            "until_below = 0.2",
            "until_below = 0.4",
            "line 12: rule 'sure': all[1].any[0].until_below: "
            "must be below 'at_least', 0.4, and above 0",
        ),
        (
            "at_least = 0.4, until_below = 0.2",
            "at_most = 0.4, until_above = 0.3",
            "line 12: rule 'sure': all[1].any[0].until_above: "
            "must be above 'at_most', 0.4, and below 1",
        ),
        (
            "at_least = 0.4, until_below",
            "at_most = 0.4, until_below",
            "line 12: rule 'sure': all[1].any[0].until_below: is of no use without 'at_least'",
        ),
        (
            "at_least = 0.4, until_below",
            "at_least = 0.4, until_above",
            "line 12: rule 'sure': all[1].any[0].until_above: is of no use without 'at_most'",
        ),
        (
            'one_of = ["NZ", "AU"]',
            'one_of = ["NZ", "Australia"]',
            "line 15: rule 'sure': all[2].one_of[1]: expected a region of two capital letters, "
            "such as \"NZ\", found 'Australia'",
        ),
        (
            'one_of = ["NZ", "AU"]',
            "one_of = []",
            "line 15: rule 'sure': all[2].one_of: expected at least 1, found 0",
        ),
        (
            "equals = true",
            "equals = 1",
            "line 16: rule 'sure': all[3].equals: expected true or false, found 1",
        ),
        (
            '[{ measure = "reports", at_least = 1 }]',
            "[]",
            "line 23: rule 'look': any: expected at least 1, found 0",
        ),
        (
            'any = [{ measure = "reports", at_least = 1 }]\n',
            "",
            "line 19: rule 'look': the rule is empty; it needs conditions, under 'all' or 'any'",
        ),
        (
            'any = [{ measure = "reports", at_least = 1 }]',
            "any = [3]",
            "line 23: rule 'look': any[0]: expected a condition in braces",
        ),
        (
            'any = [{ measure = "reports", at_least = 1 }]',
            "any = [{ at_least = 1 }]",
            "line 23: rule 'look': any[0]: 'measure' is missing, or 'all' or 'any' with conditions",
        ),
        (
            '{ measure = "reports", at_least = 1 }',
            '{ measure = "reports", at_least = 2, at_most = 1 }',
            "line 23: rule 'look': any: the rule can never hold: "
            "reports would have to be at least 2 and is at most 1",
        ),
        (
            'grade = "escalate"',
            'grade = "wtach"',
            "line 21: rule 'look': grade: "
            "expected one of watch, escalate, takedown, certain, found 'wtach'",
        ),
        (
            'grade = "escalate"',
            'grade = "certain"',
            "line 23: rule 'look': any: 'certain' needs evidence that people can look at: "
            "whenever the rule holds, a measure of known_content must be at least something",
        ),
        (
            'grade = "escalate"',
            'grade = "takedown"',
            "line 23: rule 'look': any: 'takedown' needs evidence that people can look at: "
            "whenever the rule holds, a measure of firearm or first_person or known_content must "
            "be at least something",
        ),
        (
            'name = "look"',
            'name = "sure"',
            "line 20: rule 'sure': name: rule 1 of the file has it too",
        ),
        (
            'name = "look"',
            'name = "Look"',
            "line 20: rule[1]: name: "
            "expected 1 to 64 small letters, digits and hyphens, found 'Look'",
        ),
        (
            'severity = "critical"',
            'cooldown = "10 min"',
            "line 8: rule 'sure': cooldown: only rules that escalate have one: "
            "what stops a stream must not wait, and watching tells nobody",
        ),
        (
            'cooldown = "10 min"',
            'cooldown = "10 minutes"',
            'line 22: rule \'look\': cooldown: expected a duration such as "10 s", "5 min", '
            '"1 h", "7 days", at most 366 days, found \'10 minutes\'',
        ),
        (
            'takedown_within = "1.5 s"',
            'takedown_within = "0 s"',
            'line 26: answers.takedown_within: expected a duration such as "10 s", "5 min", '
            '"1 h", "7 days", at most 366 days, found \'0 s\'',
        ),
        (
            "takedown_retries = 2",
            "takedown_retries = 2.5",
            "line 27: answers.takedown_retries: expected a whole number 0 to 100, found 2.5",
        ),
        (
            '{ critical = "90 s" }',
            '{ urgent = "90 s" }',
            "line 28: answers.escalation_within.urgent: unknown key; "
            "known are elevated, high, critical",
        ),
        (
            'critical = ["duty-manager"]',
            "critical = []",
            "line 33: routes.critical: expected at least 1, found 0",
        ),
        (
            'NZ = "nz-police"',
            'nz = "nz-police"',
            "line 39: referral.regions.nz: expected a region of two capital letters, "
            "such as \"NZ\", found 'nz'",
        ),
        ("[breaker]", "[braker]", "line 41: braker: unknown key, did you mean 'breaker'?"),
        (
            "share_at_risk = 0.5",
            "share_at_risk = 1e999",
            "line 44: breaker.share_at_risk: expected a number 0 to 1, found inf",
        ),
        (
            "takedowns = 50",
            f"takedowns = 0x{'f' * 9999}",
            "line 42: breaker.takedowns: expected a whole number 1 to 100000, "
            "found a number that is too large",
        ),
        ('version = "3.1"\n', "", "line 1: 'version' is missing"),
        ('version = "3.1"', "version = 3", "line 2: version: expected 1 to 64 letters, digits"),
        ("[answers]", "[answers", "line 25: not TOML: Expected ']'"),
        ("[answers]", "[stop]", "line 55: not TOML: Cannot declare ('stop',) twice"),
    ],
)
def test_an_error_names_the_line_the_field_and_the_problem(
    before: str, after: str, message: str
) -> None:
    with pytest.raises(PolicyInvalid) as caught:
        parse_policy(edited(FULL, before, after))
    assert str(caught.value).startswith(message)


def test_weaker_rules_come_after_stronger_ones() -> None:
    text = edited(FULL, 'grade = "takedown"', 'grade = "watch"')
    with pytest.raises(PolicyInvalid, match="line 21: rule 'look': grade: 'escalate' comes after"):
        parse_policy(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: 'name' is missing"),
        (f"{'x' * 90} = 1", f"line 1: '{'x' * 40}…': unknown key"),
        ('"a\\nb" = 1', "line 1: 'a\\nb': unknown key"),
        ("a = 1\n\nb =", "line 3: not TOML: Invalid value"),
        (f"\na = {'9' * 5000}", "line 2: not TOML: "),
        ('name = "p"\nversion = "1"\nrule = 3', "line 3: rule: expected a list, found 3"),
        ('name = "p"\nversion = "1"\nrule = [3]', "line 3: rule[0]: expected a table, found 3"),
        ('name = "p"\nversion = "1"\n[rule]', "line 3: rule: expected a list, found a table"),
    ],
)
def test_what_is_no_policy_at_all_is_said_so(text: str, message: str) -> None:
    with pytest.raises(PolicyInvalid) as caught:
        parse_policy(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("depth", [8, 50, 300, 20_000])
def test_groups_nested_too_deeply_are_refused(depth: int) -> None:
    condition = '{ measure = "reports", at_least = 1 }'
    nested = "{ any = [" * depth + condition + "] }" * depth
    with pytest.raises(PolicyInvalid, match="nested too deeply"):
        parse_policy(MINIMAL + f'[[rule]]\nname = "deep"\ngrade = "watch"\nall = [{nested}]\n')


def test_the_windows_are_those_that_there_are() -> None:
    text = edited(MINIMAL, "window = 10", "window = 7.5")
    assert parse_policy(text, windows=(7.5, 15.0)).rules[0].when.of[0].window == 7.5  # type: ignore[union-attr]
    with pytest.raises(PolicyInvalid, match=r"7\.5, 15 seconds, found 10"):
        parse_policy(MINIMAL, windows=(7.5, 15.0))


@given(st.data())
def test_whatever_is_done_to_a_file_it_is_a_policy_or_an_error_with_a_line(
    data: st.DataObject,
) -> None:
    start = data.draw(st.integers(0, len(FULL)))
    end = data.draw(st.integers(start, min(start + 40, len(FULL))))
    put = data.draw(st.one_of(st.text(max_size=12), st.sampled_from(["[", "{", "'", "=", "1e9"])))
    text = FULL[:start] + put + FULL[end:]
    problem: PolicyInvalid | None = None
    try:
        parse_policy(text)
    except PolicyInvalid as error:
        problem = error
    assert problem is None or 1 <= problem.line <= text.count("\n") + 1


def test_the_schema_that_editors_use_is_the_grammar() -> None:
    assert json.loads(SCHEMA_FILE.read_text()) == json_schema()
    assert DEFAULT.startswith("#:schema ./policy.schema.json\n")


VALIDATOR = jsonschema.Draft202012Validator(json_schema())


@pytest.mark.parametrize("text", [DEFAULT, FULL, MINIMAL])
def test_the_schema_takes_what_is_a_policy(text: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    VALIDATOR.validate(tomllib.loads(text))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("at_least = 4 ", "at_least = '4x' "),
        ("at_least = 4 ", "at_least = -1 "),
        ("at_least = 4 ", "at_last = 4 "),
        ("at_least = 0.4", "at_least = 1.4"),
        ('"firearm.hits"', '"firarm.hits"'),
        ("window = 10", "window = 5"),
        ("window = 10, ", ""),
        ('grade = "escalate"', 'grade = "wtach"'),
        ("[breaker]", "[braker]"),
        ('"1 day"', '"1 dya"'),
        ('version = "3.1"\n', ""),
        ("  { any = [", "  { any = [], all = ["),
        ('one_of = ["NZ", "AU"]', 'one_of = ["nz"]'),
        ("equals = true", "at_least = 1"),
    ],
)
def test_the_schema_refuses_what_an_editor_should_underline(before: str, after: str) -> None:
    document: Any = tomllib.loads(edited(FULL, before, after))
    assert not VALIDATOR.is_valid(document)
