"""The transition table: every state against every input, and what must hold of all of them."""

from __future__ import annotations

import pytest

from agents.decision.machine import TRANSITIONS
from agents.decision.states import Ask, Input, Refusal, State
from deploy.docs import PATH, decision_page

EVIDENCE = (Input.SUSPECT, Input.ATTACK, Input.ATTACK_HELD, Input.OVERRULED, Input.COOLING)
MACHINE = (Input.CALM, Input.STIRRING, *EVIDENCE)
PEOPLE = (
    Input.ORDER_TAKEDOWN,
    Input.ORDER_RELEASE,
    Input.ORDER_SUPPRESS,
    Input.ORDER_RESUME,
    Input.VERDICT_TRUE,
    Input.VERDICT_FALSE,
    Input.ACKNOWLEDGED,
    Input.ASSIGNED,
    Input.WIDENED,
)
OF_INCIDENTS = (Input.ACKNOWLEDGED, Input.ASSIGNED)
OPEN = (State.ESCALATED, State.TAKEDOWN_REQUESTED, State.STOPPED)
TELLS_PEOPLE = {Ask.ESCALATE, Ask.WORSEN}


def test_every_state_has_a_transition_for_every_input() -> None:
    assert set(TRANSITIONS) == {(state, given) for state in State for given in Input}


@pytest.mark.parametrize(("state", "given"), TRANSITIONS)
def test_what_changes_nothing_and_asks_for_nothing_is_expected_or_refused_with_a_reason(
    state: State, given: Input
) -> None:
    transition = TRANSITIONS[state, given]
    if transition.refusal and transition.refusal is not Refusal.HELD_BACK:
        assert transition.to is state
        assert set(transition.asks) <= {Ask.WORSEN}
    if given not in PEOPLE or transition.to is not state or transition.asks:
        return
    assert transition.refusal or given in OF_INCIDENTS or state is State.SUPPRESSED


@pytest.mark.parametrize("state", State)
def test_every_takedown_is_also_put_before_people(state: State) -> None:
    for given in Input:
        asks = set(TRANSITIONS[state, given].asks)
        if Ask.TAKE_DOWN in asks:
            assert asks & TELLS_PEOPLE
            assert TRANSITIONS[state, given].to is State.TAKEDOWN_REQUESTED


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize("given", MACHINE)
def test_what_is_open_never_falls_back_by_what_the_machine_sees(state: State, given: Input) -> None:
    assert TRANSITIONS[state, given].to in OPEN


@pytest.mark.parametrize("given", [*EVIDENCE, Input.RESTARTED, Input.STILL_RUNNING])
def test_no_evidence_moves_a_suppressed_stream(given: Input) -> None:
    transition = TRANSITIONS[State.SUPPRESSED, given]
    assert transition.to is State.SUPPRESSED
    assert transition.asks == ()
    assert transition.refusal is Refusal.HUMAN_OVERRIDE


@pytest.mark.parametrize("given", [Input.OVERRULED, Input.COOLING, Input.RESTARTED])
def test_a_release_holds_against_all_but_stronger_evidence(given: Input) -> None:
    transition = TRANSITIONS[State.RELEASED, given]
    assert (transition.to, transition.refusal) == (State.RELEASED, Refusal.HUMAN_OVERRIDE)


@pytest.mark.parametrize("state", [State.CLEAR, State.WATCHING, State.ESCALATED, State.RELEASED])
def test_what_is_held_back_from_a_takedown_is_put_before_people(state: State) -> None:
    transition = TRANSITIONS[state, Input.ATTACK_HELD]
    assert transition.to is State.ESCALATED
    assert set(transition.asks) & TELLS_PEOPLE
    assert transition.refusal is Refusal.HELD_BACK


@pytest.mark.parametrize("state", State)
def test_a_person_can_take_down_and_confirm_from_every_state(state: State) -> None:
    ordered = TRANSITIONS[state, Input.ORDER_TAKEDOWN]
    confirmed = TRANSITIONS[state, Input.VERDICT_TRUE]
    for transition in (ordered, confirmed):
        assert transition.to in (State.TAKEDOWN_REQUESTED, State.STOPPED)


@pytest.mark.parametrize("state", [State.TAKEDOWN_REQUESTED, State.STOPPED])
@pytest.mark.parametrize("given", [Input.ORDER_RELEASE, Input.VERDICT_FALSE, Input.ORDER_SUPPRESS])
def test_a_takedown_that_a_person_takes_back_is_reversed_and_its_incident_closed(
    state: State, given: Input
) -> None:
    assert TRANSITIONS[state, given].asks == (Ask.REVERSE, Ask.CLOSE_REJECTED)


def test_the_page_in_the_docs_is_drawn_from_the_table() -> None:
    assert PATH.read_text() == decision_page()
