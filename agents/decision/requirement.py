"""What a rule asks for, made ready to be asked often: it is, for every risk. Pure."""

from __future__ import annotations

from schemas import MICROSECONDS

from .conditions import (
    Group,
    allows_for_fiction,
    compiled,
    conditions_in,
    explain,
    explain_one,
    relaxed,
    without_fiction,
)
from .measures import MEASURES, Circumstances


class Requirement:
    """``stands`` is whether the rule held the last time: then it goes by what it takes to go on."""

    __slots__ = ("_all_windows", "_begins", "_fiction", "_goes_on", "_when", "_window")

    def __init__(self, when: Group) -> None:
        conditions = tuple(conditions_in(when))
        stays = relaxed(when)
        self._when = when
        self._begins = compiled(when), compiled(without_fiction(when))
        self._goes_on = compiled(stays), compiled(without_fiction(stays))
        self._fiction = tuple(filter(allows_for_fiction, conditions))
        self._window = max(it.window for it in conditions)
        self._all_windows = any(MEASURES[it.measure].longest for it in conditions)

    def holds(self, at: Circumstances, stands: bool) -> bool:
        return (self._goes_on if stands else self._begins)[0](at)

    def holds_but_for_fiction(self, at: Circumstances, stands: bool) -> bool:
        """Whether it would hold if nothing looked like a game or a film."""
        return (self._goes_on if stands else self._begins)[1](at)

    def explain(self, at: Circumstances) -> str:
        """Every condition with what was measured, in words."""
        return explain(self._when, at)

    def explain_fiction(self, at: Circumstances) -> str:
        """The same of those conditions that keep games and films out."""
        return "; ".join(explain_one(it, at) for it in self._fiction)

    def window(self, at: Circumstances) -> int:
        """Longest window that is looked at, in microseconds; 0 for none."""
        seconds = max(at.windows, default=0.0) if self._all_windows else self._window
        return round(seconds * MICROSECONDS)
