"""What is told of an order of a scope before it is given."""

from __future__ import annotations

import pytest

from agents.decision.controls import Controls
from agents.oncall.consequences import Foretold
from agents.oncall.orders import OF_SCOPES
from agents.oncall.scopes import foretell_scope

from .events import NOW, commanded
from .serving import POLICY

HOUR = 3_600_000_000


def foretold(command: str, scope: str, *orders: tuple[str, str]) -> Foretold:
    """Of ``command`` after ``orders``, each a command and its scope."""
    controls = Controls()
    for name, of in orders:
        controls.apply(
            commanded(name, command_id=f"{name}{of}", scope=of, issued_at=NOW, until=NOW + HOUR)
        )
    return foretell_scope(command, scope, controls.status(POLICY, NOW))


HOLD_NZ, HOLD_ALL = ("hold-takedowns", "region:NZ"), ("hold-takedowns", "all")
TRIP = ("trip-breaker", "all")


@pytest.mark.parametrize(
    ("command", "scope", "orders", "told", "already"),
    [
        ("hold-takedowns", "", [], "Every page says so", ""),
        ("hold-takedowns", "", [HOLD_NZ], "held for region:NZ until", ""),
        ("lift-hold", "region:NZ", [HOLD_NZ, HOLD_ALL], "a film set. That stays.", ""),
        ("lift-hold", "region:NZ", [HOLD_ALL], "That stays.", "nothing is held for region:NZ"),
        ("lift-hold", "", [], "takes streams of the scope down", "nothing is held for any scope"),
        ("lift-hold", "all", [HOLD_ALL, TRIP], "The breaker is open", ""),
        ("trip-breaker", "", [TRIP], "It is open until", ""),
        ("close-breaker", "", [], "takes streams down again", "the breaker is closed"),
        ("close-breaker", "", [TRIP, HOLD_NZ], "That stays.", ""),
    ],
)
def test_what_holds_already_is_told(
    command: str, scope: str, orders: list[tuple[str, str]], told: str, already: str
) -> None:
    """Nobody lifts one hold and believes that nothing is held any more."""
    found = foretold(command, scope, *orders)
    assert any(told in it for it in found.follows)
    assert already in found.already
    assert bool(found.already) == bool(already)


@pytest.mark.parametrize("command", OF_SCOPES)
def test_each_order_says_first_what_it_is_for(command: str) -> None:
    """Whatever holds."""
    assert foretold(command, "", HOLD_NZ, TRIP).follows[0] == foretold(command, "").follows[0]
