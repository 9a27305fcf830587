"""A policy in words is all of the policy."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from agents.decision.defaults import default_policy
from agents.decision.policies import Policies
from agents.decision.policy import Policy
from agents.oncall.policies import Change, differences
from topology.oncall.policies import duration, told

DEFAULT = default_policy()


def test_the_default_policy_is_told_rule_by_rule() -> None:
    """What each rule reaches, and every condition with its bounds."""
    (live,) = told(Policies(DEFAULT))

    words = {it.name: it.words for it in live.rules}
    assert list(words) == [it.name for it in DEFAULT.rules]
    assert (
        "takedown (critical); asks: firearm.on over 10 s at least 4" in words["sustained-firearm"]
    )
    assert "not again within 10 min" in words["repeated-firearm"]
    assert ("answers.escalation_within.high", "5 min") in live.settings
    assert ("longest_override", "7 days") in live.settings


def _others() -> list[Policy]:
    """The default policy with each of its own values changed, one at a time."""
    values: list[dict[str, Any]] = [
        {"unwatched_after": 1},
        {"stop_settle": 1},
        {"longest_override": 1},
        {"answers": replace(DEFAULT.answers, takedown_retries=9)},
        {"routes": replace(DEFAULT.routes, repeated=())},
        {"referral": replace(DEFAULT.referral, regions={"NZ": "nz-police"})},
        {"breaker": replace(DEFAULT.breaker, share_at_risk=0.5)},
        {"sampling": replace(DEFAULT.sampling, frames_per_second=4.5)},
        {"rules": DEFAULT.rules[1:]},
        {"rules": (replace(DEFAULT.rules[0], boost=True), *DEFAULT.rules[1:])},
        {"rules": (replace(DEFAULT.rules[0], cooldown=5), *DEFAULT.rules[1:])},
        {"rules": DEFAULT.rules[::-1]},
    ]
    return [replace(DEFAULT, **value) for value in values]


@pytest.mark.parametrize("other", _others())
def test_whatever_differs_is_told(other: Policy) -> None:
    """Policies of other digests never look the same."""
    live, canary, shadow = told(Policies(DEFAULT, other, 0.1, other))
    assert [it.place for it in (live, canary, shadow)] == ["live", "canary", "shadow"]
    assert (live.share, canary.share) == (None, 0.1)
    assert any(it.change is not Change.SAME for it in differences(live, shadow))


@pytest.mark.parametrize(
    ("microseconds", "words"),
    [(0, "0 s"), (2_500_000, "2.5 s"), (60_000_000, "1 min"), (86_400_000_000, "1 day")],
)
def test_durations_are_told_in_the_largest_whole_unit(microseconds: int, words: str) -> None:
    assert duration(microseconds) == words
