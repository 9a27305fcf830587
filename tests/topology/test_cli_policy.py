"""``firebreak policy``, as an operator calls it."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from agents.decision.defaults import DEFAULT_POLICY_FILE, default_policy
from agents.decision.policy_file import json_schema
from topology.cli.policy import policy
from topology.policies import PolicyUnusable


def call(*arguments: str) -> Result:
    return CliRunner().invoke(policy, arguments)


def test_check_says_what_can_be_used() -> None:
    result = call("check", str(DEFAULT_POLICY_FILE))
    assert result.exit_code == 0
    assert default_policy().label in result.output
    assert default_policy().digest in result.output


def test_check_fails_with_the_place_and_the_problem(tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    before, after = DEFAULT_POLICY_FILE.read_text().split('grade = "certain"')
    file.write_text(f"{before}grade = 4{after}")
    line = before.count("\n") + 1
    result = call("check", str(file))
    assert result.exit_code == 1
    assert isinstance(result.exception, PolicyUnusable)
    assert str(result.exception).startswith(
        f"{file}: line {line}: rule 'known-content': grade: expected one of watch, "
    )


def test_schema_prints_the_schema() -> None:
    result = call("schema")
    assert json.loads(result.output) == json_schema()


def test_show_says_every_rule_and_every_setting() -> None:
    result = call("show", str(DEFAULT_POLICY_FILE))
    assert result.exit_code == 0
    for rule in default_policy().rules:
        assert f"{rule.grade.name.lower()}: {rule.name}" in result.output
    for line in (
        "firearm.share over 10 s: at least 40%, to go on at least 20%",
        "firearm.evidence: at least 2",
        "escalations: answered within elevated 10 min, high 5 min, critical 2 min",
        "breaker: 5 takedowns within 10 min, or 5% of the streams at risk from 20 on; lasts 1 h",
        "overrides: last at most 7 days",
    ):
        assert line in result.output


def test_show_says_each_part_of_a_line_up(tmp_path: Path) -> None:
    text = DEFAULT_POLICY_FILE.read_text()
    (tmp_path / "a.toml").write_text(text)
    (tmp_path / "b.toml").write_text(
        text.replace('version = "3"', 'version = "4"')
        + '[[rule]]\nname = "either"\ngrade = "watch"\n'
        + 'any = [{ measure = "region", one_of = ["NZ"] }, { all = ['
        + '{ measure = "first_stream", equals = true }] }]\n'
    )
    file = tmp_path / "line-up.toml"
    file.write_text(
        'live = "a.toml"\n[canary]\npolicy = "b.toml"\nshare = 0.025\n[shadow]\npolicy = "b.toml"\n'
    )
    result = call("show", str(file))
    assert result.exit_code == 0
    assert "live: default/3" in result.output
    assert "canary, 2.5% of the streams: default/4" in result.output
    assert "shadow: default/4" in result.output
    assert (
        "any of\n      region: one of NZ\n      all of\n        first_stream: true" in result.output
    )
