"""The topology page: who runs, what waits, what failed, and putting it back."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from schemas import topics
from tests.builders import SECOND

from .events import NOW, dead_lettered, redriven, worker_reported
from .serving import Client, Served, page


@pytest.fixture
def letters(served: Served) -> Served:
    """Three dead letters: two to redrive, one that failed too often."""
    for number, attempt in enumerate((1, 2, 3)):
        letter = dead_lettered(
            dead_letter_id=f"d-{number}", offset=number, attempt=attempt, detail="no <b>picture</b>"
        )
        served.read_model.apply(letter, NOW)
    return served


def form(**given: str) -> dict[str, str]:
    return {"order_id": str(uuid4()), "letters": "d-0 d-1", "reason": "mended", **given}


async def test_without_workers_the_page_says_what_is_missing(client: Client) -> None:
    html = await page(client, "/topology")
    assert "No worker is heard of for detection, aggregation, decision, on-call" in html
    assert "No worker has reported." in html
    assert "No dead letters in the last 6 hours." in html


async def test_agents_show_their_rates_lag_batches_and_provider(
    served: Served, client: Client
) -> None:
    for at, errors in ((NOW - 2 * SECOND, []), (NOW, ["bundle, canary: no such folder"])):
        served.read_model.apply(worker_reported(reported_at=at, errors=errors), at)
    html = await page(client, "/topology")
    for text in (
        "1.5 s</span>, 7 records wait",
        "of 8; 32 at most",
        "CPUExecutionProvider",
        "300 MB",
    ):
        assert text in html
    assert "bundle, canary: no such folder" in html
    assert "fell silent" not in html


async def test_a_worker_that_fell_silent_is_told(served: Served, client: Client) -> None:
    served.read_model.apply(worker_reported(), NOW - 11 * SECOND)
    html = await page(client, "/topology")
    assert "1 worker fell silent" in html


async def test_dead_letters_are_listed_escaped_and_filtered(
    letters: Served, client: Client
) -> None:
    html = await page(client, "/topology")
    assert "no &lt;b&gt;picture" in html
    assert "Redrive 2 of these" in html
    assert "it failed too often" in html
    assert "No dead letter is like that." in await page(client, "/topology?cause=other")


async def test_a_letter_shows_how_its_record_begins(letters: Served, client: Client) -> None:
    html = await page(client, "/topology/letters/d-0")
    assert b"rubbish".hex(" ", 4) in html
    assert "undecodable-payload" in html
    letters.dead_letters.failure = "Kafka does not keep the record any more"
    assert "does not keep the record" in await page(client, "/topology/letters/d-0")
    assert (await client.get("/topology/letters/unknown")).status == 404


async def test_a_redrive_says_what_it_will_do_before_it_does_it(
    letters: Served, client: Client
) -> None:
    html = await page(client, "/topology/redrive")
    assert "Redrive 2 dead letters" in html
    assert "Put 2 records back into frame-samples" in html
    assert 'value="d-0 d-1"' in html
    assert "Redrive 1 dead letter<" in await page(client, "/topology/redrive?letter=d-1")
    assert "nothing to put back" in await page(client, "/topology/redrive?letter=d-2")


async def test_a_redrive_shows_when_its_notes_came_back(letters: Served, client: Client) -> None:
    """Sent, it is not heard of yet; once it came back from the topic it took effect."""
    typed = form()
    sent = await client.post("/topology/redrive", data=typed)
    assert sent.status == 200
    assert "Put back: 2, not heard of yet." in await sent.text()
    (order,) = letters.dead_letters.ordered
    assert (order.order_id, order.reason) == (typed["order_id"], "mended")
    assert [it.event.dead_letter_id for it in order.letters] == ["d-0", "d-1"]

    for name in ("d-0", "d-1"):
        letters.read_model.apply(redriven(dead_letter_id=name, order_id=order.order_id), NOW)
    html = await page(client, f"/topology/redrives/{order.order_id}?sent=2")
    assert "2 records put back" in html
    assert "took effect at" in html.lower()


async def test_the_same_order_sent_again_puts_nothing_back(letters: Served, client: Client) -> None:
    typed = form()
    await client.post("/topology/redrive", data=typed)
    for name in ("d-0", "d-1"):
        letters.read_model.apply(redriven(dead_letter_id=name, order_id=typed["order_id"]), NOW)
    again = await client.post("/topology/redrive", data=typed)
    assert "2 records put back" in await again.text()
    assert len(letters.dead_letters.ordered) == 1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"reason": " "}, "Say why"),
        ({"order_id": "1"}, "damaged"),
        ({"letters": "d-2 unknown"}, "nothing to put back"),
    ],
)
async def test_what_is_wrong_with_the_form_is_told(
    letters: Served, client: Client, given: dict[str, str], told: str
) -> None:
    answer = await client.post("/topology/redrive", data=form(**given))
    assert answer.status == 422
    assert told in await answer.text()
    assert letters.dead_letters.ordered == []


async def test_what_kafka_did_not_take_can_be_ordered_again(
    letters: Served, client: Client
) -> None:
    letters.dead_letters.failure = "somebody else began to redrive"
    typed = form()
    answer = await client.post("/topology/redrive", data=typed)
    html = await answer.text()
    assert answer.status == 503
    assert "somebody else began to redrive" in html
    assert typed["order_id"] in html
    assert "mended" in html


async def test_a_redrive_that_nobody_ordered_is_not_known(client: Client) -> None:
    assert "No such redrive is known here." in await page(client, f"/topology/redrives/{uuid4()}")
    assert (await client.get("/topology/redrives/1")).status == 404


async def test_the_topology_is_told_as_json(served: Served, client: Client) -> None:
    served.read_model.apply(worker_reported(), NOW)
    told = await (await client.get("/api/v1/topology")).json()
    detection = told["agents"][0]
    assert (detection["name"], detection["lag_seconds"]) == ("detection", 1.5)
    frames = next(it for it in told["topics"] if it["topic"] == topics.FRAME_SAMPLES)
    assert frames["now"]["waiting"] == 7
    assert told["workers"][0]["worker_id"] == "worker-1"
    assert told["unstaffed"] == ["aggregation", "decision", "on-call"]


async def test_dead_letters_are_told_as_json_without_keys(letters: Served, client: Client) -> None:
    told = await (await client.get("/api/v1/dead-letters")).json()
    assert told["by_cause"] == {"undecodable-payload": 3}
    assert [it["redrivable"] for it in told["letters"]] == [True, True, False]
    assert "key" not in told["letters"][0]
    one = await (await client.get("/api/v1/dead-letters/d-0")).json()
    assert one["record"]["size"] == 7


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({}, 200),
        ({"letters": ["unknown"]}, 404),
        ({"letters": ["d-0"] * 101}, 422),
        ({"reason": ""}, 422),
        ({"order_id": "1"}, 422),
        ({"letters": "d-0"}, 422),
        ({"more": 1}, 422),
    ],
)
async def test_programs_redrive(
    letters: Served, client: Client, given: dict[str, Any], status: int
) -> None:
    asked = {"order_id": str(uuid4()), "letters": ["d-0", "d-1"], "reason": "mended", **given}
    answer = await client.post("/api/v1/dead-letters/redrive", json=asked)
    assert answer.status == status
    assert len(letters.dead_letters.ordered) == (status == 200)
