"""Policies as people compare them: rule by rule, in words. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class RuleTold:
    """One rule of a policy."""

    name: str
    words: str
    """What it reaches, with whom, and what it asks for."""


@dataclass(frozen=True, slots=True)
class PolicyTold:
    """One policy that a worker runs."""

    place: str
    """``live``, ``canary`` or ``shadow``."""
    label: str
    digest: str
    share: float | None
    """Of streams that a canary decides about, 0 to 1; ``None`` for the others."""
    rules: tuple[RuleTold, ...]
    """In the order in which they are asked."""
    settings: tuple[tuple[str, str], ...]
    """What the policy says besides rules: its key in the file, and its value in words."""
    longest: int
    """Longest suppression, hold or breaker that may be ordered, in microseconds."""


ReadPolicies = Callable[[], tuple[PolicyTold, ...]]
"""The policies of this worker, the live one first."""


class Change(StrEnum):
    """What another policy does to a rule or a setting of the live one. The values are words."""

    SAME = "the same"
    CHANGED = "changed"
    ADDED = "only there"
    REMOVED = "only in the live one"
    MOVED = "asked in another order"


@dataclass(frozen=True, slots=True)
class Difference:
    """One rule or setting in both policies; empty words where one lacks it."""

    name: str
    change: Change
    live: str
    other: str


def differences(live: PolicyTold, other: PolicyTold) -> list[Difference]:
    """Every rule, then every setting, of either; in the live policy's order, what only the other
    has behind."""
    rules = _compare(
        {it.name: it.words for it in live.rules}, {it.name: it.words for it in other.rules}
    )
    moved = _moved([it.name for it in live.rules], [it.name for it in other.rules])
    return [
        *(
            Difference(it.name, Change.MOVED, it.live, it.other)
            if it.change is Change.SAME and it.name in moved
            else it
            for it in rules
        ),
        *_compare(dict(live.settings), dict(other.settings)),
    ]


def _compare(live: dict[str, str], other: dict[str, str]) -> list[Difference]:
    found = []
    for name in (*live, *(it for it in other if it not in live)):
        mine, theirs = live.get(name), other.get(name)
        if mine is None:
            change = Change.ADDED
        elif theirs is None:
            change = Change.REMOVED
        else:
            change = Change.SAME if mine == theirs else Change.CHANGED
        found.append(Difference(name, change, mine or "", theirs or ""))
    return found


def _moved(live: list[str], other: list[str]) -> set[str]:
    """Rules of both that are not where they were among the rules of both."""
    mine = [it for it in live if it in other]
    theirs = [it for it in other if it in live]
    blocks = SequenceMatcher(None, mine, theirs, autojunk=False).get_matching_blocks()
    stayed = {name for it in blocks for name in mine[it.a : it.a + it.size]}
    return set(mine) - stayed
