"""Over the API: what a decision rests on and what came of it, orders foretold, and files."""

from __future__ import annotations

import json
from html import unescape

import pytest

from agents.oncall.audit_export import BEGINS
from agents.oncall.orders import OF_SCOPES
from agents.oncall.ports import History, Unavailable, Unknown
from schemas import FrameRef, topics
from tests.builders import SECOND, START, risk_assessed

from .asking import STREAM, told
from .events import NOW, acknowledged, drill_ordered, redriven, takedown_requested
from .serving import Client, Served

INCIDENT = "5e1f3a52-4a3f-5d0c-9b1e-0d6a1f2b3c4d"
EXPORT = f"/api/v1/incidents/{INCIDENT}/export"
REASON = {"reason": "the court asks"}


def ref(offset: int) -> FrameRef:
    return FrameRef(topics.FRAME_SAMPLES, 3, offset, START + offset * SECOND, 0.75)


async def test_evidence_is_told_by_where_it_lies(known: Served, client: Client) -> None:
    """With time and score, and whether a decision rests on it; nobody is shown, so that nothing is
    put on record."""
    known.read_model.apply(takedown_requested(takedown_id="t-9", evidence=[ref(7)]), NOW)
    known.room.history = History(risks=(risk_assessed(evidence=[ref(7), ref(8)]),))

    found = await told(client, f"{STREAM}/evidence")

    assert [(it["name"], it["decided"], it["session_id"]) for it in found["evidence"]] == [
        ("3-7", True, "session-1"),
        ("3-8", False, "session-1"),
    ]
    assert found["evidence"][0]["frame"] == {
        "topic": topics.FRAME_SAMPLES,
        "partition": 3,
        "offset": 7,
        "captured_at": START + 7 * SECOND,
        "score": 0.75,
    }
    assert (found["missing"], known.room.viewed) == ("", [])


async def test_takedowns_are_told_with_each_acknowledgement(known: Served, client: Client) -> None:
    """Those that were read and those that the worker keeps, each once."""
    stopped = acknowledged(service="edge-stop", detail="ingest closed")
    for event in (takedown_requested(), stopped):
        known.read_model.apply(event, NOW)
    failed = acknowledged(acknowledgement_id="a-0", outcome="failed", service="edge-stop")
    unanswered = takedown_requested(takedown_id="t-2", operator="kea", requested_at=START + 1)
    known.room.history = History(events=(takedown_requested(), failed, unanswered))

    found = await told(client, f"{STREAM}/takedowns")

    first, second = found["takedowns"]
    assert (first["takedown_id"], first["rule"], first["operator"]) == ("t-1", "sustained", "")
    assert {(it["service"], it["outcome"], it["detail"]) for it in first["answers"]} == {
        ("edge-stop", "failed", failed.detail),
        ("edge-stop", "stopped", "ingest closed"),
    }
    assert (second["takedown_id"], second["operator"], second["answers"]) == ("t-2", "kea", [])


@pytest.mark.parametrize("part", ["evidence", "takedowns"])
async def test_without_its_past_what_the_worker_keeps_is_told(
    known: Served, client: Client, part: str
) -> None:
    """And that it is no more than that."""
    known.read_model.apply(takedown_requested(takedown_id="t-9", evidence=[ref(7)]), NOW)
    known.room.history_fails = "Kafka gave no answer in 12 s"
    found = await told(client, f"{STREAM}/{part}")
    assert (len(found[part]), found["missing"]) == (1, "Kafka gave no answer in 12 s")


@pytest.mark.parametrize("command", OF_SCOPES)
async def test_an_order_of_a_scope_is_foretold(known: Served, client: Client, command: str) -> None:
    """As the page says it; nothing is ordered."""
    would = await told(client, f"/api/v1/control/orders/{command}")
    page = unescape(await (await client.get(f"/control/act/{command}")).text())
    assert would["follows"]
    assert would["label"] in page
    assert all(sentence in page for sentence in (*would["follows"], would["not_done"]))
    assert known.given == []


