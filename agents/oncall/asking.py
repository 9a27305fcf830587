"""The form that an order is given by: says what it would do, and asks for a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

from aiohttp import web

from .bounds import TEXT_CHARACTERS
from .consequences import Foretold, Subject
from .desk import Desk
from .forms import ORDER_ID, Problems, offered
from .orders import Order
from .rendering import html, render
from .routing import Visit

_LONGEST = 7 * 24 * 3600 * 1_000_000
"""Microseconds; where this worker knows no policy."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody is about to order, and of what."""

    order: Order
    action: str
    """Where the form goes."""
    back: str
    """Where somebody goes who changes their mind."""
    foretold: Foretold
    subject: Subject | None = None
    """The stream's session; none where it is of a scope."""
    bound: bool = False
    """Whether it is of that session, and not of whatever session the stream has by then."""


def ask(
    desk: Desk,
    visit: Visit,
    asked: Asked,
    typed: Mapping[str, str],
    *,
    problems: Problems | None = None,
    unsent: str = "",
    status: int = 200,
) -> web.Response:
    """The form, with what was ``typed`` and what is wrong with it, if anything is.

    ``unsent`` says why Kafka did not take it, where that was tried.
    """
    typed = {ORDER_ID: str(uuid4()), **typed}
    if ORDER_ID in (problems or {}):
        typed[ORDER_ID] = str(uuid4())
    return html(
        render(
            "act.html",
            visit,
            desk,
            order=asked.order,
            asked=asked,
            foretold=asked.foretold,
            typed=typed,
            problems=problems or {},
            unsent=unsent,
            lasting=offered(longest(desk)),
            reason_characters=TEXT_CHARACTERS,
        ),
        status,
    )


async def typed_in(visit: Visit) -> dict[str, str]:
    """The texts of the form that was posted; anything else in it, or that is no form, is left
    out: then what is asked for is missing, which is told."""
    try:
        posted = await visit.request.post()
    except (LookupError, ValueError):  # an encoding that is none, or that it is not in
        return {}
    return {name: value for name, value in posted.items() if isinstance(value, str)}


def name_of(visit: Visit) -> str:
    """Whose name an order goes out under."""
    return visit.person.name if visit.person is not None else ""


def longest(desk: Desk) -> int:
    """How long an order may last, in microseconds."""
    policy = desk.live_policy
    return _LONGEST if policy is None else policy.longest
