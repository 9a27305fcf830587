"""The policies that a worker runs, in words, for people who compare them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from agents.decision.conditions import Condition, Group, asked_of
from agents.decision.policies import Policies
from agents.decision.policy import Grade, Policy, Rule
from agents.oncall.policies import PolicyTold, RuleTold
from schemas import MICROSECONDS

_DURATIONS = frozenset(
    {
        "answers.takedown_within",
        "answers.escalation_within.critical",
        "answers.escalation_within.elevated",
        "answers.escalation_within.high",
        "answers.forget_after",
        "breaker.within",
        "breaker.lasts",
        "sampling.lasts",
        "unwatched_after",
        "stop_settle",
        "longest_override",
    }
)
"""Settings in microseconds, by their path."""
_UNITS = (("day", 86_400), ("h", 3600), ("min", 60))


def told(policies: Policies) -> tuple[PolicyTold, ...]:
    """Those in force and on trial, the live one first."""
    found = [_told("live", policies.live, None)]
    if policies.canary is not None:
        found.append(_told("canary", policies.canary, policies.share))
    if policies.shadow is not None:
        found.append(_told("shadow", policies.shadow, None))
    return tuple(found)


def _told(place: str, policy: Policy, share: float | None) -> PolicyTold:
    return PolicyTold(
        place=place,
        label=policy.label,
        digest=policy.digest,
        share=share,
        rules=tuple(RuleTold(it.name, _rule(it)) for it in policy.rules),
        settings=tuple(_settings(policy)),
        longest=policy.longest_override,
    )


def _rule(rule: Rule) -> str:
    reaches = rule.grade.name.lower()
    if rule.grade >= Grade.ESCALATE:
        reaches += f" ({rule.severity})"
    besides = [f"asks: {_group(rule.when)}"]
    if rule.boost:
        besides.append("samples faster")
    if rule.cooldown:
        besides.append(f"not again within {duration(rule.cooldown)}")
    return f"{reaches}; {'; '.join(besides)}"


def _group(group: Group) -> str:
    joint = " and " if group.need == "all" else " or "
    return joint.join(
        f"({_group(it)})" if isinstance(it, Group) else _condition(it) for it in group.of
    )


def _condition(condition: Condition) -> str:
    over = f" over {condition.window:g} s" if condition.window else ""
    return f"{condition.measure}{over} {asked_of(condition)}"


def _settings(policy: Policy) -> Iterator[tuple[str, str]]:
    known: dict[str, Any] = msgspec.to_builtins(policy)
    for path, value in _flat({k: v for k, v in known.items() if k not in _ELSEWHERE}, ""):
        yield path, duration(value) if path in _DURATIONS else _said(value)


_ELSEWHERE = frozenset({"name", "version", "rules"})


def _flat(values: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    for name, value in sorted(values.items()):
        path = f"{before}{name}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}.")
        else:
            yield path, value


def _said(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nobody"
    return f"{value:g}" if isinstance(value, float) else str(value)


def duration(microseconds: int) -> str:
    """``10 min``, ``7 days``, ``2.5 s``: in the largest unit that it is a whole number of."""
    for unit, seconds in _UNITS:
        count, rest = divmod(microseconds, seconds * MICROSECONDS)
        if count and not rest:
            return f"{count} days" if unit == "day" and count != 1 else f"{count} {unit}"
    return f"{microseconds / MICROSECONDS:g} s"
