"""Rules as they stand in a policy's file: their grammar, and what makes no sense in one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from .conditions import Condition, Group
from .feasibility import contradiction, rests_on
from .grammar import (
    DURATION,
    TRUTH,
    Field,
    ListOf,
    Misfit,
    Scalar,
    TableOf,
    choice,
    number,
    suggestion,
    text,
)
from .measures import FICTION, KNOWN_CONTENT, MEASURES, SIGNALS, Kind, Measure
from .policy import Grade, Rule, Severity
from .toml_lines import Path

_GRADES = {grade.name.lower(): grade for grade in Grade if grade is not Grade.NONE}
_SEVERITY_OF = {
    Grade.WATCH: Severity.ELEVATED,
    Grade.ESCALATE: Severity.HIGH,
    Grade.TAKEDOWN: Severity.CRITICAL,
    Grade.CERTAIN: Severity.CRITICAL,
}
"""Of a rule that does not say."""
_RESTS_ON = {
    Grade.TAKEDOWN: tuple(signal for signal in SIGNALS if signal != FICTION),
    # It acts also on what a person released on a model's evidence: no such evidence may reach it.
    Grade.CERTAIN: (KNOWN_CONTENT,),
}
_CONDITION = "condition"
_DEEPEST = 16
"""Length of a group's path: of more nesting nobody could tell what it means."""
REGION = r"[A-Z]{2}"
REGION_EXPECTED = 'a region of two capital letters, such as "NZ"'
_WORDS = {
    "region": text(REGION, REGION_EXPECTED),
    "category": text(r"[\s\S]{1,128}", "text of 1 to 128 characters"),
}


@dataclass(frozen=True, slots=True)
class ConditionKind:
    """A condition, or a group of them; ``windows`` are the lengths there are, in seconds."""

    windows: tuple[float, ...]

    def read(self, value: object, path: Path) -> Condition | Group:
        if not isinstance(value, dict):
            raise Misfit(path, "expected a condition in braces")
        for need in ("all", "any"):
            if need in value:
                if len(path) > _DEEPEST:
                    raise Misfit(path, "groups are nested too deeply")
                members = self._group(need).read(value, path)
                return Group(need, members[need])
        name = value.get("measure")
        if name is None:
            raise Misfit(path, "'measure' is missing, or 'all' or 'any' with conditions")
        if not isinstance(name, str) or name not in MEASURES:
            raise Misfit((*path, "measure"), f"unknown measure{suggestion(str(name), MEASURES)}")
        condition = Condition(**self._bounds([name]).read(value, path))
        _check_bounds(condition, MEASURES[name], path)
        return condition

    def schema(self) -> dict[str, Any]:
        return {"$ref": f"#/$defs/{_CONDITION}"}

    def definitions(self) -> dict[str, Any]:
        """What :meth:`schema` refers to."""
        alike: dict[str, list[str]] = {}
        for name, measure in MEASURES.items():
            words = name if measure.kind is Kind.WORD else ""
            limits = f"{measure.kind} {measure.windowed} {measure.highest} {words}"
            alike.setdefault(limits, []).append(name)
        groups = map(self._group, ("all", "any"))
        kinds = [*map(self._bounds, alike.values()), *groups]
        return {_CONDITION: {"anyOf": [kind.schema() for kind in kinds]}}

    def members(self, need: str, required: bool = False) -> Field:
        return Field(ListOf(self, 1), f"{need.capitalize()} of these must hold.", required)

    def _group(self, need: str) -> TableOf:
        return TableOf({need: self.members(need, required=True)})

    def _bounds(self, names: list[str]) -> TableOf:
        """The grammar of a condition on one of ``names``, which are measured alike."""
        measure = MEASURES[names[0]]
        fields = {"measure": Field(choice(*names), "What is measured.", required=True)}
        if measure.windowed:
            fields["window"] = Field(self._window(), "Over how many seconds.", required=True)
        match measure.kind:
            case Kind.NUMBER:
                bound = number(measure.lowest, measure.highest)
                fields |= {
                    "at_least": Field(bound, "Inclusive."),
                    "at_most": Field(bound, "Inclusive."),
                    "until_below": Field(bound, "The rule goes on as long as it is not below."),
                    "until_above": Field(bound, "The rule goes on as long as it is not above."),
                }
            case Kind.WORD:
                fields["one_of"] = Field(ListOf(_WORDS[names[0]], 1), "Any of these.", True)
            case Kind.TRUTH:
                fields["equals"] = Field(TRUTH, "Whether it must be so.", required=True)
        return TableOf(fields)

    def _window(self) -> Scalar:
        def convert(value: object) -> float:
            if isinstance(value, bool) or value not in self.windows:
                raise ValueError
            return float(value)

        lengths = [int(it) if it.is_integer() else it for it in self.windows]
        return Scalar(
            f"one of the windows that there are, {', '.join(map(str, lengths))} seconds",
            convert,
            {"enum": lengths},
        )


