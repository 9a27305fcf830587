"""A worker that waits for Kafka answers: it lives, is not ready, and says what it waits for."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer

from agents.oncall.unreached import Boot, build_server
from tests.builders import SECOND

from .events import NOW
from .serving import Client


@pytest.fixture
def boot() -> Boot:
    return Boot(since=NOW)


@pytest.fixture
async def client(boot: Boot) -> AsyncIterator[Client]:
    server = TestServer(build_server(boot, lambda: NOW + 60 * SECOND))
    async with TestClient(server) as client:
        yield client


async def test_it_lives_and_is_not_ready(client: Client, boot: Boot) -> None:
    assert (await client.get("/live")).status == 200
    for reached, lacks in ((False, ["started", "Kafka reached"]), (True, ["started"])):
        boot.reached = reached
        ready = await client.get("/ready")
        assert (ready.status, (await ready.json())["reasons"]) == (503, lacks)


@pytest.mark.parametrize("path", ["/", "/incidents", "/streams/0123/frame", "/sign-in", "/x"])
async def test_each_page_says_what_is_waited_for_and_since_when(client: Client, path: str) -> None:
    answer = await client.get(path)
    text = await answer.text()
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert "<h1>Kafka is not reached</h1>" in text
    assert "has tried since 22:14:20\N{NO-BREAK SPACE}UTC" in text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for asset in re.findall(r'(?:src|href)="(/[^"]+)"', text):
        assert (await client.get(asset)).status == 200, asset


async def test_once_kafka_is_there_the_page_says_that_the_worker_starts(
    client: Client, boot: Boot
) -> None:
    """The page's script has the change by ``/ready``."""
    before = (await (await client.get("/ready")).json())["boot"]
    assert f'data-boot="{before}"' in await (await client.get("/")).text()
    boot.reached = True
    after = (await (await client.get("/ready")).json())["boot"]
    assert after != before
    text = await (await client.get("/")).text()
    assert f'data-boot="{after}"' in text
    assert "<h1>This worker is starting</h1>" in text


async def test_programs_get_a_problem(client: Client) -> None:
    for method in ("GET", "POST"):
        answer = await client.request(method, "/api/v1/streams")
        assert (answer.status, answer.content_type) == (503, "application/problem+json")
        assert (await answer.json())["reason"] == "kafka-not-reached"


async def test_who_sends_a_form_is_told_that_nothing_was_done(client: Client) -> None:
    """The page stays, so that they can go back to what they wrote."""
    answer = await client.post("/streams/0123/act/release", data={"reason": "it is a film"})
    text = await answer.text()
    assert answer.status == 503
    assert "Nothing was done." in text
    assert "refresh" not in text
    assert "<script" not in text
