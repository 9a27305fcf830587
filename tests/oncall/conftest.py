"""The on-call view, served as a worker serves it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer

from .serving import Client, Served, serve


@pytest.fixture
def served() -> Served:
    return serve()


@pytest.fixture
async def client(served: Served) -> AsyncIterator[Client]:
    # What a worker's web server does as it starts, Faust's own index included.
    async with TestClient(TestServer(await served.app.web.wsgi())) as client:
        yield client
