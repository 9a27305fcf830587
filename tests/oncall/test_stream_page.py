"""The page of one stream, with and without its past."""

from __future__ import annotations

import re

import pytest

from agents.oncall.evidence import cited, conditions_of, shown
from agents.oncall.handles import handle_of
from agents.oncall.orders import GROUPS, OF_STREAMS
from agents.oncall.past import LONG, span_of
from agents.oncall.plotting import plot_of
from agents.oncall.ports import History, Moment, PolicyNow, Sample
from agents.oncall.sessions import Session
from schemas import FrameRef, topics
from tests.builders import SECOND, START, risk_assessed, window

from .events import (
    NOW,
    acknowledged,
    answered,
    escalation_raised,
    heard,
    stream_updated,
    takedown_requested,
    unwatched,
)
from .evidence import RULES
from .serving import Client, Served, page
from .test_web import HOSTILE, _Elements

STREAM = f"/streams/{handle_of('stream-1')}"


def ref(offset: int, score: float = 0.9) -> FrameRef:
    return FrameRef(topics.FRAME_SAMPLES, 0, offset, START + offset * SECOND, score)


def moment(event: str = "TakedownRequested", **given: object) -> Moment:
    defaults = {"at": START, "event": event, "who": "policy default/3", "what": "asked", "why": "w"}
    return Moment(**{**defaults, **given})  # type: ignore[arg-type]


async def test_an_unknown_stream_has_no_page(client: Client) -> None:
    for handle in ("0" * 16, "stream-1", "..%2f..%2fetc", "%00"):
        assert (await client.get(f"/streams/{handle}")).status == 404


async def test_how_a_stream_stands_is_at_the_top(served: Served, client: Client) -> None:
    """State, risk, viewers, age of the newest frame, why it is unwatched."""
    for event in (
        heard(12, appended_at=NOW - 1_500_000),
        stream_updated(viewers=1234),
        risk_assessed(window(10.0, 4, 0.4), risk=0.972, drill=False),
        takedown_requested(),
        unwatched(),
    ):
        served.read_model.apply(event, NOW)

    html = await page(client, STREAM)

    for text in ("takedown requested", "0.97", "1,234", "1.5 s ago", "Unwatched:", "session-1"):
        assert text in html


async def test_the_rule_that_fired_is_there_with_each_condition(
    served: Served, client: Client
) -> None:
    """One a line, as decided; and what the rules measure now, with what is met."""
    told = "4 of 20 half seconds (needs at least 4); watched 90% (needs at least 40%)"
    served.read_model.apply(takedown_requested(explanation=told), NOW)

    html = await page(client, STREAM)

    assert "<li>4 of 20 half seconds (needs at least 4)</li>" in html
    assert "<li>watched 90% (needs at least 40%)</li>" in html
    assert "sustained-firearm" in html
    assert '<span class="mark">not met</span> watched 30%' in html


async def test_what_can_be_ordered_is_grouped_and_says_what_would_be_refused(
    served: Served, client: Client
) -> None:
    """It can be ordered all the same: whoever decides about the stream has the last word."""
    served.read_model.apply(escalation_raised(), NOW)
    held = answered("acknowledge", state_after="escalated", operator="kea")
    served.read_model.apply(held, NOW)

    html = await page(client, STREAM)

    muted = {it for it in OF_STREAMS if f'unlikely" href="{STREAM}/act/{it}"' in html}
    grave = {it for it in OF_STREAMS if re.search(rf'grave[^"]*" href="{STREAM}/act/{it}"', html)}
    assert set(re.findall(r"/act/([a-z-]+)", html)) == set(OF_STREAMS)
    assert muted == {"resume", "acknowledge", "verdict-true", "verdict-false"}
    assert grave == {"takedown", "suppress", "verdict-true"}
    assert html.count("kea has the incident in hand; take it over first") == 3
    assert html.count("no release or suppression is in force") == 1
    for command in OF_STREAMS:
        form = await page(client, f"{STREAM}/act/{command}")
        assert "<bdi>kea</bdi> has this in hand." in form


def test_each_order_of_a_stream_is_in_one_group() -> None:
    assert sorted(it for _, group in GROUPS for it in group) == sorted(OF_STREAMS)


async def test_each_takedown_is_there_with_what_was_answered(
    served: Served, client: Client
) -> None:
    """Those that were read and those that the worker keeps, each once."""
    stopped = acknowledged(service="edge-stop", detail="ingest closed")
    for event in (takedown_requested(), stopped):
        served.read_model.apply(event, NOW)
    failed = acknowledged(acknowledgement_id="a-0", outcome="failed", service="edge-stop")
    unanswered = takedown_requested(takedown_id="t-2")
    served.room.history = History(events=(takedown_requested(), failed, unanswered))

    html = await page(client, STREAM)

    assert html.count("Asked for at") == 2
    assert "says failed" in html
    assert "says stopped, ingest closed" in html
    assert html.count("No service has answered it") == 1


async def test_what_happened_is_a_table_that_needs_no_script(
    served: Served, client: Client
) -> None:
    served.read_model.apply(risk_assessed(), NOW)
    served.room.history = History(
        moments=(moment(what="asked for the stream to be stopped", again=1),),
        omitted=("signals before 12:00: there are too many to read at once",),
    )

    html = await page(client, STREAM)

    assert "asked for the stream to be stopped" in html
    assert "written 2 times" in html
    assert "Left out:" in html


