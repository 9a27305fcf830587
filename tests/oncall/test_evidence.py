"""Pictures of people: who sees which, and that it is on record before they do."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from agents.oncall.access.roles import Permission
from agents.oncall.desk import Desk
from agents.oncall.handles import handle_of
from agents.oncall.pages import evidence, export
from agents.oncall.ports import History, Unavailable, Unknown
from agents.oncall.read_model import ReadModel
from agents.oncall.viewing import REASON_HOLDS, SHOWN_BY_DEFAULT
from schemas import FrameRef, topics
from tests.builders import START, frame_sampled, risk_assessed

from .events import NOW, escalation_raised, takedown_requested
from .serving import Client, FeedAsTold, Served, page

STREAM = f"/streams/{handle_of('stream-1')}"
INCIDENT = "1f0e4c1a-6c3b-5f6e-9a54-0d8f3b1c2d7e"
REASON = {"reason": "to confirm it"}


def ref(offset: int = 7, topic: str = topics.FRAME_SAMPLES) -> FrameRef:
    return FrameRef(topic, 0, offset, START + offset, 0.9)


@pytest.fixture
def taken_down(served: Served) -> Served:
    """A takedown that rests on frame 7, which is there, and on 8, which is gone."""
    served.read_model.apply(
        takedown_requested(incident_id=INCIDENT, evidence=[ref(7), ref(8)]), NOW
    )
    served.room.frames[7] = frame_sampled(width=640, height=480)
    return served


async def picture(client: Client, path: str) -> Image.Image:
    response = await client.get(path)
    assert (response.status, response.content_type) == (200, "image/jpeg")
    assert response.headers["Cache-Control"] == "no-store"
    return Image.open(io.BytesIO(await response.read()))


async def test_a_picture_is_veiled_until_it_is_asked_for(
    taken_down: Served, client: Client
) -> None:
    """Greyscale, and on record with who, what and when, and no reason."""
    shown = await picture(client, f"{STREAM}/evidence/0-7")

    colours = np.asarray(shown.convert("RGB")).astype(int)
    assert np.ptp(colours, axis=2).max() <= 2
    (view,) = taken_down.room.viewed
    assert (view.operator, view.kind, view.reason) == ("test-admin", "veiled", "")
    assert (view.incident_id, view.stream_id) == (INCIDENT, "stream-1")
    assert (view.topic, view.partition, view.offset) == (topics.FRAME_SAMPLES, 0, 7)
    assert view.viewed_at == NOW


async def test_as_it_is_it_is_shown_once_there_is_a_reason(
    taken_down: Served, client: Client
) -> None:
    """The reason holds for the incident for a quarter of an hour, and each view is on record."""
    plain = f"{STREAM}/evidence/0-7/plain"
    assert (await client.get(plain)).status == 403
    assert taken_down.room.viewed == []
    assert "See it as it is" in await page(client, f"{STREAM}/frames/0-7")

    asked = await client.post(f"{STREAM}/frames/0-7", data=REASON, allow_redirects=False)

    assert (asked.status, asked.headers["Location"]) == (303, f"{STREAM}/frames/0-7")
    assert "because: to confirm it" in await page(client, f"{STREAM}/frames/0-7")
    for _ in range(2):
        taken_down.now_us += 1
        left = np.asarray((await picture(client, plain)).convert("RGB"))[5, 5]
        assert left[0] > 245
        assert left[2] < 10
    assert [(it.kind, it.reason) for it in taken_down.room.viewed] == [
        ("plain", "to confirm it")
    ] * 2
    assert len({it.view_id for it in taken_down.room.viewed}) == 2

    taken_down.now_us = NOW + REASON_HOLDS
    assert (await client.get(plain)).status == 403


@pytest.mark.parametrize(
    "reason", ["", "   ", "x" * 1001, "a\u0007b"], ids=["none", "blank", "long", "bell"]
)
async def test_what_is_no_reason_opens_nothing(
    taken_down: Served, client: Client, reason: str
) -> None:
    response = await client.post(f"{STREAM}/frames/0-7", data={"reason": reason})

    assert response.status == 422
    assert (await client.get(f"{STREAM}/evidence/0-7/plain")).status == 403


async def test_what_can_not_be_put_on_record_is_not_shown(
    taken_down: Served, client: Client
) -> None:
    """The brokers are away: no picture, veiled or not, and no export."""
    await client.post(f"{STREAM}/frames/0-7", data=REASON)
    taken_down.room.kafka_away = True

    for path in (f"{STREAM}/evidence/0-7", f"{STREAM}/evidence/0-7/plain"):
        response = await client.get(path)
        assert response.status == 503
        assert response.content_type == "image/svg+xml"
        assert "on record" in await response.text()
    response = await client.post(f"/incidents/{INCIDENT}/export", data=REASON)
    assert response.status == 503
    assert "on record" in await response.text()


async def test_a_frame_that_is_gone_is_said_in_its_place(
    taken_down: Served, client: Client
) -> None:
    """Words stand where the picture would, and nobody is on record as having seen it."""
    response = await client.get(f"{STREAM}/evidence/0-8")

    assert (response.status, response.content_type) == (404, "image/svg+xml")
    assert "no longer kept" in await response.text()
    assert taken_down.room.viewed == []


async def test_a_payload_that_is_no_picture_is_said_and_its_words_run_nothing(
    taken_down: Served, client: Client
) -> None:
    taken_down.room.decode_fails = "<script>alert(1)</script> & more"

    response = await client.get(f"{STREAM}/evidence/0-7")

    assert response.status == 422
    assert "<script>" not in await response.text()


async def test_another_streams_frame_is_not_to_be_had(taken_down: Served, client: Client) -> None:
    """Neither by its coordinates, nor where evidence points at what another stream has there."""
    taken_down.read_model.apply(
        escalation_raised(stream_id="stream-2", incident_id="other", evidence=[ref(9)]), NOW
    )
    taken_down.room.frames[9] = frame_sampled(stream_id="stream-2")
    assert (await client.get(f"{STREAM}/evidence/0-9")).status == 404
    assert (await client.get(f"/streams/{handle_of('stream-2')}/evidence/0-9")).status == 200

    taken_down.room.frames[8] = frame_sampled(stream_id="stream-2")
    response = await client.get(f"{STREAM}/evidence/0-8")
    assert response.status == 404
    assert "another stream" in await response.text()
    assert [it.stream_id for it in taken_down.room.viewed] == ["stream-2"]


@pytest.mark.parametrize(
    "name",
    ["0-10", "1-7", "0-07", "0--7", "-1-7", "0-7 ", "7", "..%2f..%2fetc", "0-7%00", "%27"],
)
async def test_coordinates_that_nothing_points_at_are_none(
    taken_down: Served, client: Client, name: str
) -> None:
    assert (await client.get(f"{STREAM}/evidence/{name}")).status == 404
    assert (await client.get(f"{STREAM}/frames/{name}")).status == 404
    assert taken_down.room.viewed == []


async def test_an_unknown_stream_has_no_evidence(taken_down: Served, client: Client) -> None:
    assert (await client.get(f"/streams/{'0' * 16}/evidence/0-7")).status == 404


async def test_what_the_risk_rests_on_is_evidence_too(served: Served, client: Client) -> None:
    """Nothing was decided yet, and people want to see why it is at risk."""
    served.read_model.apply(risk_assessed(), NOW)
    served.room.history = History(risks=(risk_assessed(evidence=[ref(7)]),))
    served.room.frames[7] = frame_sampled()

    await picture(client, f"{STREAM}/evidence/0-7")

    assert served.room.viewed[0].incident_id == ""


async def test_an_organisation_may_show_pictures_plainly_from_the_start(
    taken_down: Served, client: Client
) -> None:
    """It is on record as its choice."""
    taken_down.room.viewing.veiled_first = False

    await picture(client, f"{STREAM}/evidence/0-7")

    assert [(it.kind, it.reason) for it in taken_down.room.viewed] == [("plain", SHOWN_BY_DEFAULT)]
    assert "blurred" not in await page(client, STREAM)


async def test_an_incident_is_exported_with_a_reason_and_on_record(
    taken_down: Served, client: Client
) -> None:
    response = await client.post(f"/incidents/{INCIDENT.upper()}/export", data=REASON)

    assert (response.status, response.content_type) == (200, "application/zip")
    assert await response.read() == b"PK archive"
    assert f'filename="incident-{INCIDENT}.zip"' in response.headers["Content-Disposition"]
    (view,) = taken_down.room.viewed
    assert (view.kind, view.incident_id, view.reason) == ("export", INCIDENT, "to confirm it")
    assert view.stream_id == "stream-1"


@pytest.mark.parametrize(
    ("failure", "status", "said"),
    [
        (Unknown("no decision of it is in the topics"), 404, "no decision of it"),
        (Unavailable("Kafka gave no answer in 120 s"), 503, "no answer in 120 s"),
    ],
)
async def test_an_export_that_fails_says_why(
    taken_down: Served, client: Client, failure: Exception, status: int, said: str
) -> None:
    taken_down.room.export_fails = failure

    response = await client.post(f"/incidents/{INCIDENT}/export", data=REASON)

    assert response.status == status
    assert said in await response.text()
    assert taken_down.room.viewed == []


async def test_an_export_without_a_reason_is_none(taken_down: Served, client: Client) -> None:
    assert (await client.post(f"/incidents/{INCIDENT}/export")).status == 422
    assert (await client.get(f"/incidents/{INCIDENT}/export")).status == 200
    assert (await client.post("/incidents/..%2f..%2fetc/export", data=REASON)).status == 404
    assert taken_down.room.viewed == []


def test_all_that_shows_pictures_asks_for_the_responders_permission() -> None:
    """Who may only look at streams reaches none of it."""
    desk = Desk(ReadModel(), FeedAsTold(), dict)

    routes = [*evidence.routes(desk), *export.routes(desk)]

    assert len(routes) == 6
    assert {it.permission for it in routes} == {Permission.EVIDENCE}
