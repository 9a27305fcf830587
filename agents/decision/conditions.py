"""What a rule asks for: bounds on measures, joined by ``all`` and ``any``. Pure.

Hysteresis: a bound is what it takes for a rule to begin to hold, and ``until_below`` and
``until_above`` say how far a value may fall back, or rise, before a rule that holds ends. All
bounds are inclusive. What is not known meets no condition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from .measures import FICTION, MEASURES, Circumstances, Kind, Value


class Condition(Struct, frozen=True, tag="condition"):
    """Bounds on one measure; those of its kind."""

    measure: str
    window: float = 0.0
    """Seconds; 0 for a measure that has none."""
    at_least: float | None = None
    at_most: float | None = None
    until_below: float | None = None
    until_above: float | None = None
    one_of: tuple[str, ...] = ()
    equals: bool | None = None


class Group(Struct, frozen=True, tag="group"):
    """Conditions of which all, or any, must hold; at least one."""

    need: Literal["all", "any"]
    of: tuple[Condition | Group, ...]


Test = Callable[[Circumstances], bool]


def conditions_in(group: Group) -> Iterator[Condition]:
    """Every condition of ``group``, those of groups within it too."""
    for member in group.of:
        if isinstance(member, Group):
            yield from conditions_in(member)
        else:
            yield member


def relaxed(group: Group) -> Group:
    """What it takes for a rule that holds to go on holding."""
    return replace(
        group,
        of=tuple(
            relaxed(it)
            if isinstance(it, Group)
            else replace(
                it,
                at_least=it.at_least if it.until_below is None else it.until_below,
                at_most=it.at_most if it.until_above is None else it.until_above,
            )
            for it in group.of
        ),
    )


def allows_for_fiction(condition: Condition) -> bool:
    """Whether the condition is what keeps games and films out."""
    return MEASURES[condition.measure].signal == FICTION and condition.at_most is not None


def without_fiction(group: Group) -> Group:
    """``group`` as it would be for footage without a sign of fiction."""
    return replace(
        group,
        of=tuple(
            without_fiction(it)
            if isinstance(it, Group)
            else replace(it, at_most=MEASURES[it.measure].highest)
            if allows_for_fiction(it)
            else it
            for it in group.of
        ),
    )


def compiled(group: Group) -> Test:
    """A function that says whether ``group`` holds. Members are asked in their order, and no more
    than it takes: a policy is judged for every risk, and most rules fail at their first condition.
    """
    tests = [compiled(it) if isinstance(it, Group) else _compiled(it) for it in group.of]
    if group.need == "any":

        def any_holds(at: Circumstances) -> bool:
            for test in tests:  # noqa: SIM110  # a generator would cost as much as the tests
                if test(at):
                    return True
            return False

        return any_holds

    def all_hold(at: Circumstances) -> bool:
        for test in tests:  # noqa: SIM110  # as above
            if not test(at):
                return False
        return True

    return all_hold


def _compiled(condition: Condition) -> Test:
    read, window = MEASURES[condition.measure].read, condition.window
    meets = _meets(condition)

    def holds(at: Circumstances) -> bool:
        value = read(at, window)
        return value is not None and meets(value)

    return holds


def _meets(condition: Condition) -> Callable[[Value], bool]:
    measure = MEASURES[condition.measure]
    if measure.kind is Kind.WORD:
        return frozenset(condition.one_of).__contains__
    if measure.kind is Kind.TRUTH:
        return lambda value: value is condition.equals
    least = measure.lowest if condition.at_least is None else condition.at_least
    most = measure.highest if condition.at_most is None else condition.at_most
    return lambda value: least <= value <= most  # type: ignore[operator]  # a number's


def explain(group: Group, at: Circumstances) -> str:
    """Every condition with what was measured, in words."""
    joint = "; " if group.need == "all" else "; or "
    told = joint.join(
        f"({explain(it, at)})" if isinstance(it, Group) else explain_one(it, at) for it in group.of
    )
    return told if group.need == "all" or len(group.of) == 1 else f"one of: {told}"


def explain_one(condition: Condition, at: Circumstances) -> str:
    """One condition with what was measured; whether it holds is left to be seen from it."""
    measure = MEASURES[condition.measure]
    value = measure.read(at, condition.window)
    if value is None:
        return f"{condition.measure} is not known (needs {asked_of(condition)})"
    return f"{measure.say(at, condition.window, value)} (needs {asked_of(condition)})"


def asked_of(condition: Condition) -> str:
    """The bounds, in words."""
    show = _percent if MEASURES[condition.measure].percent else _plain
    asked = []
    if condition.at_least is not None:
        asked.append(f"at least {show(condition.at_least)}")
    if condition.at_most is not None:
        asked.append(f"at most {show(condition.at_most)}")
    if condition.until_below is not None:
        asked.append(f"to go on at least {show(condition.until_below)}")
    if condition.until_above is not None:
        asked.append(f"to go on at most {show(condition.until_above)}")
    if condition.one_of:
        asked.append(f"one of {', '.join(condition.one_of)}")
    if condition.equals is not None:
        asked.append("true" if condition.equals else "false")
    return ", ".join(asked)


def _plain(value: float) -> str:
    return f"{value:g}"


def _percent(value: float) -> str:
    return f"{value * 100:g}%"
