"""What became of an order: sent, in Kafka, in effect or refused; each said as what it is."""

from __future__ import annotations

from uuid import uuid4

import pytest

from schemas import MICROSECONDS, CommandAnswered, OperatorCommanded

from .events import NOW, acknowledged, answered, commanded, takedown_requested
from .serving import Client, Served, page

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


async def test_an_assignment_shows_in_whose_hand_the_incident_is(
    served: Served, client: Client
) -> None:
    """Whom it was meant for, and who has it, which another order may have changed."""
    served.read_model.apply(order("assign", assignee="tui"), NOW)
    served.read_model.apply(answer_to("assign", held_by="tui", state_after="escalated"), NOW)
    html = await page(client, ORDER)
    assert html.count("<bdi>tui</bdi>") == 2
