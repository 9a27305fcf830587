"""Fetching payloads over HTTP from where an operator allows it, and from nowhere else.

Whoever can write a frame sample chooses the URI, and must not reach by it what only this worker can
(server-side request forgery): the origin is one of a list; a name that leads to an address within
the operator's network is not followed unless that network is listed too, and it is the address that
was checked which is connected to; nothing is redirected; no proxy is asked; and neither size nor
time is the other side's choice. No URI is in any message: it may be signed.
"""

from __future__ import annotations

import socket
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from mode import Service
from yarl import URL

from agents.dead_letters import DeadLetterCause
from agents.detection.claims import PayloadRefused
from agents.detection.origins import AT_ONCE, PayloadUnavailable

from .settings import Network, Settings

_PIECE = 64 * 1024
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that may be others later (RFC 9110, RFC 6585)."""
_OK = 200
_REDIRECTS = range(300, 400)
_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052: the last four bytes are an IPv4 address."""

Address = IPv4Address | IPv6Address


class _NotAllowed(OSError):
    """A name leads to addresses that may not be reached."""


class PayloadFetcher(Service):
    """Fetches from ``settings.payload_origins``. Runs with the Faust app and ends with it."""

    def __init__(self, settings: Settings, **service: Any) -> None:
        super().__init__(**service)
        self._origins = {URL(origin).origin() for origin in settings.payload_origins}
        self._networks = settings.payload_networks
        self._most = settings.max_payload_bytes
        self._timeout = aiohttp.ClientTimeout(total=settings.payload_timeout)
        self._session: aiohttp.ClientSession | None = None

    @property
    def origins(self) -> Collection[str]:
        return [str(origin) for origin in self._origins]

    @property
    def largest(self) -> int:
        return self._most

    def origin(self, uri: str) -> str:
        """Which of the origins ``uri`` is of. Raises ``PayloadRefused``."""
        return str(self._allowed(uri).origin())

    async def on_stop(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def __call__(self, uri: str) -> bytes:
        """What lies at ``uri``. Raises ``PayloadRefused``, ``PayloadUnavailable``."""
        url = self._allowed(uri)
        origin = url.origin()
        try:
            return await self._get(url)
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, _NotAllowed):
                raise PayloadRefused(f"{origin}: {error.os_error}") from None
            raise PayloadUnavailable(f"{origin}: can't be connected to") from None
        except aiohttp.InvalidURL:
            raise PayloadRefused(f"{origin}: not the URL of a host") from None
        except TimeoutError:
            raise PayloadUnavailable(f"{origin}: no answer in time") from None
        except aiohttp.ClientError as error:
            # Its text may hold the URI.
            raise PayloadUnavailable(f"{origin}: {type(error).__name__}") from None

    def _allowed(self, uri: str) -> URL:
        """Raises ``PayloadRefused``."""
        try:
            url = URL(uri)
            origin = url.origin()
        except ValueError:
            raise PayloadRefused("payload_uri is not the URI of a host") from None
        if url.user is not None or url.password is not None:
            raise PayloadRefused("payload_uri holds credentials")
        if origin not in self._origins:
            raise PayloadRefused("payload_uri is of an origin that is not allowed")
        if (literal := _literal(url)) is not None and not _reachable(literal, self._networks):
            raise PayloadRefused(f"{origin}: leads to a private address")
        return url

    async def _get(self, url: URL) -> bytes:
        async with self._connected().get(url, allow_redirects=False) as response:
            origin = url.origin()
            if response.status in _PASSING:
                raise PayloadUnavailable(f"{origin}: status {response.status}")
            if response.status in _REDIRECTS:
                raise PayloadRefused(f"{origin}: status {response.status}, which is not followed")
            if response.status != _OK:
                raise PayloadRefused(f"{origin}: status {response.status}")
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise PayloadRefused(f"{origin}: a content encoding that was not asked for")
            payload = bytearray()
            if (response.content_length or 0) > self._most:
                raise self._too_large(origin)
            async for piece in response.content.iter_chunked(_PIECE):
                payload += piece
                if len(payload) > self._most:
                    raise self._too_large(origin)
        return bytes(payload)

    def _too_large(self, origin: URL) -> PayloadRefused:
        detail = f"{origin}: over {self._most} bytes"
        return PayloadRefused(detail, DeadLetterCause.PAYLOAD_TOO_LARGE)

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=_Resolver(self._networks),
                use_dns_cache=False,
                limit=0,
                # What waits for its turn beyond that has only so long for both.
                limit_per_host=AT_ONCE,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=self._timeout,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept-Encoding": "identity", "User-Agent": "firebreak"},
                trust_env=False,
            )
        return self._session


class _Resolver(AbstractResolver):
    """The system's, less the addresses that may not be reached."""

    def __init__(self, networks: Collection[Network]) -> None:
        self._networks = networks
        self._system = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._system.resolve(host, port, family)
        allowed = [it for it in found if _reachable(ip_address(it["host"]), self._networks)]
        if found and not allowed:
            raise _NotAllowed("leads to a private address")
        return allowed

    async def close(self) -> None:
        await self._system.close()


def _literal(url: URL) -> Address | None:
    try:
        return ip_address(url.raw_host or "")
    except ValueError:
        return None


def _reachable(address: Address, networks: Collection[Network]) -> bool:
    """Whether ``address`` is public, or of a listed network; one within another counts as that."""
    address = _inner(address)
    if any(address in network for network in networks):
        return True
    # To Python a site's own addresses (fec0::/10, RFC 3879) are global.
    own = isinstance(address, IPv6Address) and address.is_site_local
    return not own and address.is_global and not address.is_multicast and not address.is_reserved


def _inner(address: Address) -> Address:
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return IPv4Address(address.packed[-4:])
        teredo = address.teredo
        return address.ipv4_mapped or address.sixtofour or (teredo and teredo[1]) or address
    return address