async def test_what_a_lift_lifts_is_foretold_of_its_scope(known: Served, client: Client) -> None:
    where = "/api/v1/control/orders"
    would = await told(client, f"{where}/lift-hold?scope=region:NZ")
    assert would["already"] == "nothing is held for region:NZ, as far as is known here"
    await told(client, f"{where}/lift-hold?scope=NZ", 422)
    await told(client, f"{where}/close-breaker?scope=region:NZ", 422)
    await told(client, f"{where}/release", 404)


async def test_a_drill_is_foretold(served: Served, client: Client) -> None:
    """That one runs already, and that none runs."""
    where = "/api/v1/control/orders"
    assert (await told(client, f"{where}/drill"))["refusal"] == ""
    assert "no drill runs" in (await told(client, f"{where}/stop-drill"))["refusal"]

    served.read_model.apply(drill_ordered(until=NOW + SECOND), NOW)
    assert "runs already" in (await told(client, f"{where}/drill"))["refusal"]
    assert (await told(client, f"{where}/stop-drill"))["refusal"] == ""
    assert served.drills.ordered == []


async def test_a_redrive_is_foretold(known: Served, client: Client) -> None:
    """Which records are put back and where; which are not, as they were already."""
    where, asked = "/api/v1/dead-letters/redrive/foretold", {"letters": ["d-1"]}
    would = await told(client, where, body=asked)
    assert (would["put_back"], would["left"]) == (["d-1"], [])
    assert would["follows"][0].startswith("Put 1 record back into frame-samples,")

    known.read_model.apply(redriven(), NOW)
    would = await told(client, where, body=asked)
    assert (would["put_back"], would["left"]) == ([], ["d-1"])
    assert would["follows"][0].startswith("Nothing:")
    await told(client, where, 404, body={"letters": ["another"]})
    assert known.dead_letters.ordered == []


async def test_an_incident_is_exported_once_it_is_on_record_who_asked(
    known: Served, client: Client
) -> None:
    """The same archive as the page gives, for a reason."""
    answer = await client.post(EXPORT, json=REASON)

    assert (answer.status, answer.content_type) == (200, "application/zip")
    assert await answer.read() == known.room.archive
    assert f'filename="incident-{INCIDENT}.zip"' in answer.headers["Content-Disposition"]
    (view,) = known.room.viewed
    assert (view.kind, view.incident_id, view.reason) == ("export", INCIDENT, REASON["reason"])
    assert view.operator == "test-admin"


async def test_without_a_reason_or_a_record_of_it_nothing_is_exported(
    known: Served, client: Client
) -> None:
    """Nor of what is no incident, or can't be read."""
    problem = await told(client, EXPORT, 422, body={"reason": " "})
    assert [it["pointer"] for it in problem["errors"]] == ["#/reason"]
    await told(client, "/api/v1/incidents/incident-1/export", 404, body=REASON)
    for failure, status in ((Unknown("none"), 404), (Unavailable("Kafka is away"), 503)):
        known.room.export_fails = failure
        await told(client, EXPORT, status, body=REASON)
    known.room.export_fails = None
    known.room.kafka_away = True
    problem = await told(client, EXPORT, 503, body=REASON)
    assert "could not be put on record" in problem["detail"]
    assert known.room.viewed == []


async def test_the_audit_is_exported_as_lines(known: Served, client: Client) -> None:
    """All entries that are asked for and from when on, as the page's files have them."""
    body = {"kind": "drill", "who": "kea"}
    answer = await client.post("/api/v1/audit/export", json=body)
    assert answer.content_type == "application/jsonl"
    line, *begins = (await answer.text()).splitlines()
    assert json.loads(line)["what"] == "drill started"
    assert {json.loads(it)["kind"] for it in begins} == {BEGINS}

    answer = await client.post("/api/v1/audit/export", json={**body, "format": "csv"})
    assert answer.content_type == "text/csv"
    heading, row, *_ = (await answer.text()).splitlines()
    assert heading.startswith("at,id,kind,who,what")
    assert "drill started" in row


async def test_files_are_told_in_the_document(client: Client) -> None:
    api = await (await client.get("/api/v1/openapi.json")).json()
    for path, media in (
        ("/api/v1/incidents/{incident_id}/export", {"application/zip"}),
        ("/api/v1/audit/export", {"application/jsonl", "text/csv"}),
    ):
        assert set(api["paths"][path]["post"]["responses"]["200"]["content"]) == media
