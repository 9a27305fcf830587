"""What open pages are told, and how soon."""

from __future__ import annotations

import asyncio

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from tests import signed_in
from tests.builders import SECOND, START, risk_assessed, window

from .events import NOW, escalation_raised, heard
from .serving import Client, Served

LIMIT = 20.0


async def _told(events: ClientResponse) -> bytes:
    """The next that the page is told."""
    async with asyncio.timeout(LIMIT):
        return await events.content.readuntil(b"\n\n")


async def test_a_page_is_told_at_once_of_what_somebody_waits_to_see(
    served: Served, client: Client
) -> None:
    """The first sign of something and a decision are news; that all goes on is none."""
    model = served.read_model
    async with client.get("/events") as events:
        assert events.content_type == "text/event-stream"
        await _told(events)
        for event in (risk_assessed(window(10.0, 1), risk=0.5), escalation_raised()):
            before = model.news
            model.apply(event, NOW)
            assert model.news > before
            assert await _told(events) == b"event: changed\ndata: %d\n\n" % model.version
        before = model.news
        later = START + SECOND
        for routine in (heard(), risk_assessed(window(10.0, 1), risk=0.6, assessed_at=later)):
            model.apply(routine, NOW)
        assert model.news == before
        assert await _told(events) == b"event: changed\ndata: %d\n\n" % model.version


async def test_whoever_opens_too_many_pages_is_told_so(client: Client) -> None:
    """What one person has open costs the others nothing."""
    opened = [await client.get("/events") for _ in range(12)]
    assert {it.status for it in opened} == {200}
    refused = await client.get("/events")
    assert (refused.status, refused.headers["Retry-After"]) == (429, "30")
    for it in opened:
        it.close()


async def test_the_server_stops_though_pages_are_open(served: Served) -> None:
    """Nobody's open page holds up a worker that leaves."""
    server = TestServer(await served.app.web.wsgi())
    async with TestClient(server, headers=signed_in.headers()) as client:
        events = await client.get("/events")
        await _told(events)
        async with asyncio.timeout(LIMIT):
            await server.close()
