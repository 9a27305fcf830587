"""A stream that began anew while somebody is waited for: the earlier session stays within reach.

session one    frames … escalated, unanswered ─────────────────────────
session two                                     began, clear ──────────
"""

from __future__ import annotations

import pytest

from agents.oncall.belonging import belongs_to
from agents.oncall.handles import handle_of
from agents.oncall.listing import Query
from agents.oncall.ports import History, Sample
from agents.oncall.read_model import ReadModel
from agents.oncall.rows import Earlier, row_of
from agents.oncall.standing import StreamState
from schemas import Event, FrameRef, topics
from tests.builders import SECOND, START, risk_assessed, window

from .asking import told as told_by_api
from .events import (
    NOW,
    acknowledged,
    answered,
    commanded,
    escalation_raised,
    heard,
    incident_closed,
    stream_updated,
    takedown_requested,
)
from .filling import give
from .folding import told
from .serving import Client, Served, page

INCIDENT = "5e1f3a52-4a3f-5d0c-9b1e-0d6a1f2b3c4d"
HANDLE = handle_of("stream-1")
STREAM = f"/streams/{HANDLE}"
EARLIER = f"{STREAM}?incident={INCIDENT}"
LATER = START + 20 * SECOND
WHY = "4 of 20 half seconds (needs at least 4)"


def ref(offset: int) -> FrameRef:
    return FrameRef(topics.FRAME_SAMPLES, 0, offset, START + offset * SECOND, 0.9)


def escalated(**given: object) -> Event:
    return escalation_raised(
        **{"incident_id": INCIDENT, "explanation": WHY, "evidence": [ref(7)], **given}
    )


def began_anew() -> Event:
    return stream_updated(session_id="session-2", updated_at=LATER)


def model(*events: Event) -> ReadModel:
    return told([stream_updated(), escalated(), began_anew(), *events])


@pytest.fixture
async def restarted(served: Served) -> Served:
    """As the sketch above has it, with a past of both sessions."""
    for event in (
        heard(12, appended_at=START),
        stream_updated(viewers=77),
        risk_assessed(window(10.0, 4, 0.4), risk=0.91),
        escalated(),
        began_anew(),
        heard(3, session_id="session-2", appended_at=LATER, heard_at=LATER),
    ):
        served.read_model.apply(event, event.time)
    served.room.history = History(
        samples=(Sample(START, "session-1", {"firearm": 0.5}),
                 Sample(LATER, "session-2", {"firearm": 0.1})),
        events=(takedown_requested(session_id="session-2", takedown_id="t-2", policy="other/9"),),
    )  # fmt: skip
    return served


def test_an_open_incident_of_an_earlier_session_is_on_the_streams_row() -> None:
    """What it is in, and whether somebody has it in hand; the row is of the newest session."""
    (row,) = model().rows(NOW)
    assert (row.session_id, row.state, row.newest) == ("session-2", StreamState.CLEAR, True)
    assert row.earlier == (
        Earlier(INCIDENT, "session-1", StreamState.ESCALATED, "high", "", EARLIER),
    )

    (row,) = model(answered("acknowledge", state_after="escalated")).rows(NOW)
    assert [it.held_by for it in row.earlier] == ["kea"]


def test_an_incident_that_is_closed_is_waited_for_no_more() -> None:
    (row,) = model(incident_closed(incident_id=INCIDENT, closed_at=LATER)).rows(NOW)
    assert row.earlier == ()


def test_a_stream_ranks_by_its_gravest_open_session() -> None:
    """Above what is only watched, below what is escalated and riskier; it is found by its
    incident's id."""
    watched = risk_assessed(window(10.0, 4, 0.4), risk=0.9, stream_id="stream-2")
    asked = takedown_requested(stream_id="stream-3", incident_id="incident-3")
    found = model(watched, asked)

    assert [it.stream_id for it in found.rows(NOW)] == ["stream-3", "stream-1", "stream-2"]
    (row,) = found.listing(Query(text=INCIDENT[:13]), NOW).rows
    assert row.stream_id == "stream-1"


