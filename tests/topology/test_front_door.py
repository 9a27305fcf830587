"""What of a real worker's web server answers whoever asks: a short list, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from tests import signed_in
from topology.app import Role

from .built import built

OPEN = {
    ("GET", "/live"),
    ("HEAD", "/live"),
    ("GET", "/ready"),
    ("HEAD", "/ready"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/static/{name}"),
    ("GET", "/vendor/{name}"),
}
"""Method and path, with ``{parts}``."""
REFUSED = {303, 401, 403}


@asynccontextmanager
async def served(
    role: Role, folder: Path
) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """A worker's web server as it starts, Faust's own pages included."""
    app = built(role, folder, web_key=SecretStr(signed_in.KEY))
    async with TestClient(TestServer(await app.web.wsgi())) as client:
        yield client


@pytest.mark.parametrize("role", Role)
async def test_nothing_is_open_but_the_list(role: Role, tmp_path: Path) -> None:
    """Every route that the built app has, whoever put it there."""
    async with served(role, tmp_path) as client:
        app = client.app
        assert app is not None
        found, answered = set(), set()
        for route in app.router.routes():
            assert route.resource is not None
            pattern = route.resource.canonical
            found.add((route.method, pattern))
            path = pattern.replace("{", "").replace("}", "")
            response = await client.request(route.method, path, allow_redirects=False)
            if response.status not in REFUSED:
                answered.add((route.method, pattern))
            elif (route.method, pattern) not in OPEN:
                assert response.headers.get("Location", "/sign-in").startswith("/sign-in")
    assert found >= OPEN
    assert len(found) > len(OPEN)
    # To sign in, a browser has to say where the form comes from, so that here it is refused.
    assert answered == OPEN - {("POST", "/sign-in")}


@pytest.mark.parametrize("role", Role)
async def test_no_method_of_any_path_gets_around_it(role: Role, tmp_path: Path) -> None:
    """Nor does what is no path of ours."""
    async with served(role, tmp_path) as client:
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "SEARCH"):
            for path in (
                "/",
                "/api/v1/worker",
                "/x//live",
                "/%2Flive",
                "/live/",
                "/ready/../",
                "/Live",
                "/x",
            ):
                response = await client.request(method, path, allow_redirects=False)
                assert response.status in REFUSED, (method, path)


@pytest.mark.parametrize("role", Role)
async def test_fausts_own_pages_are_nobodys(role: Role, tmp_path: Path) -> None:
    """Its index is not even there for admins."""
    async with served(role, tmp_path) as client:
        first = await client.get("/", headers=signed_in.headers())
        assert first.status == (200 if role is Role.JUDGEMENT else 404)
        assert "Faust" not in await first.text()


@pytest.mark.parametrize("path", ["/", "/incidents", "/api/v1/streams"])
async def test_a_worker_that_shows_nothing_says_who_does(tmp_path: Path, path: str) -> None:
    """To whoever is signed in, and leads them round in no circle."""
    async with served(Role.DETECTION, tmp_path) as client:
        answer = await client.get(path, headers=signed_in.headers())
        text = await answer.text()
        assert answer.status == 404
        assert "This worker serves no view" in text
        assert "Judgement workers show the streams" in text
        assert 'href="/"' not in text
