"""A policy's file: TOML in, a policy out, or an error that names line and field. Pure.

The grammar is in ``_grammar`` and ``rule_file``, and in JSON Schema for editors
(``policies/policy.schema.json``). The default policy, ``policies/default.toml``, shows all of it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from .grammar import (
    DURATION,
    Field,
    Kind,
    ListOf,
    MapOf,
    Misfit,
    TableOf,
    choice,
    number,
    shown,
    text,
    whole,
)
from .policy import Answers, Boost, BreakerLimits, Policy, Referral, Routes, Severity
from .rule_file import REGION, REGION_EXPECTED, ConditionKind, RuleKind, check_order
from .toml_lines import Path, lines_of

WINDOWS = (3.0, 10.0, 30.0)
"""Lengths of the windows that aggregation makes unless it is told otherwise, in seconds."""

T = TypeVar("T")

_TOML_LINE = re.compile(r" \(at line (\d+), column \d+\)$")
_ROUTE = r"[a-z0-9-]{1,64}"
_ROUTE_EXPECTED = "1 to 64 small letters, digits and hyphens"


class PolicyInvalid(Exception):
    """A policy's file, or a line-up's, can't be used: who wrote it must act.

    The message has the line, the field and the problem; so have the attributes.
    """

    def __init__(self, line: int, field: str, problem: str) -> None:
        super().__init__(f"line {line}: {field}: {problem}" if field else f"line {line}: {problem}")
        self.line = line
        self.field = field
        self.problem = problem


def parse_policy(text: str, windows: Collection[float] = WINDOWS) -> Policy:
    """The policy in ``text``, for windows of these lengths in seconds. Raises ``PolicyInvalid``."""
    return read_toml(text, PolicyKind(tuple(windows)).read)


def json_schema(windows: Collection[float] = WINDOWS) -> dict[str, Any]:
    """The grammar as JSON Schema, which leaves to :func:`parse_policy` what it can't say."""
    kind = PolicyKind(tuple(windows))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Firebreak policy",
        **kind.schema(),
        "$defs": kind.definitions(),
    }


