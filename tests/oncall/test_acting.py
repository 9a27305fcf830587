"""Giving an order on the page: told before, sent once, and followed until it is in effect."""

from __future__ import annotations

import msgspec
import pytest

from agents.oncall.handles import handle_of
from agents.oncall.orders import OF_SCOPES, OF_STREAMS
from schemas import MICROSECONDS, OperatorCommanded

from .events import NOW, escalation_raised, stream_updated
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
        operator="test-admin",
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


@pytest.mark.parametrize("another", [{"operator": "kea"}, {"reason": "a test"}, {"scope": "all"}])
async def test_another_order_of_the_same_id_is_not_taken_for_ones_own(
    served: Served, client: Client, another: dict[str, str]
) -> None:
    """Nothing is ordered, and the form that comes back has an id of its own."""
    filled = await form(client, RELEASE)
    await client.post(RELEASE, data=filled, allow_redirects=False)
    (given,) = served.given
    served.read_model.apply(msgspec.structs.replace(given, **another), NOW)

    answer = await client.post(RELEASE, data=filled, allow_redirects=False)

    html = await answer.text()
    assert (answer.status, served.given) == (409, [given])
    assert "Nothing was ordered" in html
    assert filled["order_id"] not in html
    assert "a film set</textarea>" in html


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


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded; charset=none", "multipart/form-data"]
)
async def test_what_is_no_form_is_told_and_orders_nothing(
    served: Served, client: Client, content_type: str
) -> None:
    """Whatever is sent is answered."""
    answer = await client.post(RELEASE, data=b"\xff=1", headers={"Content-Type": content_type})
    assert (answer.status, served.given) == (422, [])
