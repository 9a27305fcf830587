"""What people can order: scopes, and orders that are refused everywhere."""

from __future__ import annotations

from typing import Any

import pytest

from agents.decision.commands import (
    OF_SCOPES,
    Command,
    Scope,
    ScopeKind,
    read_scope,
    refusal_of_scope,
)
from agents.decision.states import Refusal

from .timeline import at, order

ALL, NZ, TEST = Scope(ScopeKind.ALL), Scope(ScopeKind.REGION, "NZ"), Scope(ScopeKind.POLICY, "test")


@pytest.mark.parametrize(
    ("text", "scope"), [("all", ALL), ("region:NZ", NZ), ("policy:test", TEST)]
)
def test_a_scope_is_read_as_it_is_written(text: str, scope: Scope) -> None:
    assert read_scope(text) == scope
    assert str(scope) == text


@pytest.mark.parametrize(
    "text",
    ["", "ALL", "all:", "all:NZ", "region", "region:", "region:nz", "region:NZL", "region:N",
     "policy:Default", "policy:a/3", "policy:" + "a" * 65, "region:NZ\n", "stream:s", " all"],
)  # fmt: skip
def test_what_names_no_scope_is_none(text: str) -> None:
    assert read_scope(text) is None


@pytest.mark.parametrize(
    ("scope", "region", "policy", "covered"),
    [
        (ALL, "", "other", True),
        (NZ, "NZ", "other", True),
        (NZ, "DE", "other", False),
        (NZ, "", "other", False),
        (TEST, "NZ", "test", True),
        (TEST, "NZ", "tes", False),
    ],
)
def test_a_scope_covers_its_own_and_no_region_covers_what_is_of_no_known_region(
    scope: Scope, region: str, policy: str, covered: bool
) -> None:
    assert scope.covers(region, policy) is covered


@pytest.mark.parametrize(
    ("command", "given", "refusal"),
    [
        ("hold-takedowns", {"scope": "region:NZ", "until": 60}, None),
        ("lift-hold", {"scope": "region:NZ"}, None),
        ("trip-breaker", {"scope": "all", "until": 60}, None),
        ("close-breaker", {"scope": "all"}, None),
        ("release", {"scope": "all"}, Refusal.UNKNOWN_COMMAND),
        ("hold-everything", {"scope": "all"}, Refusal.UNKNOWN_COMMAND),
        ("lift-hold", {"scope": "mars"}, Refusal.UNKNOWN_SCOPE),
        ("trip-breaker", {"scope": "region:NZ", "until": 60}, Refusal.UNKNOWN_SCOPE),
        ("close-breaker", {"scope": "policy:test"}, Refusal.UNKNOWN_SCOPE),
        ("lift-hold", {"scope": "all", "reason": " "}, Refusal.NO_REASON),
        ("lift-hold", {"scope": "all", "operator": ""}, Refusal.NO_REASON),
        ("hold-takedowns", {"scope": "all"}, Refusal.NO_TIME_LIMIT),
        ("trip-breaker", {"scope": "all", "until": 10}, Refusal.EXPIRED),
    ],
)
def test_an_order_about_a_scope_is_carried_out_or_refused_with_its_reason(
    command: str, given: dict[str, Any], refusal: Refusal | None
) -> None:
    assert refusal_of_scope(order(5, command, **given), at(10)) is refusal


def test_each_command_is_either_of_streams_or_of_scopes() -> None:
    """What is of a scope says so in its place in the list, which people read."""
    assert list(Command)[-len(OF_SCOPES) :] == [it for it in Command if it in OF_SCOPES]
