"""The API: what the pages show and do, for programs, as its document says."""

from __future__ import annotations

import re
from typing import cast, get_args
from uuid import uuid4

import pytest
from faust.web.drivers.aiohttp import Web

from agents.oncall.api.inputs import MOST_BYTES
from agents.oncall.api.words import OrderId, Severity
from agents.oncall.forms import is_order_id
from agents.oncall.incidents import SEVERITIES

from .asking import ORDER_ID, STREAM, told
from .serving import Client, Served


async def test_the_document_and_the_routes_are_of_one_another(
    served: Served, client: Client
) -> None:
    """Whatever is served under /api/ is told in the document, and whatever is told is served."""
    api = await (await client.get("/api/v1/openapi.json")).json()
    described = {
        (method.upper(), path) for path, methods in api["paths"].items() for method in methods
    }
    routes = cast(Web, served.app.web).web_app.router.routes()
    served_ones = {
        (it.method, it.resource.canonical)
        for it in routes
        if it.resource is not None and it.method not in ("HEAD", "*", "OPTIONS")
    }
    under_api = {it for it in served_ones if it[1].startswith("/api/")}
    assert under_api <= described
    assert {path for _, path in described} <= {path for _, path in served_ones} | {
        path for _, path in _of_views(served)
    }
    assert ("GET", "/api/v1/streams/{handle}") in under_api


def _of_views(served: Served) -> set[tuple[str, str]]:
    """Faust's own views take any method."""
    routes = cast(Web, served.app.web).web_app.router.routes()
    return {(it.method, it.resource.canonical) for it in routes if it.resource is not None}


async def test_who_may_is_told(client: Client) -> None:
    """Programs by a token; browsers by a cookie, and what only their own pages contain."""
    api = await (await client.get("/api/v1/openapi.json")).json()
    assert set(api["components"]["securitySchemes"]) == {"bearer", "session", "csrf"}
    assert api["paths"]["/api/v1/orders"]["post"]["security"] == [
        {"bearer": []},
        {"session": [], "csrf": []},
    ]
    assert api["paths"]["/live"]["get"]["security"] == []


def test_words_are_those_of_the_rest() -> None:
    """Severities, and what an order's id looks like, are told here once more for the document."""
    assert get_args(Severity) == SEVERITIES
    (said,) = get_args(OrderId)[1:]
    for text in (str(uuid4()), ORDER_ID, ORDER_ID.upper(), str(uuid4()).replace("-", ""), ""):
        assert is_order_id(text) is (re.search(said.pattern, text) is not None)


async def test_everything_that_can_be_read_is_as_the_document_says(
    known: Served, client: Client
) -> None:
    for path in (
        "/live",
        "/ready",
        "/api/v1/worker",
        "/api/v1/streams?state=escalated&state=clear&unwatched=true&drill=false&sort=risk",
        STREAM,
        f"{STREAM}/history",
        "/api/v1/incidents",
        "/api/v1/incidents?closed=true&held=nobody&severity=high",
        "/api/v1/incidents/incident-1",
        "/api/v1/audit?kind=alert&since=1",
        "/api/v1/control",
        "/api/v1/topology",
        "/api/v1/dead-letters",
        "/api/v1/dead-letters/d-1",
        f"/api/v1/orders/{ORDER_ID}",
        f"{STREAM}/orders/release",
    ):
        await told(client, path)


async def test_streams_are_filtered_sorted_and_searched(known: Served, client: Client) -> None:
    """As on the page; what is searched for stands in no address."""
    found = await told(client, "/api/v1/streams?state=escalated")
    assert [it["stream_id"] for it in found["streams"]] == ["stream-1"]
    assert (found["total"], found["streams_known"]) == (1, 2)

    found = await told(client, "/api/v1/streams/search", body={"text": "STREAM-2"})
    assert [it["stream_id"] for it in found["streams"]] == ["stream-2"]

    found = await told(client, "/api/v1/streams?per_page=1&page=9&reverse=true")
    assert (found["page"], found["pages"], len(found["streams"])) == (2, 2, 1)


async def test_one_stream_has_its_incidents(known: Served, client: Client) -> None:
    found = await told(client, STREAM)
    assert found["stream"]["state"] == "escalated"
    assert [it["incident_id"] for it in found["incidents"]] == ["incident-1"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/streams/0123456789abcdef",
        "/api/v1/streams/0123456789abcdef/history",
        "/api/v1/incidents/another",
        "/api/v1/dead-letters/another",
        "/api/v1/streams/no-handle",
        f"{STREAM}/orders/hold-takedowns",
        "/api/v1/orders/no-uuid",
    ],
)
async def test_what_is_not_known_is_a_problem(known: Served, client: Client, path: str) -> None:
    problem = await told(client, path, 404)
    assert (problem["status"], problem["reason"]) == (404, "not-found")


@pytest.mark.parametrize(
    ("path", "parameter", "detail"),
    [
        ("/api/v1/streams?states=clear", "states", "There is no such parameter."),
        ("/api/v1/streams?text=kea", "text", "There is no such parameter."),
        ("/api/v1/streams?page=1&page=2", "page", "It is said more than once."),
        ("/api/v1/streams?page=0", "page", "Expected `int` >= 1."),
        ("/api/v1/streams?per_page=201", "per_page", "Expected `int` <= 200."),
        ("/api/v1/streams?drill=perhaps", "drill", "Expected `bool`, got `str`."),
        ("/api/v1/streams?state=lost", "state", "Invalid enum value 'lost'."),
        (f"{STREAM}?page=1", "page", "There is no such parameter."),
        (f"{STREAM}?handle=1", "handle", "There is no such parameter."),
        (f"/api/v1/orders/{ORDER_ID}?wait=31", "wait", "Expected `int` <= 30."),
    ],
)
async def test_what_can_not_be_asked_is_told_with_where(
    known: Served, client: Client, path: str, parameter: str, detail: str
) -> None:
    """Nothing is passed over: a filter that was misspelt would show streams as if it held."""
    problem = await told(client, path, 422)
    assert problem["errors"] == [{"detail": detail, "parameter": parameter}]


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        (b"{", 400, None),
        (b"\xff", 400, None),
        (b'{"text": "\\ud800"}', 400, None),
        (b"[]", 422, "#"),
        (b'{"text": 1}', 422, "#/text"),
        (b'{"more": 1}', 422, "#"),
        (b'{"state": ["clear", "lost"]}', 422, "#/state/1"),
        (b" " * (MOST_BYTES + 1), 413, None),
    ],
)
async def test_a_body_is_refused_with_where_it_is_wrong(
    known: Served, client: Client, body: bytes, status: int, pointer: str | None
) -> None:
    answer = await client.post(
        "/api/v1/streams/search", data=body, headers={"Content-Type": "application/json"}
    )
    problem = await answer.json()
    assert (answer.status, answer.content_type) == (status, "application/problem+json")
    assert [it["pointer"] for it in problem["errors"]] == ([] if pointer is None else [pointer])


async def test_a_body_is_json(known: Served, client: Client) -> None:
    """No form of another site's page can be one."""
    answer = await client.post("/api/v1/streams/search", data={"text": "kea"})
    assert answer.status == 415


async def test_the_audit_is_searched_by_who(known: Served, client: Client) -> None:
    """A name stands in no address."""
    found = await told(client, "/api/v1/audit/search", body={"who": "kea", "kind": "drill"})
    assert [it["what"] for it in found["entries"]] == ["drill started"]
    await told(client, "/api/v1/audit?who=kea", 422)