def read_toml(text: str, read: Callable[[object, Path], T]) -> T:
    """What ``read`` makes of ``text``. Raises ``PolicyInvalid``, also for its ``Misfit``."""
    try:
        document = tomllib.loads(text)
    except ValueError as error:  # a number may be too large to be read at all
        found = _TOML_LINE.search(str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        problem = str(error).partition(" (at ")[0]
        raise PolicyInvalid(line, "", f"not TOML: {problem}") from error
    except RecursionError as error:
        raise PolicyInvalid(1, "", "nested too deeply") from error
    try:
        return read(document, ())
    except Misfit as misfit:
        line = _line(text, misfit.path)
        raise PolicyInvalid(line, _field(misfit.path, document), str(misfit)) from None


class PolicyKind:
    """The grammar of a whole policy."""

    def __init__(self, windows: tuple[float, ...]) -> None:
        self._conditions = ConditionKind(windows)
        self._table = TableOf(_grammar(RuleKind(self._conditions)))

    def read(self, value: object, path: Path) -> Policy:
        given = self._table.read(value, path)
        check_order(given["rule"], (*path, "rule"))
        answers = given.get("answers", {})
        if "escalation_within" in answers:
            within = Answers().escalation_within | answers["escalation_within"]
            answers = {**answers, "escalation_within": within}
        routes = given.get("routes", {})
        repeated = {"repeated": routes.pop("repeated")} if "repeated" in routes else {}
        optional = {
            "unwatched_after": given.get("unwatched", {}).get("after"),
            "stop_settle": given.get("stop", {}).get("settle"),
            "longest_override": given.get("overrides", {}).get("longest"),
        }
        return Policy(
            name=given["name"],
            version=given["version"],
            rules=given["rule"],
            answers=Answers(**answers),
            routes=Routes(by_severity=Routes().by_severity | routes, **repeated),
            referral=Referral(**given.get("referral", {})),
            breaker=BreakerLimits(**given.get("breaker", {})),
            sampling=Boost(**given.get("sampling", {})),
            **{name: value for name, value in optional.items() if value is not None},
        )

    def schema(self) -> dict[str, Any]:
        return self._table.schema()

    def definitions(self) -> dict[str, Any]:
        return self._conditions.definitions()


def _grammar(rule: Kind) -> dict[str, Field]:
    route = text(_ROUTE, _ROUTE_EXPECTED)
    within = {it.value: Field(DURATION, f"Of {it} severity.") for it in Severity}
    by_severity = {it.value: Field(ListOf(route, 1), f"Of {it} severity.") for it in Severity}
    sections = {
        "answers": (
            "How long answers are waited for, and what happens then.",
            {
                "takedown_within": Field(DURATION, "For a takedown service to answer."),
                "takedown_retries": Field(whole(0, 100), "Before people are told."),
                "escalation_within": Field(TableOf(within), "For a person to answer."),
                "escalation_repeats": Field(whole(0, 100), "How often it is raised again."),
                "forget_after": Field(DURATION, "Closes incidents that nobody answers."),
            },
        ),
        "routes": (
            "Whom escalations are for.",
            by_severity
            | {"repeated": Field(ListOf(route), "Besides, once nobody answered in time.")},
        ),
        "referral": (
            "Whom law-enforcement referrals are for. People send them.",
            {
                "on": Field(
                    ListOf(choice("takedown", "verdict-true")), "When a referral is prepared."
                ),
                "default": Field(
                    text(f"({_ROUTE})?", f"{_ROUTE_EXPECTED}, or nothing"),
                    "Where no region fits; empty for nobody.",
                ),
                "regions": Field(
                    MapOf(REGION, REGION_EXPECTED, route), "By ISO 3166-1 alpha-2 code."
                ),
            },
        ),
        "breaker": (
            "When takedowns become escalations until people have looked.",
            {
                "takedowns": Field(whole(1, 100_000), "So many within the time trip it."),
                "within": Field(DURATION, "The time in which takedowns are counted."),
                "share_at_risk": Field(number(0, 1), "Of all live streams; as much trips it."),
                "at_least_at_risk": Field(
                    whole(1, 100_000), "Streams from which the share counts."
                ),
                "lasts": Field(DURATION, "How long it stays open by itself."),
            },
        ),
        "sampling": (
            "What a boost asks for.",
            {
                "frames_per_second": Field(number(0.1, 60), "Frames sampled each second."),
                "lasts": Field(DURATION, "How long."),
            },
        ),
        "unwatched": (
            "When a live stream counts as unwatched.",
            {"after": Field(DURATION, "Since its newest judged frame.")},
        ),
        "stop": (
            "After a takedown was confirmed.",
            {"settle": Field(DURATION, "Frames later than this mean that the stream runs on.")},
        ),
        "overrides": (
            "What people may order.",
            {"longest": Field(DURATION, "Of a suppression, a hold or a breaker.")},
        ),
    }
    return {
        "name": Field(text(_ROUTE, _ROUTE_EXPECTED), "What people call the policy.", required=True),
        "version": Field(
            text(r"[A-Za-z0-9._+-]{1,64}", "1 to 64 letters, digits and any of ._+-"),
            "Changes with the policy.",
            required=True,
        ),
        "rule": Field(
            ListOf(rule, 1), "The first rule that holds decides; strongest first.", required=True
        ),
        **{name: Field(TableOf(fields), about) for name, (about, fields) in sections.items()},
    }


def _line(text: str, path: Path) -> int:
    """Where ``path`` stands, or what it would stand in."""
    lines = lines_of(text)
    for length in range(len(path), 0, -1):
        if line := lines.get(path[:length]):
            return line
    return 1


def _field(path: Path, document: dict[str, Any]) -> str:
    """``path`` for people: a rule goes by its name where it has one."""
    rule = ""
    if path[:1] == ("rule",) and len(path) > 1:
        number, *rest = path[1:]
        name = _name(document, number)
        rule = f"rule '{name}': " if name else f"rule[{number}]: "
        path = tuple(rest)
    field = "".join(f"[{it}]" if isinstance(it, int) else f".{_key(it)}" for it in path)
    return f"{rule}{field.removeprefix('.')}" if field else rule.removesuffix(": ")


def _key(key: str) -> str:
    """As it is where it may be a key of ours, quoted and cut where it can't."""
    return key if re.fullmatch(r"\w{1,40}", key) else shown(key)


def _name(document: dict[str, Any], number: str | int) -> str:
    rules = document["rule"]
    rule = rules[number] if isinstance(rules, list) and isinstance(number, int) else None
    name = rule.get("name") if isinstance(rule, dict) else None
    return name if isinstance(name, str) and re.fullmatch(_ROUTE, name) else ""
