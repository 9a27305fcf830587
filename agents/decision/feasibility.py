"""What can be told of conditions before anything is measured. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .conditions import Condition, Group
from .measures import MEASURES, Kind

_HALF_SECONDS = 2
"""In a second: the slots in which a signal is on or off."""


def rests_on(signals: Collection[str], member: Condition | Group) -> bool:
    """Whether one of ``signals`` must be at least something for ``member`` to hold."""
    if isinstance(member, Group):
        found = (rests_on(signals, it) for it in member.of)
        return any(found) if member.need == "all" else all(found)
    return MEASURES[member.measure].signal in signals and (member.at_least or 0) > 0


def contradiction(group: Group, given: Sequence[Condition] = ()) -> str | None:
    """Why ``group`` can't hold beside the conditions ``given``; ``None`` where nothing was found.

    Alternatives are tried one group of them at a time and not in all combinations, so what two
    such groups rule out only together is not found.
    """
    if group.need == "any":
        found = [_contradiction_of(it, given) for it in group.of]
        return found[0] if all(found) else None
    sure = [*given, *_certainly(group)]
    return _contradictory(sure) or next(
        filter(None, (contradiction(it, sure) for it in _alternatives(group))), None
    )


def _contradiction_of(member: Condition | Group, given: Sequence[Condition]) -> str | None:
    if isinstance(member, Group):
        return contradiction(member, given)
    return _contradictory([*given, member])


def _certainly(group: Group) -> list[Condition]:
    """The conditions of an ``all``, with those of every ``all`` in it."""
    found: list[Condition] = []
    for member in group.of:
        if isinstance(member, Condition):
            found.append(member)
        elif member.need == "all":
            found += _certainly(member)
    return found


def _alternatives(group: Group) -> list[Group]:
    """The ``any`` groups of an ``all``, with those of every ``all`` in it."""
    found: list[Group] = []
    for member in group.of:
        if isinstance(member, Group):
            found += [member] if member.need == "any" else _alternatives(member)
    return found


@dataclass(slots=True)
class _Left:
    """The values that conditions leave to one measure over one window."""

    least: float
    most: float
    words: frozenset[str] | None = None
    truths: frozenset[bool] = frozenset((False, True))

    def narrow(self, condition: Condition) -> None:
        if condition.at_least is not None:
            self.least = max(self.least, condition.at_least)
        if condition.at_most is not None:
            self.most = min(self.most, condition.at_most)
        if condition.one_of:
            words = frozenset(condition.one_of)
            self.words = words if self.words is None else self.words & words
        if condition.equals is not None:
            self.truths &= {condition.equals}


def _contradictory(conditions: Sequence[Condition]) -> str | None:
    """Why ``conditions`` can't all hold at once, in words."""
    left: dict[tuple[str, float], _Left] = {}
    for condition in conditions:
        measure, window = MEASURES[condition.measure], condition.window
        what = condition.measure + (f" over {window:g} s" if measure.windowed else "")
        most = measure.highest
        if condition.measure.endswith(".on"):
            most = _HALF_SECONDS * window
        found = left.setdefault((condition.measure, window), _Left(measure.lowest, most))
        found.narrow(condition)
        if found.least > found.most:
            return f"{what} would have to be at least {found.least:g} and is at most {found.most:g}"
        if found.words is not None and not found.words:
            return f"no {what} is in every 'one_of'"
        if measure.kind is Kind.TRUTH and not found.truths:
            return f"{what} would have to be both true and false"
    return None
