"""Giving an order on the page: told before, sent once, and followed until it is in effect."""

from __future__ import annotations

from uuid import uuid4

import pytest

from agents.oncall.handles import handle_of
from agents.oncall.orders import OF_SCOPES, OF_STREAMS
from schemas import MICROSECONDS, CommandAnswered, OperatorCommanded

from .events import (
    NOW,
    acknowledged,
    answered,
    commanded,
    escalation_raised,
    stream_updated,
    takedown_requested,
)
from .filling import form, give
from .serving import Client, Served, page

HANDLE = handle_of("stream-1")
RELEASE = f"/streams/{HANDLE}/act/release"
HOUR = 3600 * MICROSECONDS


@pytest.fixture(autouse=True)
def _escalated(served: Served) -> None:
    for event in (stream_updated(), escalation_raised()):
        served.read_model.apply(event, NOW)


async def test_an_order_says_what_it_will_do_before_it_is_given(client: Client) -> None:
    """What follows, what does not, and how it is taken back."""
    html = await page(client, RELEASE)

    assert "The incident is closed as rejected." in html
    assert "“escalated” to “released”" in html
    assert "It does not switch the watching off" in html
    assert "Take down stops the stream" in html


async def test_an_order_goes_out_with_who_and_why(served: Served, client: Client) -> None:
    """Under the name of who is signed in, of the session that was looked at."""
    status, location = await give(client, RELEASE)

    (order,) = served.given
    assert (status, location) == (303, f"/orders/{order.command_id}?sent={NOW}")
    assert order == OperatorCommanded(
        command_id=order.command_id,
        command="release",
        operator="nobody in particular",
        reason="a film set",
        issued_at=NOW,
        stream_id="stream-1",
        session_id="session-1",
    )


async def test_a_takedown_is_of_the_stream_whatever_its_session(
    served: Served, client: Client
) -> None:
    """A stream that starts anew at that moment is to be stopped as well."""
    await give(client, f"/streams/{HANDLE}/act/takedown")
    assert [it.session_id for it in served.given] == [""]


async def test_a_form_that_is_sent_twice_is_one_order(served: Served, client: Client) -> None:
    """The same id, whichever worker gets it; once it came back, it is not even sent again."""
    filled = await form(client, RELEASE)
    for _ in range(2):
        await client.post(RELEASE, data=filled, allow_redirects=False)
    assert {it.command_id for it in served.given} == {filled["order_id"]}

    served.read_model.apply(served.given[0], NOW)
    again = await client.post(RELEASE, data=filled, allow_redirects=False)

    assert again.status == 303
    assert len(served.given) == 2


async def test_each_form_is_an_order_of_its_own(client: Client) -> None:
    """The id is made with the form."""
    first, second = [await form(client, RELEASE) for _ in range(2)]
    assert first["order_id"] != second["order_id"]


async def test_without_a_reason_nothing_is_ordered(served: Served, client: Client) -> None:
    """The page says so, where, and keeps the order's id."""
    filled = await form(client, RELEASE, reason="  ")
    answer = await client.post(RELEASE, data=filled)

    assert (answer.status, served.given) == (422, [])
    html = await answer.text()
    assert '<a href="#reason">Say why' in html
    assert filled["order_id"] in html


async def test_what_was_typed_is_kept(client: Client) -> None:
    """Whoever typed it does not type it again."""
    status, html = await give(
        client, f"/streams/{HANDLE}/act/suppress", reason="it's <b>a film</b>", lasts="8 days"
    )
    assert status == 422
    assert "it&#39;s &lt;b&gt;a film&lt;/b&gt;</textarea>" in html
    assert "At most 7 days" in html


async def test_kafka_that_does_not_take_it_is_told(served: Served, client: Client) -> None:
    """Nothing was ordered; the form is as it was, and is the same order when it is sent again."""
    served.kafka_away = "no brokers"
    filled = await form(client, RELEASE)
    answer = await client.post(RELEASE, data=filled)

    html = await answer.text()
    assert answer.status == 503
    assert "Nothing was ordered" in html
    assert "no brokers" in html
    assert filled["order_id"] in html
    assert "a film set</textarea>" in html


async def test_a_forged_order_id_is_not_taken(served: Served, client: Client) -> None:
    """Nor is it given back: the form gets one of ours."""
    status, html = await give(client, RELEASE, order_id="1")
    assert (status, served.given) == (422, [])
    assert 'name="order_id" value="1"' not in html


