"""``firebreak policy``: policies' files, checked and explained."""

from __future__ import annotations

import json
from pathlib import Path

import click

from agents.decision.conditions import Condition, Group, asked_of
from agents.decision.policies import Policies
from agents.decision.policy import Policy, Rule
from agents.decision.policy_file import json_schema
from schemas import MICROSECONDS

from ..policies import load_policies

_file_argument = click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
_UNITS = (("days", 86400), ("h", 3600), ("min", 60), ("s", 1))


@click.group()
def policy() -> None:
    """Check a policy's file, explain it, or print the JSON Schema for editors."""


@policy.command()
@_file_argument
def check(file: Path) -> None:
    """Say whether FILE, a policy's or a line-up's, can be used; exits with 1 if not."""
    policies = load_policies(file)
    for part, found in _parts(policies):
        click.echo(f"{part}: {found.label} can be used, {len(found.rules)} rules, {found.digest}")


@policy.command()
def schema() -> None:
    """Print the JSON Schema of a policy's file."""
    click.echo(json.dumps(json_schema(), indent=2))


@policy.command()
@_file_argument
def show(file: Path) -> None:
    """Print what FILE, a policy's or a line-up's, says in words, defaults included."""
    policies = load_policies(file)
    for part, found in _parts(policies):
        click.secho(f"{part}: {found.label}", bold=True)
        click.echo(f"  digest {found.digest}")
        for rule in found.rules:
            _show_rule(rule)
        for name, value in _settings(found).items():
            click.echo(f"  {name}: {value}")


def _parts(policies: Policies) -> list[tuple[str, Policy]]:
    parts = [("live", policies.live)]
    if policies.canary is not None:
        parts.append((f"canary, {policies.share * 100:g}% of the streams", policies.canary))
    if policies.shadow is not None:
        parts.append(("shadow", policies.shadow))
    return parts


def _show_rule(rule: Rule) -> None:
    extras = [f"{rule.severity} severity"]
    if rule.boost:
        extras.append("samples faster")
    if rule.cooldown:
        extras.append(f"not again within {_duration(rule.cooldown)}")
    click.echo(f"  {rule.grade.name.lower()}: {rule.name} ({', '.join(extras)})")
    _show_group(rule.when, "    ")


def _show_group(group: Group, indent: str) -> None:
    click.echo(f"{indent}{group.need} of")
    for member in group.of:
        if isinstance(member, Condition):
            window = f" over {member.window:g} s" if member.window else ""
            click.echo(f"{indent}  {member.measure}{window}: {asked_of(member)}")
        else:
            _show_group(member, f"{indent}  ")


def _settings(policy: Policy) -> dict[str, str]:
    answers, breaker, sampling = policy.answers, policy.breaker, policy.sampling
    routes, referral = policy.routes, policy.referral
    within = ", ".join(f"{it} {_duration(time)}" for it, time in answers.escalation_within.items())
    regions = "".join(f", {region} {who}" for region, who in referral.regions.items())
    return {
        "takedowns": f"confirmed within {_duration(answers.takedown_within)}, asked for again "
        f"{answers.takedown_retries} times at most, then escalated",
        "escalations": f"answered within {within}; raised again "
        f"{answers.escalation_repeats} times at most",
        "forgotten": f"after {_duration(answers.forget_after)} without an answer",
        "routes": "; ".join(f"{it}: {', '.join(to)}" for it, to in routes.by_severity.items())
        + f"; unanswered, besides: {', '.join(routes.repeated) or 'nobody'}",
        "referrals": f"on {', '.join(referral.on) or 'nothing'}, to "
        f"{referral.default or 'nobody'}{regions}",
        "breaker": f"{breaker.takedowns} takedowns within {_duration(breaker.within)}, or "
        f"{breaker.share_at_risk * 100:g}% of the streams at risk from {breaker.at_least_at_risk} "
        f"on; lasts {_duration(breaker.lasts)}",
        "sampling": f"{sampling.frames_per_second:g} frames a second for "
        f"{_duration(sampling.lasts)}",
        "unwatched": f"after {_duration(policy.unwatched_after)}",
        "stop": f"settles within {_duration(policy.stop_settle)}",
        "overrides": f"last at most {_duration(policy.longest_override)}",
    }


def _duration(microseconds: int) -> str:
    """In the largest unit that leaves a whole number."""
    for unit, seconds in _UNITS:
        count, rest = divmod(microseconds, seconds * MICROSECONDS)
        if count and not rest:
            return f"{count} {unit}"
    return f"{microseconds / MICROSECONDS:g} s"