def test_of_two_open_ones_the_gravest_is_first() -> None:
    """A takedown that is asked for before what is only escalated, whichever began last."""
    asked = takedown_requested(session_id="session-0", incident_id="incident-0")
    (row,) = model(asked).rows(NOW)
    assert [it.state for it in row.earlier] == [
        StreamState.TAKEDOWN_REQUESTED,
        StreamState.ESCALATED,
    ]


def test_however_often_a_stream_begins_anew_what_waits_is_kept() -> None:
    """Of more sessions than are kept, those that were decided of and closed go before it."""
    closed: list[Event] = []
    for number in range(3, 9):
        who = {"session_id": f"session-{number}", "incident_id": f"incident-{number}"}
        at = LATER + number * SECOND
        closed += [
            stream_updated(session_id=who["session_id"], updated_at=at),
            escalation_raised(**who, escalation_id=f"e-{number}", raised_at=at),
            incident_closed(**who, closure_id=f"c-{number}", closed_at=at + 1),
        ]
    (row,) = model(*closed).rows(NOW)
    assert (row.session_id, [it.session_id for it in row.earlier]) == ("session-8", ["session-1"])


def test_a_stream_with_an_open_incident_outlasts_those_without() -> None:
    """However many streams there are, and whichever of its sessions it is of."""
    others = [
        stream_updated(stream_id=f"stream-{number}", updated_at=LATER + number)
        for number in range(10, 40)
    ]
    found = told([stream_updated(), escalated(), began_anew(), *others], max_streams=16)
    assert HANDLE in {it.handle for it in found.rows(NOW)}


def test_what_is_ordered_of_an_earlier_session_is_not_of_the_newest() -> None:
    """As the decision has it: only a session that begins later is bound by a person's word."""
    graver = escalation_raised(
        session_id="session-2", incident_id="i-2", escalation_id="e-2", raised_at=LATER
    )
    word = answered(state_after="released", answered_at=LATER + SECOND)
    found = model(graver, word)

    (row,) = found.rows(NOW)
    assert (row.session_id, row.state) == ("session-2", StreamState.ESCALATED)
    stream = found.stream_of(HANDLE)
    assert stream is not None
    earlier = row_of(stream, NOW, None, "session-1")
    assert (earlier.state, earlier.newest, earlier.live) == (StreamState.RELEASED, False, False)


def test_of_a_session_that_another_came_after_no_frames_are_expected() -> None:
    found = model(heard(appended_at=START))
    stream = found.stream_of(HANDLE)
    assert stream is not None
    assert row_of(stream, NOW, SECOND, "session-1").unwatched is None


def test_an_order_without_a_session_is_of_the_one_that_its_answer_names() -> None:
    order = commanded("takedown", session_id="")
    answer = answered("takedown", session_id="session-1")
    belongs = belongs_to("session-1", [order, answer])
    assert belongs(order)
    assert not belongs_to("session-2", [order, answer])(order)
    assert not belongs_to("session-2", [order])(order)
    assert belongs_to("", [order])(order)


async def test_now_says_so_and_leads_there(restarted: Served, client: Client) -> None:
    """Beside the state of the newest session."""
    html = await page(client)
    assert f'<a href="{EARLIER}">earlier session: escalated, unanswered</a>' in html


@pytest.mark.parametrize("path", ["/incidents", "/api/v1/incidents", STREAM])
async def test_what_shows_an_incident_leads_to_its_session(
    restarted: Served, client: Client, path: str
) -> None:
    """The queue, the API, and the page of the newest session."""
    assert EARLIER in await page(client, path)


async def test_the_audit_leads_to_the_incidents_session(restarted: Served, client: Client) -> None:
    restarted.read_model.apply(answered("acknowledge", incident_id=INCIDENT), NOW)
    assert EARLIER in await page(client, "/audit")


