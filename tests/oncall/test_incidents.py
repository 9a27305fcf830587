"""The queue of incidents."""

from __future__ import annotations

from agents.oncall.incidents import Incident, Wanted
from agents.oncall.standing import StreamState
from schemas import Event
from tests.builders import SECOND, START

from .events import NOW, answered, escalation_raised, incident_closed, takedown_requested
from .folding import told

LATER = START + 5 * SECOND


def queue(*events: Event, wanted: Wanted | None = None) -> list[Incident]:
    """Those that are wanted, the open ones unless it is said; these are counted as well."""
    model = told(events)
    assert model.open_incidents() == len(model.incidents(Wanted(), NOW))
    return model.incidents(wanted or Wanted(), NOW)


def raised(stream: str, **given: object) -> Event:
    names = {"stream_id": stream, "incident_id": f"i-{stream}", "escalation_id": f"e-{stream}"}
    return escalation_raised(**{**names, **given})


def test_the_gravest_are_first_and_then_those_with_the_least_time_left() -> None:
    """What is not waited for comes after what is."""
    found = queue(
        raised("a", severity="high", answer_by=NOW + 60 * SECOND),
        raised("b", severity="critical"),
        raised("c", severity="high", answer_by=NOW - SECOND),
        raised("d", severity="high"),
    )
    assert [it.stream_id for it in found] == ["b", "c", "a", "d"]
    assert found[1].left(NOW) == -1.0
    assert found[3].left(NOW) is None


def test_whoever_takes_an_incident_in_hand_has_it_until_it_is_opened_again() -> None:
    """Nobody is waited for meanwhile."""
    opened = raised("a", answer_by=NOW + SECOND)
    held = answered("acknowledge", stream_id="a", state_after="escalated", answered_at=START + 1)
    (incident,) = queue(opened, held)
    assert (incident.held_by, incident.answer_by) == ("kea", None)

    again = raised("a", escalation_id="e-2", change="reopened", raised_at=LATER, answer_by=NOW)
    (incident,) = queue(opened, held, again)
    assert (incident.held_by, incident.answer_by, incident.raised) == ("", NOW, 2)
    assert incident.opened_at == LATER


def test_closed_ones_are_told_on_request_for_a_week() -> None:
    """An incident is open until nothing has been decided since it was closed."""
    opened = raised("a", answer_by=NOW)
    closed = incident_closed(stream_id="a", outcome="rejected", closed_at=LATER)
    assert queue(opened, closed) == []
    (incident,) = queue(opened, closed, wanted=Wanted(closed=True))
    assert (incident.outcome, incident.closed_at, incident.answer_by) == ("rejected", LATER, None)
    again = raised("a", escalation_id="e-2", change="reopened", raised_at=LATER + 1)
    assert len(queue(opened, closed, again)) == 1
    long_after = told([opened, closed]).incidents(Wanted(closed=True), NOW + 8 * 86400 * SECOND)
    assert long_after == []


def test_an_incident_says_why_though_it_is_raised_for_want_of_an_answer() -> None:
    """The reason is the evidence's, not the clock's."""
    (incident,) = queue(
        raised("a", explanation="a rifle"),
        raised("a", escalation_id="e-2", change="repeated", explanation="nobody", raised_at=LATER),
    )
    assert (incident.explanation, incident.raised) == ("a rifle", 2)


def test_a_takedown_alone_is_an_incident() -> None:
    """Its escalation may be on its way."""
    (incident,) = queue(takedown_requested())
    assert (incident.incident_id, incident.state) == ("incident-1", StreamState.TAKEDOWN_REQUESTED)
    assert incident.severity == ""


def test_incidents_are_chosen_by_who_holds_them() -> None:
    """One's own, and those that are nobody's."""
    events = (raised("a"), raised("b"), answered("acknowledge", stream_id="b", answered_at=LATER))
    assert [it.stream_id for it in queue(*events, wanted=Wanted(held_by="kea"))] == ["b"]
    assert [it.stream_id for it in queue(*events, wanted=Wanted(held_by=""))] == ["a"]