async def test_without_its_past_the_page_says_so_and_shows_the_rest(
    served: Served, client: Client
) -> None:
    """Kafka is away: state, decision and evidence are those that the worker keeps."""
    served.read_model.apply(takedown_requested(evidence=[ref(7)]), NOW)
    served.room.history_fails = "Kafka gave no answer in 12 s"

    html = await page(client, STREAM)

    assert "Kafka gave no answer in 12 s" in html
    assert f'src="{STREAM}/evidence/0-7"' in html
    assert "18 of 20 frames over 10 s" in html
    response = await client.get(f"/api/v1{STREAM}/history")
    assert response.status == 503


async def test_a_stream_that_nothing_happened_to_has_a_page_without_gaps(
    served: Served, client: Client
) -> None:
    served.read_model.apply(heard(appended_at=NOW), NOW)

    html = await page(client, STREAM)

    for text in ("Nothing was decided", "No frame is pointed at", "Nothing happened to it"):
        assert text in html


async def test_what_comes_from_outside_stays_text(served: Served, client: Client) -> None:
    """Ids, explanations, services' words and reasons become no element and no attribute."""
    who = {"stream_id": HOSTILE, "session_id": HOSTILE}
    served.read_model.apply(heard(appended_at=NOW, stream_id=HOSTILE, session_id=HOSTILE), NOW)
    plain = _Elements(await page(client, f"/streams/{handle_of(HOSTILE)}"))
    decided = {"rule": HOSTILE, "explanation": HOSTILE, "incident_id": HOSTILE, **who}
    for event in (
        stream_updated(region=HOSTILE, category=HOSTILE, **who),
        takedown_requested(policy=HOSTILE, operator=HOSTILE, **decided),
        answered(operator=HOSTILE, reason=HOSTILE, **who),
    ):
        served.read_model.apply(event, NOW)
    served.room.history = History(
        events=(acknowledged(outcome=HOSTILE, detail=HOSTILE, service=HOSTILE, **who),),
        moments=(moment(who=HOSTILE, what=HOSTILE, why=HOSTILE),),
        omitted=(HOSTILE,),
    )

    html = await page(client, f"/streams/{handle_of(HOSTILE)}")

    elements = _Elements(html)
    assert HOSTILE not in html
    assert elements.names.count("script") == plain.names.count("script")
    assert elements.names.count("img") == plain.names.count("img")
    assert elements.inline == []


async def test_what_the_plot_is_drawn_from_is_json(served: Served, client: Client) -> None:
    """Signals, risk, windows, thresholds and decisions over one axis of time."""
    served.read_model.apply(risk_assessed(), NOW)
    served.room.history = History(
        samples=(Sample(START, "session-1", {"firearm": 0.25, "fictional": 0.5}),),
        risks=(risk_assessed(window(10.0, 4, 0.4), risk=0.75, assessed_at=START + SECOND),),
        moments=(moment(at=START + SECOND), moment("StreamUpdated")),
    )

    response = await client.get(f"/api/v1{STREAM}/history")

    plot = (await response.json())["plot"]
    assert plot["times"] == [START / SECOND, START / SECOND + 1]
    assert {it["label"]: it["values"] for it in plot["series"]} == {
        "firearm": [0.25, None],
        "fictional": [0.5, None],
        "risk": [None, 0.75],
        "firearm, mean of 10 s": [None, 0.4],
    }
    assert [it["rule"] for it in plot["bounds"]] == ["sustained-firearm"]
    assert [it["event"] for it in plot["marks"]] == ["TakedownRequested"]


def test_bounds_of_what_is_not_drawn_are_left_out() -> None:
    assert plot_of(History(), RULES).bounds == []
    assert plot_of(History(), PolicyNow("", ())).series == []


@pytest.mark.parametrize(
    ("explanation", "conditions"),
    [
        ("a (needs 1); b (needs 2)", ["a (needs 1)", "b (needs 2)"]),
        ("one of: a; or (b; c)", ["one of: a", "or (b; c)"]),
        ("", []),
        ("a) ; b", ["a)", "b"]),
    ],
)
def test_an_explanation_falls_into_its_conditions(explanation: str, conditions: list[str]) -> None:
    assert conditions_of(explanation) == conditions


def test_of_too_many_frames_those_that_decisions_rest_on_come_first() -> None:
    """Then the highest-scoring; shown in the order in which they were taken."""
    risks = [risk_assessed(risk_id=f"r-{it}", evidence=[ref(it, it / 100)]) for it in range(10, 40)]
    found = cited([*risks, escalation_raised(evidence=[ref(3, 0.1), ref(11, 0.11)])])

    names = [it.name for it in shown(found.values())]

    assert len(found) == 31
    assert names == ["0-3", "0-11", *(f"0-{it}" for it in range(30, 40))]


def test_the_past_ends_with_the_newest_frame_and_decisions_reach_further_back() -> None:
    """session began ──…── since ── newest frame ── until ── now"""
    hour = 3600 * SECOND
    session = Session("s", began_at=NOW - 3 * hour, newest_appended_at=NOW - hour)

    span = span_of(session, NOW)

    assert NOW - hour < span.until < NOW
    assert span.until - span.since == LONG
    assert span.decided_since < NOW - 3 * hour
    assert span_of(Session("s"), NOW).decided_since == NOW - LONG
    long_ago = Session("s", began_at=START - 90 * hour, newest_appended_at=NOW)
    assert span_of(long_ago, NOW).decided_since == NOW - 24 * hour
