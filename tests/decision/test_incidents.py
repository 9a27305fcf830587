"""Whose an incident is: taken in hand, given to somebody, given back, put before more people."""

from __future__ import annotations

from typing import Any

import pytest

from agents.decision.states import Refusal, State
from schemas import CommandAnswered, DecisionReversed, EscalationRaised, Event, TakedownRequested
from tests.decision.timeline import MINUTE, Timeline, order, risk

KEA: dict[str, Any] = {"operator": "kea"}
TUI: dict[str, Any] = {"operator": "tui"}


def escalated() -> Timeline:
    timeline = Timeline()
    timeline.tick(0)
    timeline.play(risk(2, 3))
    assert timeline.state() is State.ESCALATED
    return timeline


def answer(effects: list[Event]) -> CommandAnswered:
    (found,) = [it for it in effects if isinstance(it, CommandAnswered)]
    return found


def test_who_acknowledges_an_incident_has_it_and_nobody_is_waited_for() -> None:
    timeline = escalated()
    told = answer(timeline.play(order(5, "acknowledge", **KEA)))
    assert (told.applied, told.held_by, told.answer_by) == (True, "kea", 0)


@pytest.mark.parametrize("command", ["acknowledge", "verdict-true", "verdict-false"])
def test_what_is_somebodys_work_is_not_done_by_another(command: str) -> None:
    """Who was first is told, and the same person may go on."""
    timeline = escalated()
    timeline.play(order(5, "acknowledge", **KEA))
    told = answer(timeline.play(order(6, command, **TUI)))
    assert (told.applied, told.refusal) == (False, Refusal.HELD_BY_ANOTHER)
    assert (told.held_by, timeline.state()) == ("kea", State.ESCALATED)
    assert answer(timeline.play(order(7, command, **KEA))).applied


def test_an_incident_can_be_taken_over() -> None:
    """Which is on record: whoever takes it over assigns it to themselves."""
    timeline = escalated()
    timeline.play(order(5, "acknowledge", **KEA))
    assert answer(timeline.play(order(6, "assign", assignee="tui", **TUI))).held_by == "tui"
    assert not answer(timeline.play(order(7, "verdict-false", **KEA))).applied
    assert answer(timeline.play(order(8, "verdict-false", **TUI))).applied
    assert timeline.state() is State.RELEASED


@pytest.mark.parametrize(
    ("command", "becomes"),
    [
        ("takedown", State.TAKEDOWN_REQUESTED),
        ("release", State.RELEASED),
        ("suppress", State.SUPPRESSED),
        ("escalate", State.ESCALATED),
        ("assign", State.ESCALATED),
    ],
)
def test_what_protects_people_or_streams_is_never_refused_for_whose_it_is(
    command: str, becomes: State
) -> None:
    timeline = escalated()
    timeline.play(order(5, "acknowledge", **KEA))
    until = 600 if command == "suppress" else 0
    assert answer(timeline.play(order(6, command, until, **TUI))).applied
    assert timeline.state() is becomes


def test_an_incident_that_is_given_back_is_waited_for_again() -> None:
    timeline = escalated()
    timeline.play(order(5, "acknowledge", **KEA))
    timeline.tick(60 * MINUTE)
    assert len(timeline.all(EscalationRaised)) == 1
    told = answer(timeline.play(order(60 * MINUTE + 1, "assign", assignee="", **KEA)))
    assert (told.held_by, told.answer_by > 0) == ("", True)
    timeline.tick(61 * MINUTE)
    timeline.tick(90 * MINUTE)
    assert timeline.all(EscalationRaised)[-1].change == "repeated"


def test_more_people_are_told_at_once_and_as_of_something_graver() -> None:
    timeline = escalated()
    (first,) = timeline.all(EscalationRaised)
    effects = timeline.play(order(5, "escalate", reason="I see a second shooter", **KEA))
    (wider,) = [it for it in effects if isinstance(it, EscalationRaised)]
    assert (wider.change, wider.incident_id) == ("widened", first.incident_id)
    assert (first.severity, wider.severity) == ("high", "critical")
    assert set(first.routes) <= set(wider.routes)
    assert "I see a second shooter" in wider.explanation
    assert wider.answer_by > 0
    again = timeline.play(order(6, "escalate", **KEA), order(7, "escalate", **KEA))
    assert [it.severity for it in again if isinstance(it, EscalationRaised)] == ["critical"] * 2


def test_more_people_on_an_incident_do_not_take_it_out_of_hand() -> None:
    timeline = escalated()
    timeline.play(order(5, "acknowledge", **KEA))
    told = answer(timeline.play(order(6, "escalate", **TUI)))
    assert (told.held_by, told.answer_by) == ("kea", 0)


def test_an_order_that_is_sent_twice_is_carried_out_once() -> None:
    timeline = escalated()
    given = order(5, "escalate", **KEA)
    assert timeline.play(given)
    assert timeline.play(given) == []


def test_a_takedown_that_somebody_has_in_hand_can_be_taken_back_by_another() -> None:
    """Who is hit by it need not wait for whoever went to sleep."""
    timeline = Timeline()
    timeline.tick(0)
    timeline.play(risk(10, 8), order(12, "assign", assignee="kea", **KEA))
    assert timeline.all(TakedownRequested)
    timeline.play(order(13, "release", **TUI))
    assert timeline.all(DecisionReversed)
    assert answer(timeline.play(order(14, "assign", assignee="tui", **TUI))).refusal == (
        Refusal.NOTHING_OPEN
    )
