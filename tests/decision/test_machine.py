"""The state machine: its table, its effects and its refusals."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.decision.machine import (
    TRANSITIONS,
    Ask,
    Effect,
    Refusal,
    SessionDecision,
    State,
    decide,
)
from agents.decision.policy import DEFAULT_POLICY, Grade, judge
from schemas import EscalationRaised, RiskAssessed, TakedownRequested
from tests.builders import risk_assessed, window

RISKS: dict[Grade, RiskAssessed] = {
    Grade.NONE: risk_assessed(window(3.0, 0), window(10.0, 0), window(30.0, 0)),
    Grade.WATCH: risk_assessed(window(3.0, 1, 0.1), window(10.0, 1, 0.1)),
    Grade.ESCALATE: risk_assessed(window(3.0, 4, 0.8), window(10.0, 4, 0.4, frames=20)),
    Grade.TAKEDOWN: risk_assessed(window(3.0, 6, 0.9), window(10.0, 12, 0.8)),
}


def test_the_sample_risks_have_the_grades_they_stand_for() -> None:
    for grade, risk in RISKS.items():
        assert judge(DEFAULT_POLICY, risk).grade is grade


@pytest.mark.parametrize(("state", "grade"), list(product(State, Grade)))
def test_every_state_and_grade_leads_where_the_table_says(state: State, grade: Grade) -> None:
    transition = TRANSITIONS[state, grade]
    decision = decide(DEFAULT_POLICY, SessionDecision(state), RISKS[grade])
    assert decision.state.state is transition.to
    assert decision.refusal is transition.refusal
    assert len(decision.effects) == len(transition.asks)


@pytest.mark.parametrize(("state", "grade"), list(product(State, Grade)))
def test_stronger_evidence_never_leads_to_less(state: State, grade: Grade) -> None:
    order = list(State)
    if grade is not Grade.TAKEDOWN:
        stronger = TRANSITIONS[state, Grade(grade + 1)]
        assert order.index(stronger.to) >= order.index(TRANSITIONS[state, grade].to)


def test_every_takedown_also_escalates_and_the_escalation_goes_first() -> None:
    for transition in TRANSITIONS.values():
        if Ask.TAKEDOWN in transition.asks:
            assert transition.asks == (Ask.ESCALATE_CRITICAL, Ask.TAKEDOWN)


def test_only_sustained_evidence_takes_down() -> None:
    assert decide(DEFAULT_POLICY, None, RISKS[Grade.ESCALATE]).effects[0].severity == "high"  # type: ignore[union-attr]
    kinds = [type(effect) for effect in decide(DEFAULT_POLICY, None, RISKS[Grade.TAKEDOWN]).effects]
    assert kinds == [EscalationRaised, TakedownRequested]


def test_an_effect_carries_what_it_takes_to_explain_it() -> None:
    risk = RISKS[Grade.TAKEDOWN]
    escalation, takedown = decide(DEFAULT_POLICY, None, risk).effects
    assert isinstance(takedown, TakedownRequested)
    assert takedown.incident_id == escalation.incident_id
    assert takedown.rule == "sustained-firearm"
    assert "12 of 12 frames of the last 10 s" in takedown.explanation
    assert takedown.evidence == risk.evidence
    assert takedown.cause_id == risk.risk_id
    assert takedown.policy == "default/2"
    assert takedown.policy_digest == DEFAULT_POLICY.digest
    assert takedown.bundle_digest == risk.bundle_digest


def test_without_evidence_there_is_no_effect_and_no_change() -> None:
    risk = risk_assessed(*RISKS[Grade.TAKEDOWN].windows, evidence=[])
    decision = decide(DEFAULT_POLICY, None, risk)
    assert decision.refusal is Refusal.NO_EVIDENCE
    assert decision.effects == ()
    assert decision.state.state is State.CLEAR


def test_a_restart_is_judged_afresh_and_is_another_incident() -> None:
    windows = RISKS[Grade.TAKEDOWN].windows
    first = decide(DEFAULT_POLICY, None, risk_assessed(*windows))
    again = decide(DEFAULT_POLICY, None, risk_assessed(*windows, session_id="session-2"))
    assert len(again.effects) == 2
    assert again.effects[0].incident_id != first.effects[0].incident_id


def test_a_drill_is_decided_like_any_stream_and_says_so() -> None:
    real = decide(DEFAULT_POLICY, None, RISKS[Grade.TAKEDOWN])
    drill = decide(DEFAULT_POLICY, None, risk_assessed(*RISKS[Grade.TAKEDOWN].windows, drill=True))
    assert drill.state == real.state
    assert [effect.drill for effect in real.effects] == [False, False]
    assert [effect.drill for effect in drill.effects] == [True, True]


@given(grades=st.lists(st.sampled_from(list(Grade)), max_size=20))
def test_a_replay_issues_the_same_effects_and_a_stream_is_taken_down_once(
    grades: list[Grade],
) -> None:
    def run() -> list[Effect]:
        known: SessionDecision | None = None
        issued: list[Effect] = []
        for grade in grades:
            decision = decide(DEFAULT_POLICY, known, RISKS[grade])
            known = decision.state
            issued.extend(decision.effects)
        return issued

    issued = run()
    assert issued == run()
    assert sum(isinstance(effect, TakedownRequested) for effect in issued) <= 1
    assert sum(isinstance(effect, EscalationRaised) for effect in issued) <= 2