@dataclass(frozen=True, slots=True)
class RuleKind:
    """A rule. One that could never hold, or that would take down unseen, does not fit."""

    conditions: ConditionKind

    def read(self, value: object, path: Path) -> Rule:
        given = self._table().read(value, path)
        needs = [need for need in ("all", "any") if need in given]
        if len(needs) != 1:
            problem = (
                "has both 'all' and 'any': put the one into the other" if needs else "is empty"
            )
            raise Misfit(path, f"the rule {problem}; it needs conditions, under 'all' or 'any'")
        (need,) = needs
        members = given.pop(need)
        when = Group("all" if need == "all" else "any", members)
        grade = _GRADES[given.pop("grade")]
        if why := contradiction(when):
            raise Misfit((*path, need), f"the rule can never hold: {why}")
        if (signals := _RESTS_ON.get(grade)) and not rests_on(signals, when):
            raise Misfit(
                (*path, need),
                f"'{grade.name.lower()}' needs evidence that people can look at: whenever the rule "
                f"holds, a measure of {' or '.join(signals)} must be at least something",
            )
        if given.get("cooldown") and grade is not Grade.ESCALATE:
            raise Misfit(
                (*path, "cooldown"),
                "only rules that escalate have one: what stops a stream must not wait, and "
                "watching tells nobody",
            )
        severity = Severity(given.pop("severity", _SEVERITY_OF[grade]))
        return Rule(**given, grade=grade, when=when, severity=severity)

    def schema(self) -> dict[str, Any]:
        either = [{"required": [need]} for need in ("all", "any")]
        return {**self._table().schema(), "oneOf": either}

    def _table(self) -> TableOf:
        return TableOf(
            {
                "name": Field(
                    text(r"[a-z0-9-]{1,64}", "1 to 64 small letters, digits and hyphens"),
                    "Goes with every decision that the rule causes.",
                    required=True,
                ),
                "grade": Field(
                    choice(*_GRADES),
                    "What is asked for: watch, escalate to people, takedown, or certain for "
                    "content that is known.",
                    required=True,
                ),
                "severity": Field(choice(*Severity), "Of the escalation that the rule raises."),
                "boost": Field(TRUTH, "Ask for a higher sampling rate when it begins to hold."),
                "cooldown": Field(DURATION, "An escalation is not raised again within this."),
                "all": self.conditions.members("all"),
                "any": self.conditions.members("any"),
            }
        )


def check_order(rules: Sequence[Rule], path: Path) -> None:
    """Names are told apart, and no rule stands behind a weaker one, which would decide before it.

    Raises ``Misfit``.
    """
    first: dict[str, int] = {}
    for at, rule in enumerate(rules):
        if first.setdefault(rule.name, at) != at:
            raise Misfit((*path, at, "name"), f"rule {first[rule.name] + 1} of the file has it too")
    for at, (before, rule) in enumerate(pairwise(rules), 1):
        if rule.grade > before.grade:
            raise Misfit(
                (*path, at, "grade"),
                f"'{rule.grade.name.lower()}' comes after '{before.grade.name.lower()}' of rule "
                f"'{before.name}': the first rule that holds decides, so the strongest come first",
            )


def _check_bounds(condition: Condition, measure: Measure, path: Path) -> None:
    """Raises ``Misfit``."""
    if measure.kind is not Kind.NUMBER:
        return
    least, most = condition.at_least, condition.at_most
    if least is None and most is None:
        raise Misfit(path, "asks for nothing: 'at_least' or 'at_most' is missing")
    below, above = condition.until_below, condition.until_above
    if below is not None:
        at = (*path, "until_below")
        if least is None:
            raise Misfit(at, "is of no use without 'at_least'")
        if not measure.lowest < below < least:
            raise Misfit(at, f"must be below 'at_least', {least:g}, and above {measure.lowest:g}")
    if above is not None:
        at = (*path, "until_above")
        if most is None:
            raise Misfit(at, "is of no use without 'at_most'")
        if not most < above < measure.highest:
            limit = "" if measure.highest == float("inf") else f", and below {measure.highest:g}"
            raise Misfit(at, f"must be above 'at_most', {most:g}{limit}")
