"""Reads what a person filled in for an order. Pure.

Whatever is wrong is told by field, and nothing that was typed is lost: the page shows it again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from schemas import MICROSECONDS, OperatorCommanded

from .bounds import TEXT_CHARACTERS
from .orders import Field, Order

ORDER_ID = "order_id"
REASON = "reason"
NAME_CHARACTERS = 100
LASTING = ("15 min", "30 min", "1 h", "4 h", "12 h", "1 day", "3 days", "7 days")
"""What is offered; any number of these units is read."""

_UNITS = {"min": 60, "h": 3600, "day": 86_400, "days": 86_400}
_LASTS = re.compile(rf"([0-9]{{1,6}}) ?({'|'.join(_UNITS)})")
_SCOPE = re.compile(r"all|region:[A-Z]{2}|policy:[a-z0-9-]{1,64}")
_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_UUID_4 = 4


@dataclass(frozen=True, slots=True)
class Filled:
    """What an order says besides whom it is from and what it is of."""

    order_id: str
    reason: str
    until: int = 0
    """Microseconds since the epoch; 0 where the order is for no time."""
    assignee: str = ""
    scope: str = ""


Problems = dict[str, str]
"""By the name of the field what is wrong with it, in words."""


def read(
    order: Order, given: Mapping[str, str], now: int, longest: int
) -> tuple[Filled | None, Problems]:
    """What was filled in for ``order``, or what is wrong with it.

    ``longest`` is how long the policy lets an order last, in microseconds.
    """
    problems: Problems = {}
    reason, wrong = read_reason(given)
    if wrong:
        problems[REASON] = wrong
    order_id = given.get(ORDER_ID, "")
    if not is_order_id(order_id):
        problems[ORDER_ID] = "The form is not one of ours, or is damaged. Open it anew."
    lasts = 0
    if Field.LASTS in order.fields:
        lasts = read_lasting(given.get(Field.LASTS, "")) or 0
        if not lasts:
            problems[Field.LASTS] = "Say for how long, such as 30 min, 4 h or 2 days."
        elif lasts > longest:
            problems[Field.LASTS] = f"At most {say_lasting(longest)}: the policy allows no longer."
    assignee = given.get(Field.ASSIGNEE, "").strip() if Field.ASSIGNEE in order.fields else ""
    if len(assignee) > NAME_CHARACTERS or not assignee.isprintable():
        problems[Field.ASSIGNEE] = f"A name of at most {NAME_CHARACTERS} characters, on one line."
    scope = _scope(order, given)
    if order.of_scope and not is_scope(scope):
        problems[Field.SCOPE] = (
            "Say all, region:XX (two capital letters, such as region:NZ) or policy:NAME."
        )
    if problems:
        return None, problems
    return Filled(order_id, reason, now + lasts if lasts else 0, assignee, scope), {}


def read_reason(given: Mapping[str, str]) -> tuple[str, str]:
    """The reason, and what is wrong with it in words; empty where nothing is."""
    reason = given.get(REASON, "").replace("\r\n", "\n").strip()
    if not reason:
        return reason, "Say why: the reason is on record with your name."
    if len(reason) > TEXT_CHARACTERS:
        return reason, f"At most {TEXT_CHARACTERS} characters; these are {len(reason)}."
    if _UNPRINTABLE.search(reason):
        return reason, "There are characters in it that can't be shown."
    return reason, ""


def commanded(
    order: Order,
    filled: Filled,
    operator: str,
    now: int,
    *,
    stream_id: str = "",
    session_id: str = "",
) -> OperatorCommanded:
    """The order as it goes out, from ``operator`` at ``now``."""
    return OperatorCommanded(
        command_id=filled.order_id,
        command=order.command,
        operator=operator,
        reason=filled.reason,
        issued_at=now,
        stream_id=stream_id,
        session_id=session_id,
        scope=filled.scope,
        until=filled.until,
        assignee=filled.assignee,
    )


def is_the_same(known: OperatorCommanded, asked: OperatorCommanded) -> bool:
    """Whether one is the other once more: the same of the same, by the same person."""
    return all(
        getattr(known, name) == getattr(asked, name)
        for name in ("command", "stream_id", "scope", "assignee", "operator", "reason")
    )


def is_order_id(text: str) -> bool:
    """Whether ``text`` is a random UUID as this view writes them."""
    try:
        found = UUID(text)
    except ValueError:
        return False
    return str(found) == text and found.version == _UUID_4


def is_scope(text: str) -> bool:
    """Whether ``text`` names a scope."""
    return _SCOPE.fullmatch(text) is not None


def read_lasting(text: str) -> int | None:
    """``30 min``, ``4 h`` or ``2 days`` in microseconds; none for anything else, and for 0."""
    found = _LASTS.fullmatch(text.strip())
    return int(found[1]) * _UNITS[found[2]] * MICROSECONDS or None if found else None


def say_lasting(lasts: int) -> str:
    """As ``read_lasting`` reads it, to the minute; ``lasts`` is in microseconds."""
    minutes = lasts // (60 * MICROSECONDS)
    for unit, many in (("day", 1440), ("h", 60)):
        if minutes and minutes % many == 0:
            count = minutes // many
            return f"{count} days" if unit == "day" and count != 1 else f"{count} {unit}"
    return f"{minutes} min"


def offered(longest: int) -> list[str]:
    """What a form offers to last, none longer than ``longest``."""
    return [it for it in LASTING if (read_lasting(it) or 0) <= longest]


def _scope(order: Order, given: Mapping[str, str]) -> str:
    if not order.of_scope:
        return ""
    # There is one breaker: what is ordered of it is ordered of all.
    return given.get(Field.SCOPE, "").strip() if Field.SCOPE in order.fields else "all"
