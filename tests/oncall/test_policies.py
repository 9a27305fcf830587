"""Policies beside each other, as people read them."""

from __future__ import annotations

from agents.oncall.policies import Change, Difference, PolicyTold, RuleTold, differences


def policy(*rules: str, settings: tuple[tuple[str, str], ...] = ()) -> PolicyTold:
    """A policy of rules such as ``a=words``."""
    told = tuple(RuleTold(*rule.split("=")) for rule in rules)
    return PolicyTold("live", "test/1", "c" * 64, None, told, settings, 1)


def changes(live: PolicyTold, other: PolicyTold) -> dict[str, Change]:
    return {it.name: it.change for it in differences(live, other)}


def test_a_policy_does_not_differ_from_itself() -> None:
    """Every rule and setting is there, and each is the same."""
    same = policy("a=1", "b=2", settings=(("x", "1"),))
    assert changes(same, same) == dict.fromkeys("abx", Change.SAME)


def test_what_differs_is_told_with_both_words() -> None:
    """Rules that one lacks, that say something else, and settings alike."""
    live = policy("a=1", "b=2", settings=(("x", "1"), ("y", "2")))
    other = policy("a=1", "c=3", settings=(("x", "9"), ("y", "2")))

    assert differences(live, other) == [
        Difference("a", Change.SAME, "1", "1"),
        Difference("b", Change.REMOVED, "2", ""),
        Difference("c", Change.ADDED, "", "3"),
        Difference("x", Change.CHANGED, "1", "9"),
        Difference("y", Change.SAME, "2", "2"),
    ]


def test_the_order_of_rules_counts() -> None:
    """The first rule that holds decides: another order is another policy."""
    moved = changes(policy("a=1", "b=2", "c=3"), policy("b=2", "c=3", "a=1"))
    assert moved == {"a": Change.MOVED, "b": Change.SAME, "c": Change.SAME}


def test_a_rule_more_moves_no_other() -> None:
    """What is only put in between leaves the others where they were."""
    added = changes(policy("a=1", "b=2"), policy("a=1", "n=0", "b=2"))
    assert added == {"a": Change.SAME, "b": Change.SAME, "n": Change.ADDED}