async def test_the_page_of_an_incident_is_of_its_session_alone(
    restarted: Served, client: Client
) -> None:
    """State, conditions, evidence, takedowns and orders; it says so, and leads to the newest."""
    html = await page(client, EARLIER)

    assert "An earlier session of this stream" in html
    assert f'<a href="{STREAM}">The newest session</a>' in html
    for text in (f"<li>{WHY}</li>", "0.91", "77", "Session <bdi>session-1</bdi>"):
        assert text in html
    assert "Nothing was decided" not in html
    assert "other/9" not in html
    for path in ("/evidence/0-7", "/frames/0-7", "/act/release"):
        assert f'"{STREAM}{path}?incident={INCIDENT}"' in html
    assert f'data-history="/api/v1{STREAM}/history?incident_id={INCIDENT}"' in html
    assert [it.session_id for it in restarted.room.spans] == ["session-1"]


async def test_the_newest_sessions_page_is_as_it_was(restarted: Served, client: Client) -> None:
    """But for what waits."""
    html = await page(client, STREAM)
    assert "Session <bdi>session-2</bdi>" in html
    assert "Earlier session: escalated, unanswered." in html
    assert "An earlier session of this stream" not in html


async def test_an_incident_that_is_not_kept_is_said_not_to_be_shown(
    restarted: Served, client: Client
) -> None:
    """The newest session is, and nobody takes it for the incident's; its pictures are none."""
    html = await page(client, f"{STREAM}?incident=another")
    assert "This is not the session of that incident" in html
    assert "/incidents/another/export" in html
    assert f'href="{STREAM}/act/release"' in html
    assert (await client.get(f"{STREAM}/frames/0-7?incident=another")).status == 404


async def test_evidence_of_an_earlier_session_is_looked_at_as_that_incidents(
    restarted: Served, client: Client
) -> None:
    """The reason that is given holds for it, and who looked is on record with it."""
    frame = f"{STREAM}/frames/0-7?incident={INCIDENT}"
    status, location = await give(client, frame, reason="to see what was seen")
    assert (status, location) == (303, frame)
    html = await page(client, frame)
    assert f'src="{STREAM}/evidence/0-7/plain?incident={INCIDENT}"' in html
    assert (await client.get(f"{STREAM}/frames/0-7")).status == 404


async def test_an_order_from_there_is_of_that_session(restarted: Served, client: Client) -> None:
    """Also one that is otherwise of whichever session the stream has; it says so before."""
    act = f"{STREAM}/act/takedown?incident={INCIDENT}"
    assert "the one that runs is not touched" in " ".join((await page(client, act)).split())
    _, order_page = await give(client, act)
    (given,) = restarted.given
    assert (given.command, given.session_id) == ("takedown", "session-1")

    restarted.read_model.apply(given, NOW)
    taken = {"state_before": "escalated", "state_after": "takedown-requested"}
    answer = answered("takedown", command_id=given.command_id, incident_id=INCIDENT, **taken)
    for event in (answer, takedown_requested(incident_id=INCIDENT), acknowledged()):
        restarted.read_model.apply(event, NOW)
    html = await page(client, order_page)
    assert "has confirmed that the stream is stopped" in html
    assert f'<a href="{EARLIER}">The stream</a>' in html


async def test_the_api_tells_of_the_session_of_an_incident(
    restarted: Served, client: Client
) -> None:
    """The stream and its history; what is no incident of the stream is not found."""
    where = f"/api/v1{STREAM}"
    found = await told_by_api(client, f"{where}?incident_id={INCIDENT}")
    assert (found["stream"]["session_id"], found["stream"]["newest"]) == ("session-1", False)
    assert found["stream"]["decision"]["explanation"] == WHY
    newest = await told_by_api(client, where)
    assert newest["stream"]["session_id"] == "session-2"
    assert [it["page"] for it in newest["stream"]["earlier"]] == [EARLIER]

    history = await told_by_api(client, f"{where}/history?incident_id={INCIDENT}")
    assert history["plot"]["times"] == [START / SECOND]
    for path in (where, f"{where}/history"):
        await told_by_api(client, f"{path}?incident_id=another", 404)
