"""What an order of a scope would lead to, told before it is given. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .consequences import Foretold
from .orders import ORDERS

_EVERYONE_SEES = "Every page says so at the top, with your name, for as long as it holds."


def foretell_scope(command: str, scope: str, held_back: Mapping[str, Any]) -> Foretold:
    """What ``command`` is likely to lead to, given what holds takedowns back as this worker knows.

    ``scope`` is empty while nobody has said which. None of these is refused for how things stand:
    a switch that is turned to where it was says so anew.
    """
    breaker, held = held_back["breaker"], held_back["kill_switches"]
    follows = [ORDERS[command].does]
    already = ""
    match command:
        case "hold-takedowns":
            follows.append(_EVERYONE_SEES)
            follows += [f"{_told(it)} A new order for it replaces that one." for it in held]
        case "lift-hold":
            these = [it for it in held if scope in ("", it["scope"])]
            others = [it for it in held if it not in these]
            follows += [_told(it) for it in these]
            follows += [f"{_told(it)} That stays." for it in others]
            if breaker["open"]:
                follows.append("The breaker is open, so nothing is taken down all the same.")
            if not these:
                already = f"nothing is held for {scope or 'any scope'}, as far as is known here"
        case "trip-breaker":
            follows.append(_EVERYONE_SEES)
            if breaker["open"]:
                follows.append(f"It is open until {breaker['until']} already: {breaker['why']}.")
        case "close-breaker":
            follows += [f"{_told(it)} That stays." for it in held]
            if not breaker["open"]:
                already = "the breaker is closed, as far as is known here"
    return Foretold(tuple(follows), already=already)


def _told(switch: Mapping[str, Any]) -> str:
    return (
        f"Takedowns are held for {switch['scope']} until {switch['until']}, ordered by "
        f"{switch['by']}: {switch['why']}."
    )
