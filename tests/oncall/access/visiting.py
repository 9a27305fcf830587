"""Browsers of people who are signed in, or not, for tests of who is let in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer

from agents.oncall.access import csrf
from agents.oncall.access.proxy import Proxies
from agents.oncall.access.roles import Role
from agents.oncall.access.tokens import LINK_LASTS, Purpose, Tokens
from tests import signed_in
from tests.oncall.events import NOW
from tests.oncall.serving import Client, Served

HERE = {"Sec-Fetch-Site": "same-origin"}
PROXIES = Proxies((ip_network("127.0.0.1/32"),), roles={"watch": Role.VIEWER, "leads": Role.ADMIN})
ACT = "/control/act/hold-takedowns"


@asynccontextmanager
async def browsing(served: Served, **cookies: str) -> AsyncIterator[Client]:
    """A browser of somebody who is not signed in, but for ``cookies``."""
    server = TestServer(await served.app.web.wsgi())
    jar = CookieJar(unsafe=True)  # addresses have cookies as well
    async with TestClient(server, cookie_jar=jar, cookies=cookies) as client:
        yield client


@pytest.fixture
async def anybody(served: Served) -> AsyncIterator[Client]:
    async with browsing(served) as client:
        yield client


def link(role: Role = Role.RESPONDER, tokens: Tokens = signed_in.TOKENS) -> str:
    return tokens.issue(Purpose.LINK, signed_in.person(role), NOW + LINK_LASTS, "link-1")


async def enter(client: Client, token: str, **headers: str) -> Any:
    return await client.post(
        "/sign-in",
        data={"token": token, "next": "/control"},
        headers=headers or HERE,
        allow_redirects=False,
    )


def proof(role: Role = Role.ADMIN) -> str:
    return csrf.proof(signed_in.TOKENS.request_keys, f"session session-{role}")


async def act(client: Client, form: Mapping[str, str], headers: Mapping[str, str] = HERE) -> int:
    """Send an order's form that is not filled in: 422 is what comes of one that was let in."""
    response = await client.post(ACT, data=form, headers=headers, allow_redirects=False)
    return response.status
