"""Whom a request comes from, by what it brings: a proxy's headers, a bearer's token, a cookie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiohttp import web

from . import cookies
from .access.entrance import Entrance
from .access.proxy import Proxies, Unclear
from .access.roles import Person
from .access.tokens import Grant, Purpose
from .refusals import Refused

_BEARER = "bearer "
_UNCLEAR = {Unclear.AMBIGUOUS: Refused.PROXY, Unclear.NO_ROLE: Refused.GROUPS}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request, and by which way."""

    address: str
    """Where it comes from, proxies of ours aside."""
    secure: bool
    """Whether the browser speaks HTTPS."""
    hosts: Sequence[str]
    """What the browser calls us, each ``host[:port]``."""
    person: Person | None = None
    session: str = field(default="", repr=False)
    """What the proofs of the caller's pages are bound to. Empty where no page can make a browser
    send what says who it is, as with a bearer's token."""
    refused: Refused | None = None
    """Why what says who it is does not count."""


@dataclass(frozen=True, slots=True)
class Callers:
    """Tells who makes a request.

    A trusted proxy's word comes first: it may pass on an ``Authorization`` that is meant for it.
    Then a bearer's token, then the cookie. A cookie that is not good any more is as none.
    """

    entrance: Entrance
    proxies: Proxies
    counts: Counter[str]

    def of(self, request: web.Request, now: int) -> Caller:
        """Whom ``request`` comes from."""
        headers = list(request.headers.items())
        peer, hosts, secure = request.remote or "", [request.host], request.secure
        if self.proxies.trusts(peer):
            address = self.proxies.client_address(peer, headers)
            secure = secure or self.proxies.is_secure(headers)
            hosts += self.proxies.hosts(headers)
            named = self.proxies.person(headers)
            if isinstance(named, Unclear):
                return Caller(address, secure, hosts, refused=_UNCLEAR[named])
            if named is not None:
                return Caller(address, secure, hosts, named, f"proxy {named.name}")
        else:
            address = peer
            if self.proxies.names_somebody(headers):
                self.counts["web proxy headers from an unlisted address"] += 1
        authorization = request.headers.get("Authorization", "")
        if authorization.lower().startswith(_BEARER):
            token = authorization[len(_BEARER) :].strip()
            found = self.entrance.tokens.read(token, Purpose.BEARER, now)
            if isinstance(found, Grant):
                return Caller(address, secure, hosts, found.person)
            return Caller(address, secure, hosts, refused=Refused.TOKEN)
        if cookie := request.cookies.get(cookies.name(secure)):
            held = self.entrance.whose(cookie, now)
            if isinstance(held, Grant):
                return Caller(address, secure, hosts, held.person, f"session {held.token_id}")
        return Caller(address, secure, hosts)
