"""Tokens are fetched by the client-credentials grant and used until shortly before they expire."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from topology.oauth import ClientCredentials, ClientCredentialsProvider, TokenUnavailable

SECRET = "do-not-tell"


@dataclass
class Endpoint:
    """A token endpoint: counts what it was asked and answers with numbered tokens."""

    status: int = 200
    answer: dict[str, Any] = field(default_factory=lambda: {"expires_in": 100})
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def give(self, request: web.Request) -> web.Response:
        self.asked.append((request.headers["Authorization"], dict(await request.post())))
        token = {"access_token": f"token-{len(self.asked)}"}
        return web.json_response({**token, **self.answer}, status=self.status)


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


async def serve(endpoint: Endpoint) -> TestServer:
    app = web.Application()
    app.router.add_post("/token", endpoint.give)
    server = TestServer(app)
    await server.start_server()
    return server


def provider(
    server: BaseTestServer, clock: Clock, scope: str | None = None
) -> ClientCredentialsProvider:
    credentials = ClientCredentials(str(server.make_url("/token")), "firebreak", SECRET, scope)
    return ClientCredentialsProvider(credentials, ssl.create_default_context(), clock)


async def test_token_is_asked_for_with_the_client_credentials_grant() -> None:
    endpoint = Endpoint()
    async with await serve(endpoint) as server:
        assert await provider(server, Clock(), "kafka").token() == "token-1"
    ((auth, form),) = endpoint.asked
    assert auth == "Basic ZmlyZWJyZWFrOmRvLW5vdC10ZWxs"  # firebreak:do-not-tell
    assert form == {"grant_type": "client_credentials", "scope": "kafka"}


async def test_token_is_used_until_a_fifth_of_its_life_is_left() -> None:
    clock = Clock()
    async with await serve(Endpoint()) as server:
        given = provider(server, clock)
        seen = []
        for clock.now in (0.0, 79.9, 80.0, 159.9, 160.0):
            seen.append(await given.token())
    assert seen == ["token-1", "token-1", "token-2", "token-2", "token-3"]


async def test_connections_that_open_together_share_one_token() -> None:
    endpoint = Endpoint()
    async with await serve(endpoint) as server:
        given = provider(server, Clock())
        tokens = await asyncio.gather(*(given.token() for _ in range(5)))
    assert set(tokens) == {"token-1"}
    assert len(endpoint.asked) == 1


async def test_several_event_loops_may_ask() -> None:
    async with await serve(Endpoint()) as server:
        given = provider(server, Clock())
        first = await given.token()
        assert await asyncio.to_thread(lambda: asyncio.run(given.token())) == first


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint(status=401),
        Endpoint(answer={}),
        Endpoint(answer={"expires_in": "soon"}),
        Endpoint(answer={"access_token": None, "expires_in": 1}),
    ],
)
async def test_endpoint_that_gives_no_token_is_told_without_secrets(endpoint: Endpoint) -> None:
    async with await serve(endpoint) as server:
        with pytest.raises(TokenUnavailable, match="/token: ") as raised:
            await provider(server, Clock()).token()
    assert SECRET not in str(raised.value)
    assert "token-1" not in str(raised.value)


async def test_endpoint_that_is_away_is_told() -> None:
    server = await serve(Endpoint())
    given = provider(server, Clock())
    await server.close()
    with pytest.raises(TokenUnavailable):
        await given.token()
