"""Signed in, for tests: as a program with a bearer's token, or as a browser with a cookie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from agents.oncall.access.entrance import Entrance
from agents.oncall.access.proxy import Proxies
from agents.oncall.access.roles import Person, Role
from agents.oncall.access.tokens import Purpose, Tokens
from agents.oncall.callers import Callers
from agents.oncall.guard import AccessGuard, Limits

if TYPE_CHECKING:
    from playwright._impl._api_structures import SetCookieParam

KEY = "what-tests-sign-their-tokens-with-1"
"""For ``FIREBREAK_WEB_KEY`` of workers that a test starts."""
TOKENS = Tokens([KEY])
_ALWAYS = 4_102_444_800_000_000
"""The year 2100: good by any clock that a test sets."""


def person(role: Role = Role.ADMIN) -> Person:
    """Who tests are."""
    return Person(f"test-{role}", role)


def bearer(role: Role = Role.ADMIN) -> str:
    """A token that a worker with ``KEY`` takes."""
    return TOKENS.issue(Purpose.BEARER, person(role), _ALWAYS, f"bearer-{role}")


def headers(role: Role = Role.ADMIN) -> dict[str, str]:
    """What says so in a request."""
    return {"Authorization": f"Bearer {bearer(role)}"}


def session(role: Role = Role.ADMIN) -> str:
    """A session's token, the cookie's value."""
    return TOKENS.issue(Purpose.SESSION, person(role), _ALWAYS, f"session-{role}")


def cookie(url: str, role: Role = Role.ADMIN) -> SetCookieParam:
    """For Playwright's ``context.add_cookies``: a browser that is signed in at ``url``."""
    return {
        "name": "firebreak",
        "value": session(role),
        "url": url,
        "httpOnly": True,
        "sameSite": "Strict",
    }


def guard(
    counts: Counter[str],
    now_us: Callable[[], int],
    *,
    tokens: Tokens = TOKENS,
    proxies: Proxies | None = None,
    limits: Limits | None = None,
) -> AccessGuard:
    """The guard of a worker with ``KEY``."""
    callers = Callers(Entrance(tokens), proxies or Proxies(), counts)
    return AccessGuard(callers, counts, now_us, limits)