async def test_a_stream_that_started_anew_is_looked_at_again(
    served: Served, client: Client
) -> None:
    """Nobody releases what they have not seen."""
    filled = await form(client, RELEASE)
    served.read_model.apply(stream_updated(session_id="session-2"), NOW + 1)

    answer = await client.post(RELEASE, data=filled)

    assert (answer.status, served.given) == (422, [])
    assert "started anew" in await answer.text()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "path",
    [
        f"/streams/{'0' * 16}/act/release",
        f"/streams/{HANDLE}/act/explode",
        f"/streams/{HANDLE}/act/hold-takedowns",
        "/control/act/release",
        "/orders/1",
    ],
)
async def test_what_does_not_exist_is_not_found(client: Client, method: str, path: str) -> None:
    """An unknown stream, an unknown order, an order of something else."""
    answer = await client.request(method, path)
    assert answer.status in (404, 405)


@pytest.mark.parametrize("command", OF_STREAMS)
async def test_each_order_of_a_stream_has_a_form(client: Client, command: str) -> None:
    """With its label as the heading and on the button."""
    html = await page(client, f"/streams/{HANDLE}/act/{command}")
    assert "<h1>" in html
    assert html.count("<form") == 1


async def test_a_kill_switch_is_of_a_scope_and_lapses(served: Served, client: Client) -> None:
    """An hour from now, of a region."""
    path = "/control/act/hold-takedowns"
    status, _ = await give(client, path, scope="region:NZ", lasts="1 h")

    (order,) = served.given
    assert status == 303
    assert (order.scope, order.until, order.stream_id) == ("region:NZ", NOW + HOUR, "")


@pytest.mark.parametrize("command", OF_SCOPES)
async def test_each_order_of_a_scope_can_be_given(
    served: Served, client: Client, command: str
) -> None:
    """What is asked for is in its form."""
    typed = {"scope": "all", "lasts": "1 h"}
    status, _ = await give(client, f"/control/act/{command}", **typed)
    assert (status, [it.command for it in served.given]) == (303, [command])


ORDER_ID = str(uuid4())
ORDER = f"/orders/{ORDER_ID}"


def order(command: str = "release", **told: object) -> OperatorCommanded:
    return commanded(command, command_id=ORDER_ID, **told)


def answer_to(command: str = "release", **told: object) -> CommandAnswered:
    return answered(command, command_id=ORDER_ID, **told)


async def test_an_order_that_was_sent_is_not_yet_one_in_effect(
    served: Served, client: Client
) -> None:
    """Sent, then in Kafka, then in effect: each is said as what it is."""
    html = await page(client, f"{ORDER}?sent={NOW}")
    assert "not in effect yet" in html
    assert "Sent at" in html

    served.read_model.apply(order(), NOW)
    html = await page(client, f"{ORDER}?sent={NOW}")
    assert "In Kafka since" in html
    assert "not in effect yet" in html

    served.read_model.apply(answer_to(), NOW)
    html = await page(client, ORDER)
    assert "Took effect at" in html
    assert "“takedown requested” to “released”" in html
    for text in ("kea", "a film set", "Release", "stream-1"):
        assert text in html


async def test_a_refusal_says_why(served: Served, client: Client) -> None:
    """In words, and that nothing was done."""
    served.read_model.apply(
        answer_to(applied=False, refusal="nothing-open", state_after="escalated"), NOW
    )
    html = await page(client, ORDER)
    assert "no incident is open" in html
    assert "Nothing was done" in html


async def test_an_answer_that_is_late_is_called_late(served: Served, client: Client) -> None:
    """Whoever waits learns where to look."""
    served.read_model.apply(order(), NOW)
    served.now_us = NOW + 11 * MICROSECONDS
    assert "see whether the judgement workers run" in await page(client, ORDER)


async def test_an_order_that_nobody_gave_is_not_known(client: Client) -> None:
    """Not sent, as far as is known, is not called sent."""
    html = await page(client, ORDER)
    assert "No such order is known here" in html


@pytest.mark.parametrize("sent", ["x", "-1", "9" * 30, "²", str(NOW + 1)])
async def test_whatever_the_address_says_of_when(client: Client, sent: str) -> None:
    """Is taken for nothing unless it is a time that was."""
    assert "No such order is known here" in await page(client, f"{ORDER}?sent={sent}")


async def test_a_takedown_shows_whether_the_stream_is_stopped(
    served: Served, client: Client
) -> None:
    """That it was ordered, took effect and was done are three things."""
    for event in (
        order("takedown"),
        answer_to("takedown", state_before="escalated", state_after="takedown-requested"),
        takedown_requested(),
    ):
        served.read_model.apply(event, NOW)
    assert "No takedown service has confirmed the stop yet." in await page(client, ORDER)

    served.read_model.apply(acknowledged(), NOW)
    assert "has confirmed that the stream is stopped" in await page(client, ORDER)
