"""Lets requests in: who makes them, may they, do our own pages make them, and not too many."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from aiohttp import web

from .access import csrf
from .access.csrf import Origin
from .access.rates import Rate, Rates, address_key
from .access.roles import Permission
from .callers import Caller, Callers
from .refusals import Refused, answer, wants_problem
from .routing import Route, Visit

_FORM = "application/x-www-form-urlencoded"
_SIGN_IN = "/sign-in"


@dataclass(frozen=True, slots=True)
class Limits:
    """How many requests are let in. What one page asks for by itself is about two a second."""

    of_person: Rate = field(default_factory=lambda: Rate(1200, 200))
    of_address: Rate = field(default_factory=lambda: Rate(300, 100))
    """Of one address, of those who are not signed in."""
    attempts: Rate = field(default_factory=lambda: Rate(10, 10))
    """To sign in, from one address, and of bearers' tokens that are not good."""


class AccessGuard:
    """Lets requests in. ``counts`` are the worker's, ``now_us`` is in microseconds.

    Nothing of whom it refuses is logged; it is counted by reason.
    """

    def __init__(
        self,
        callers: Callers,
        counts: Counter[str],
        now_us: Callable[[], int],
        limits: Limits | None = None,
    ) -> None:
        limits = limits or Limits()
        self.callers = callers
        self.now_us = now_us
        self.counts = counts
        self._people = Rates(limits.of_person)
        self._addresses = Rates(limits.of_address)
        self._attempts = Rates(limits.attempts)

    async def admit(self, request: web.Request, route: Route) -> Visit | web.StreamResponse:
        """The visit that ``request`` may make of ``route``, or the refusal."""
        now = self.now_us()
        caller = self.callers.of(request, now)
        changes = request.method not in csrf.SAFE_METHODS
        is_open = route.permission is Permission.OPEN
        if wait := self._wait(caller, is_open and changes, now):
            headers = {"Retry-After": str(math.ceil(wait))}
            return self._refuse(request, Refused.TOO_MANY, headers)
        if not is_open:
            if caller.refused is not None:
                return self._refuse(request, caller.refused, _how_to_sign_in(caller.refused))
            if caller.person is None:
                return self._ask_to_sign_in(request)
            if not caller.person.may(route.permission):
                return self._refuse(request, Refused.ROLE)
        if changes and not await self._is_from_our_pages(request, caller, is_open):
            return self._refuse(request, Refused.FORGED)
        return Visit(request, caller.person, now, self._proof(caller))

    def _wait(self, caller: Caller, attempts: bool, now: int) -> float:
        """How long the caller has to wait, in seconds."""
        if caller.person is not None and not attempts:
            return self._people.take(caller.person.name, now)
        address = address_key(caller.address)
        if attempts or caller.refused is Refused.TOKEN:
            return self._attempts.take(address, now)
        return self._addresses.take(address, now)

    async def _is_from_our_pages(self, request: web.Request, caller: Caller, is_open: bool) -> bool:
        """Whether a request that changes something was made by a page of the caller's.

        To sign in there is no session to be bound to yet, so that there the browser has to say
        where the request comes from.
        """
        if caller.person is not None and not caller.session and not is_open:
            return True
        headers = request.headers
        told = csrf.told_origin(headers.get("Sec-Fetch-Site"), headers.get("Origin"), caller.hosts)
        if is_open:
            return told is Origin.OURS
        if told is Origin.FOREIGN:
            return False
        given = headers.get(csrf.HEADER) or await _field(request)
        return csrf.proves(given, self._keys, caller.session)

    def _proof(self, caller: Caller) -> str:
        return csrf.proof(self._keys, caller.session) if caller.session else ""

    @property
    def _keys(self) -> list[bytes]:
        return list(self.callers.entrance.tokens.request_keys)

    def _ask_to_sign_in(self, request: web.Request) -> web.StreamResponse:
        """Lead a person's browser to where they sign in; tell programs and scripts that they must.

        A script that fetches a part of a page must not take the sign-in page for that part, and
        leaves what somebody looks at where it is; and who sends a form can go back to what they
        wrote.
        """
        fetched = request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
        leads = request.method == "GET" and not fetched and "HX-Request" not in request.headers
        if wants_problem(request) or not leads:
            headers = _how_to_sign_in(Refused.NOT_SIGNED_IN)
            return self._refuse(request, Refused.NOT_SIGNED_IN, headers)
        self.counts[f"web refused {Refused.NOT_SIGNED_IN.value.reason}"] += 1
        wanted = quote(request.path_qs, safe="")
        return web.Response(status=303, headers={"Location": f"{_SIGN_IN}?next={wanted}"})

    def _refuse(
        self, request: web.Request, why: Refused, headers: dict[str, str] | None = None
    ) -> web.StreamResponse:
        self.counts[f"web refused {why.value.reason}"] += 1
        return answer(request, why.value, headers)


def _how_to_sign_in(why: Refused) -> dict[str, str]:
    if why is Refused.NOT_SIGNED_IN:
        return {"WWW-Authenticate": "Bearer"}
    if why is Refused.TOKEN:
        return {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    return {}


async def _field(request: web.Request) -> str:
    """The proof in a form; nothing where there is none, or the form can't be read."""
    if request.content_type != _FORM:
        return ""
    try:
        given = (await request.post()).get(csrf.FIELD, "")
    except (ValueError, LookupError):  # bytes that are no text, in a charset that is none
        return ""
    return given if isinstance(given, str) else ""
