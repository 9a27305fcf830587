"""How many requests somebody may make: token buckets, so many of them and no more. Pure."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network

from schemas import MICROSECONDS

LIMIT = 10_000
_MINUTE = 60.0
_HOME_OF_IPV6 = 64
"""One subscriber has a whole network of so many bits, and could use another address each time."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many a minute in the long run, and so many at once."""

    per_minute: float
    at_once: int


@dataclass(slots=True)
class Rates:
    """A bucket for each of at most ``limit`` callers; whoever was seen longest ago is forgotten.

    What forgetting lets somebody get away with is a bucket filled anew.
    """

    rate: Rate
    limit: int = LIMIT
    _buckets: OrderedDict[str, tuple[float, int]] = field(default_factory=OrderedDict)
    """What is left in each, and when that was, in microseconds."""

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, who: str, now: int) -> float:
        """Take one from ``who``'s bucket: 0 if it was there, else the seconds until it will be."""
        left, at = self._buckets.pop(who, (float(self.rate.at_once), now))
        a_second = self.rate.per_minute / _MINUTE
        # A clock that goes back gives nothing, and takes nothing.
        left = min(left + max(now - at, 0) / MICROSECONDS * a_second, float(self.rate.at_once))
        wait = 0.0 if left >= 1 else (1 - left) / a_second
        self._buckets[who] = (left - 1 if not wait else left, now)
        if len(self._buckets) > self.limit:
            self._buckets.popitem(last=False)
        return wait


def address_key(address: str) -> str:
    """What an address counts as: itself, or its network where one caller has many."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "no address"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed.packed, _HOME_OF_IPV6), strict=False))
    return str(parsed)
