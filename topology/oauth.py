"""Access tokens for SASL/OAUTHBEARER by the OAuth 2.0 client-credentials grant (RFC 6749, 4.4)."""

from __future__ import annotations

import asyncio
import ssl
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaConnectionError

_TIMEOUT = aiohttp.ClientTimeout(total=10.0)
_SHARE_OF_LIFE = 0.8
"""A token is used for this share of the time that it is good for, as librdkafka does."""


class TokenUnavailable(KafkaConnectionError):  # type: ignore[misc]  # aiokafka is not typed
    """The token endpoint gave no token. aiokafka tries again, as with brokers that are away."""


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """What the endpoint at ``token_url`` knows this client by."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    renew_at: float


class ClientCredentialsProvider(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka is not typed
    """Gives a token to each connection that aiokafka opens, and fetches one now and then.

    Faust's consumer lives on an event loop of its own beside the producer's, so this is called
    from several loops; each fetches at most once at a time. ``clock`` is in seconds.
    """

    def __init__(
        self,
        credentials: ClientCredentials,
        tls: ssl.SSLContext,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._credentials = credentials
        self._tls = tls
        self._clock = clock
        self._token: _Token | None = None
        self._fetching: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = (
            WeakKeyDictionary()
        )

    async def token(self) -> str:
        """A token that is good for a while. Raises ``TokenUnavailable``."""
        async with self._fetching.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            if self._token is None or self._clock() >= self._token.renew_at:
                self._token = await self._fetch()
            return self._token.value

    async def _fetch(self) -> _Token:
        asked_at = self._clock()
        given = self._credentials
        form = {"grant_type": "client_credentials"}
        if given.scope is not None:
            form["scope"] = given.scope
        client = f"{given.client_id}:{given.client_secret}".encode()
        headers = {"Authorization": f"Basic {b64encode(client).decode()}"}
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as session,
                session.post(
                    given.token_url, data=form, headers=headers, ssl=self._tls
                ) as response,
            ):
                if not response.ok:
                    raise TokenUnavailable(f"{given.token_url}: status {response.status}")
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise TokenUnavailable(f"{given.token_url}: {error!r}") from error
        return self._read(answer, asked_at)

    def _read(self, answer: Any, asked_at: float) -> _Token:
        # The message must not hold the answer: it may hold a token.
        match answer:
            case {"access_token": str(value), "expires_in": int() | float() as seconds}:
                return _Token(value, asked_at + _SHARE_OF_LIFE * seconds)
            case _:
                raise TokenUnavailable(
                    f"{self._credentials.token_url}: no access_token with an expires_in"
                )
