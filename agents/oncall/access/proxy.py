"""Whom a trusted proxy in front of us says that a request comes from. Pure.

A proxy that signs people in by OpenID Connect (oauth2-proxy, authentik, an ingress) tells by
headers who somebody is and which groups they are in. Anybody else can send the same headers, so
that they count only where the connection itself comes from a listed network. What is said twice is
not said: a proxy that adds its header to one that the client sent would leave it open which is
whose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from .roles import Person, Role
from .tokens import NameUnfit, checked_name

Headers = Sequence[tuple[str, str]]
"""Names as they came, and values, in order; a name may come more than once."""

_RANK = {role: rank for rank, role in enumerate(Role)}
_GROUPS = 200


class Unclear(StrEnum):
    """Why what a proxy says is not taken."""

    AMBIGUOUS = "the proxy's headers name more than one person or none that can be"
    NO_ROLE = "none of the person's groups has a role here"


@dataclass(frozen=True, slots=True)
class Proxies:
    """Which proxies are trusted, and how they speak. None are by default."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    user_header: str = "X-Forwarded-User"
    groups_header: str = "X-Forwarded-Groups"
    separator: str = ","
    roles: Mapping[str, Role] = field(default_factory=dict)
    """Which role each group has; the highest of somebody's groups counts."""

    def trusts(self, address: str) -> bool:
        """Whether ``address`` is a listed proxy's."""
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self.networks)

    def names_somebody(self, headers: Headers) -> bool:
        """Whether ``headers`` would name somebody if a trusted proxy had sent them."""
        return bool(self.networks) and bool(_values(headers, self.user_header))

    def person(self, headers: Headers) -> Person | Unclear | None:
        """Whom ``headers``, which came from a trusted proxy, name; ``None`` if nobody."""
        users = _values(headers, self.user_header)
        if not users:
            return None
        groups = _values(headers, self.groups_header)
        if len(users) > 1 or len(groups) > 1:
            return Unclear.AMBIGUOUS
        try:
            name = checked_name(users[0])
        except NameUnfit:
            return Unclear.AMBIGUOUS
        named = (groups[0] if groups else "").split(self.separator, _GROUPS)[:_GROUPS]
        roles = [self.roles[it.strip()] for it in named if it.strip() in self.roles]
        return Person(name, max(roles, key=_RANK.__getitem__)) if roles else Unclear.NO_ROLE

    def client_address(self, peer: str, headers: Headers) -> str:
        """Where a request comes from: the last hop that is no proxy of ours.

        ``X-Forwarded-For`` is read from its end, as far as proxies that are trusted wrote it: what
        stands before that is the client's own word.
        """
        address = peer
        hops = [
            hop.strip() for value in _values(headers, "X-Forwarded-For") for hop in value.split(",")
        ]
        while self.trusts(address) and hops:
            hop = _parsed(hops.pop())
            if hop is None:
                break
            address = str(hop)
        return address

    def is_secure(self, headers: Headers) -> bool:
        """Whether the browser reached the trusted proxy that sent ``headers`` by HTTPS."""
        return _values(headers, "X-Forwarded-Proto") == ["https"]

    def hosts(self, headers: Headers) -> list[str]:
        """What the browser called us, as the trusted proxy that sent ``headers`` says."""
        return _values(headers, "X-Forwarded-Host")


def _values(headers: Headers, name: str) -> list[str]:
    wanted = name.lower()
    return [value for found, value in headers if found.lower() == wanted]


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed
