"""Orders over the API: given once, refused with where they are wrong, and waited for."""

from __future__ import annotations

import asyncio

import pytest

from agents.oncall.orders import OF_SCOPES, OF_STREAMS
from schemas import OperatorCommanded
from tests.builders import SECOND

from .asking import HANDLE, ORDER_ID, STREAM, told
from .events import (
    NOW,
    answered,
    commanded,
)
from .serving import Client, Served


async def test_an_order_of_a_stream_goes_out(known: Served, client: Client) -> None:
    """Of the session that it has, with who and why; an id is made where none is given."""
    body = {"command": "release", "reason": "a film set"}
    order = await told(client, f"{STREAM}/orders", 202, body=body)

    (given,) = known.given
    assert given == OperatorCommanded(
        command_id=order["order_id"],
        command="release",
        operator=given.operator,
        reason="a film set",
        issued_at=NOW,
        stream_id="stream-1",
        session_id="session-1",
    )
    assert given.operator
    assert (order["phase"], order["final"], order["handle"]) == ("sent", False, HANDLE)


async def test_an_order_that_is_given_twice_is_one(known: Served, client: Client) -> None:
    """Under one id; another order's id is refused."""
    body = {"command": "suppress", "lasts": "30 min", "reason": "a test", "order_id": ORDER_ID}
    await told(client, f"{STREAM}/orders", 202, body=body)
    known.read_model.apply(known.given[0], NOW)

    again = await told(client, f"{STREAM}/orders", 202, body=body)
    assert (again["phase"], len(known.given)) == ("in Kafka", 1)
    other = {**body, "command": "release", "lasts": ""}
    problem = await told(client, f"{STREAM}/orders", 409, body=other)
    assert problem["reason"] == "another-order"
    assert len(known.given) == 1


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"reason": " "}, "#/reason"),
        ({"reason": "a\x00b"}, "#/reason"),
        ({"command": "suppress"}, "#/lasts"),
        ({"command": "suppress", "lasts": "8 days"}, "#/lasts"),
        ({"lasts": "4 h"}, "#/lasts"),
        ({"assignee": "kea"}, "#/assignee"),
        ({"command": "hold-takedowns"}, "#/command"),
        ({"order_id": "1"}, "#/order_id"),
    ],
)
async def test_what_can_not_be_ordered_is_not(
    known: Served, client: Client, asked: dict[str, str], pointer: str
) -> None:
    """By the rules of the forms; what an order does not take is refused, not passed over."""
    body = {"command": "release", "reason": "a film set", **asked}
    problem = await told(client, f"{STREAM}/orders", 422, body=body)
    assert [it["pointer"] for it in problem["errors"]] == [pointer]
    assert known.given == []


async def test_what_was_looked_at_is_what_is_ordered_of(known: Served, client: Client) -> None:
    """Not whatever session the stream has by then; a takedown is of the stream."""
    body = {"command": "release", "reason": "a film set", "session_id": "session-0"}
    problem = await told(client, f"{STREAM}/orders", 409, body=body)
    assert problem["reason"] == "another-session"

    await told(client, f"{STREAM}/orders", 409, body={**body, "command": "takedown"})
    takedown = {"command": "takedown", "reason": "a test"}
    await told(client, f"{STREAM}/orders", 202, body=takedown)
    assert [it.session_id for it in known.given] == [""]
    missing = {**body, "incident_id": "another"}
    await told(client, f"{STREAM}/orders", 404, body=missing)


@pytest.mark.parametrize(
    ("asked", "scope"),
    [
        ({"command": "hold-takedowns", "lasts": "1 h", "scope": "region:NZ"}, "region:NZ"),
        ({"command": "hold-takedowns", "lasts": "1 h"}, "all"),
        ({"command": "close-breaker"}, "all"),
    ],
)
async def test_an_order_of_a_scope_goes_out(
    known: Served, client: Client, asked: dict[str, str], scope: str
) -> None:
    await told(client, "/api/v1/orders", 202, body={"reason": "a test", **asked})
    assert [(it.command, it.scope) for it in known.given] == [(asked["command"], scope)]


async def test_there_is_one_breaker(known: Served, client: Client) -> None:
    body = {"command": "close-breaker", "scope": "region:NZ", "reason": "a test"}
    problem = await told(client, "/api/v1/orders", 422, body=body)
    assert [it["pointer"] for it in problem["errors"]] == ["#/scope"]


async def test_an_order_that_kafka_does_not_take_is_told(known: Served, client: Client) -> None:
    known.kafka_away = "no brokers"
    body = {"command": "release", "reason": "a film set"}
    problem = await told(client, f"{STREAM}/orders", 503, body=body)
    assert "no brokers" in problem["detail"]


async def test_what_became_of_an_order_can_be_waited_for(known: Served, client: Client) -> None:
    """The answer comes while somebody waits, and ends the waiting."""
    known.read_model.apply(commanded(command_id=ORDER_ID), NOW)
    asking = asyncio.create_task(told(client, f"/api/v1/orders/{ORDER_ID}?wait=30"))
    early = await told(client, f"/api/v1/orders/{ORDER_ID}")
    known.read_model.apply(answered(command_id=ORDER_ID), NOW + SECOND)

    order = await asyncio.wait_for(asking, 10)

    assert (early["phase"], order["phase"]) == ("in Kafka", "in effect")
    assert (order["took_effect_at"], order["final"]) == (NOW + SECOND, True)
    assert (order["state_before"], order["state_after"]) == ("takedown-requested", "released")


async def test_a_refused_order_says_why(known: Served, client: Client) -> None:
    refused = answered(command_id=ORDER_ID, applied=False, refusal="nothing-open")
    known.read_model.apply(refused, NOW)
    order = await told(client, f"/api/v1/orders/{ORDER_ID}")
    assert (order["phase"], order["refusal"]) == ("refused", "nothing-open")
    assert order["refusal_told"] == "no incident is open"


async def test_what_an_order_would_do_is_told_before_it_is_given(
    known: Served, client: Client
) -> None:
    would = await told(client, f"{STREAM}/orders/release")
    assert "The incident is closed as rejected." in would["follows"]
    assert (would["session_id"], would["refusal"]) == ("session-1", "")
    assert known.given == []


async def test_the_commands_are_those_that_people_have(client: Client) -> None:
    api = await (await client.get("/api/v1/openapi.json")).json()
    schemas = api["components"]["schemas"]
    for name, commands in (("StreamOrderAsked", OF_STREAMS), ("ScopeOrderAsked", OF_SCOPES)):
        assert schemas[name]["properties"]["command"]["enum"] == list(commands)


async def test_a_drill_is_started_once_and_stopped(served: Served, client: Client) -> None:
    """One at a time, as on the page."""
    body = {"reason": "the monthly drill", "order_id": ORDER_ID}
    problem = await told(client, "/api/v1/drills/stop", 409, body=body)
    assert problem["detail"] == "No drill runs."
    assert (await told(client, "/api/v1/drills", 202, body=body)) == {"order_id": ORDER_ID}
    served.read_model.apply(served.drills.ordered[0], NOW)

    await told(client, "/api/v1/drills", 202, body=body)
    await told(client, "/api/v1/drills", 409, body={"reason": "another"})
    await told(client, "/api/v1/drills/stop", 202, body={"reason": "enough"})

    assert [it.change for it in served.drills.ordered] == ["started", "stopped"]
