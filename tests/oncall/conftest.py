"""The on-call view, served as a worker serves it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer

from tests import signed_in

from .asking import fill
from .serving import Client, Served, serve


@pytest.fixture
def served() -> Served:
    return serve()


@pytest.fixture
def known(served: Served) -> Served:
    """With a stream that is escalated, and some of all the rest."""
    return fill(served)


@pytest.fixture
async def client(served: Served) -> AsyncIterator[Client]:
    """An admin's, as programs are."""
    # What a worker's web server does as it starts, Faust's own index included.
    server = TestServer(await served.app.web.wsgi())
    async with TestClient(server, headers=signed_in.headers()) as client:
        yield client
