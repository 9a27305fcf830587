"""What people can order, and what they are told of it before: held to what the decision does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agents.decision import commands
from agents.decision.commands import Command
from agents.decision.decide import _ORDERS
from agents.decision.machine import TRANSITIONS
from agents.decision.states import Input, Refusal, State
from agents.oncall.access.roles import Permission
from agents.oncall.consequences import EXPECTED, LOCKED, REFUSALS, Subject, foretell, newest_session
from agents.oncall.orders import OF_SCOPES, OF_STREAMS, ORDERS, Field
from agents.oncall.read_model import ReadModel
from agents.oncall.standing import StreamState

from .events import NOW, answered, escalation_raised, stream_updated

_SHOWN_AS = {
    StreamState.CLEAR: State.CLEAR,
    StreamState.ENDED: State.CLEAR,
    StreamState.WATCHING: State.WATCHING,
    StreamState.ESCALATED: State.ESCALATED,
    StreamState.TAKEDOWN_REQUESTED: State.TAKEDOWN_REQUESTED,
    StreamState.STOPPED: State.STOPPED,
    StreamState.RELEASED: State.RELEASED,
    StreamState.SUPPRESSED: State.SUPPRESSED,
}
_FORETOLD = sorted({command for row in EXPECTED.values() for command in row})


def test_people_are_offered_what_the_decision_knows_and_nothing_else() -> None:
    """The page has words of its own for each command, and must not drift from them."""
    assert set(ORDERS) == set(Command)
    assert set(OF_SCOPES) == commands.OF_SCOPES


def test_each_order_of_a_stream_is_foretold_in_each_state() -> None:
    """None is given blindly."""
    for state in StreamState:
        assert set(EXPECTED[state]) == set(OF_STREAMS)


def test_what_is_left_to_who_has_the_incident_in_hand_is_known() -> None:
    """Who will be refused is told before."""
    assert LOCKED == commands.LOCKED


def test_what_lapses_is_asked_for_how_long() -> None:
    """Orders for a time, and only those, say when they end."""
    assert {it for it in ORDERS if Field.LASTS in ORDERS[it].fields} == commands.LIMITED


def test_orders_of_a_scope_are_for_admins() -> None:
    """A responder acts on streams; switches for all of them are an admin's."""
    for command, order in ORDERS.items():
        of_scope = command in OF_SCOPES
        assert order.permission is (Permission.CONTROL if of_scope else Permission.ACT)


@pytest.mark.parametrize("command", _FORETOLD)
@pytest.mark.parametrize("state", StreamState)
def test_what_is_foretold_is_what_the_decision_does(state: StreamState, command: str) -> None:
    """Where it leads, what is asked for on the way, and why it is refused."""
    given = _ORDERS[Command(command)]
    transition = TRANSITIONS[_SHOWN_AS[state], given]

    expected = EXPECTED[state][command]

    assert expected.refusal == (transition.refusal or "")
    assert expected.asks == transition.asks
    if not expected.refusal:
        assert _SHOWN_AS[expected.to] is transition.to


def test_each_refusal_that_an_order_can_have_has_words() -> None:
    """Nobody reads an identifier at night."""
    orders = {it for it in Input if it in _ORDERS.values()}
    possible = {
        refusal
        for (_, given), transition in TRANSITIONS.items()
        if given in orders and (refusal := transition.refusal)
    }
    by_form = {
        Refusal.HELD_BY_ANOTHER,
        Refusal.NO_REASON,
        Refusal.NO_TIME_LIMIT,
        Refusal.EXPIRED,
        Refusal.UNKNOWN_SCOPE,
    }
    assert possible | by_form | {Refusal.UNKNOWN_COMMAND} <= set(REFUSALS)


def _subject(*events: object) -> Subject:
    model = ReadModel()
    for event in (stream_updated(), *events):
        model.apply(event, NOW)  # type: ignore[arg-type]  # events, of several kinds
    (row,) = model.rows(NOW)
    return newest_session(row)


def test_a_takedown_of_an_escalated_stream_says_who_gets_to_know() -> None:
    """What it does, and to whom it goes, in words, before it is done."""
    told = foretell("takedown", _subject(escalation_raised()), "kea")

    assert told.refusal == ""
    assert any("asked to stop the stream" in it for it in told.follows)
    assert any("“escalated” to “takedown requested”" in it for it in told.follows)


def test_a_likely_refusal_is_told_before() -> None:
    """Nothing is open that could be released."""
    assert foretell("release", _subject(), "kea").refusal == "no incident is open"


def test_an_incident_in_anothers_hand_is_told_before() -> None:
    """Two people do not do the same work unawares; who has it in hand may go on."""
    row = _subject(
        escalation_raised(),
        answered("acknowledge", state_after="escalated", operator="tui"),
    )
    assert "tui has the incident in hand" in foretell("verdict-false", row, "kea").refusal
    assert foretell("verdict-false", row, "tui").refusal == ""
    assert foretell("takedown", row, "kea").refusal == ""


@pytest.mark.parametrize("command", OF_STREAMS)
def test_whoever_has_it_in_hand_is_named_before_any_order(command: str) -> None:
    """Also where the order is not refused to others; not to themselves, nor where nobody has it."""
    nobody = _subject(escalation_raised())
    held = replace(nobody, held_by="tui")
    named = "tui has this in hand."
    assert named in foretell(command, held, "kea").follows
    assert named not in foretell(command, held, "tui").follows
    assert not any("in hand." in it for it in foretell(command, nobody, "kea").follows[1:])


def test_a_drill_is_called_one() -> None:
    """Nobody takes a drill for the real thing, or the real thing for a drill."""
    row = replace(_subject(escalation_raised()), drill=True)
    assert any("is a drill" in it for it in foretell("takedown", row, "kea").follows)
    row = replace(row, drill=False)
    assert not any("is a drill" in it for it in foretell("takedown", row, "kea").follows)
