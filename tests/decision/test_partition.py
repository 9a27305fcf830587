"""What is decided of a stream, drawn as timelines: seconds from the start, then what is expected.

``risk(t, hits)`` is a risk at t whose newest ``hits`` frames saw a firearm: 1 is worth watching,
3 an escalation, 8 a takedown by the default policy.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from agents.decision.states import Refusal, State
from schemas import (
    CommandAnswered,
    DecisionReversed,
    EscalationRaised,
    Event,
    IncidentClosed,
    ReferralPrepared,
    SamplingBoostRequested,
    StreamsCounted,
    StreamUnwatched,
    TakedownRequested,
)
from tests.decision.timeline import MINUTE, SESSION, STREAM, Timeline, at, order, risk, update

LATER = "session-2"


def kinds(effects: Sequence[Event]) -> list[str]:
    return [type(it).__name__ for it in effects if not isinstance(it, StreamsCounted)]


def taken_down() -> Timeline:
    """At 10 s the takedown is asked for."""
    timeline = Timeline()
    timeline.tick(0)
    timeline.play(update(0, "started", region="NZ", viewers=40), risk(10, 8))
    return timeline


def test_a_single_hit_is_watched_more_closely_and_nobody_is_asked() -> None:
    timeline = Timeline()
    (boost,) = timeline.play(risk(1, 1))
    assert isinstance(boost, SamplingBoostRequested)
    assert boost.until > boost.requested_at
    assert timeline.state() is State.WATCHING
    timeline.play(risk(20, 0))
    assert timeline.state() is State.CLEAR


def test_a_stream_that_stays_worth_watching_is_sampled_faster_once_a_minute_and_no_more() -> None:
    timeline = Timeline()
    timeline.play(*(risk(second, 1) for second in range(150)))
    asked = [boost.requested_at for boost in timeline.all(SamplingBoostRequested)]
    assert asked == [at(0), at(60), at(120)]


def test_model_evidence_alone_escalates_and_more_of_it_takes_down() -> None:
    timeline = Timeline()
    assert kinds(timeline.play(risk(1, 1), risk(2, 3))) == [
        "SamplingBoostRequested",
        "EscalationRaised",
    ]
    assert timeline.state() is State.ESCALATED
    effects = timeline.play(risk(5, 8))
    # The open incident gets graver, so people are told, and the takedown is asked for.
    assert kinds(effects) == ["EscalationRaised", "TakedownRequested", "ReferralPrepared"]
    opened, worse = timeline.all(EscalationRaised)
    assert (opened.severity, opened.change) == ("high", "opened")
    assert (worse.severity, worse.change) == ("critical", "updated")
    assert opened.incident_id == worse.incident_id
    assert opened.escalation_id != worse.escalation_id


def test_every_effect_says_why_on_what_evidence_and_under_which_policy() -> None:
    timeline = taken_down()
    escalation, takedown = timeline.all(EscalationRaised)[0], timeline.all(TakedownRequested)[0]
    policy = timeline.policies.live
    for effect in (escalation, takedown):
        assert effect.rule == "sustained-firearm"
        assert "8 of 20 watched half seconds" in effect.explanation
        assert effect.evidence
        assert (effect.policy, effect.policy_digest) == (policy.label, policy.digest)
        assert effect.cause_id == risk(10, 8).risk_id
    assert escalation.viewers == 40
    assert escalation.answer_by == at(0) + policy.answers.escalation_within["critical"] * 1
    assert timeline.all(ReferralPrepared)[0].region == "NZ"


def test_a_storm_of_risk_is_one_escalation_and_one_takedown() -> None:
    timeline = taken_down()
    timeline.play(*(risk(10 + second, 8) for second in range(1, 60)))
    assert len(timeline.all(EscalationRaised)) == 1
    assert len(timeline.all(TakedownRequested)) == 1
    assert timeline.refusals.count(Refusal.ALREADY_REQUESTED) == 59


def test_strong_evidence_that_looks_like_fiction_is_not_taken_down() -> None:
    timeline = Timeline()
    timeline.play(*(risk(second, 8, fictional=0.99) for second in range(30)))
    assert timeline.all(TakedownRequested) == []
    assert timeline.all(EscalationRaised) == []
    assert timeline.state() is State.WATCHING


def test_some_sign_of_fiction_turns_a_takedown_into_an_escalation_that_says_so() -> None:
    timeline = Timeline()
    timeline.play(risk(5, 8, fictional=0.7))
    assert timeline.all(TakedownRequested) == []
    (escalation,) = timeline.all(EscalationRaised)
    assert "held back from rule 'sustained-firearm'" in escalation.explanation


def test_known_content_is_taken_down_at_once() -> None:
    timeline = Timeline()
    timeline.play(risk(1, 0, known=1))
    (takedown,) = timeline.all(TakedownRequested)
    assert takedown.rule == "known-content"


def test_a_viewers_report_lowers_what_it_takes_to_escalate_and_asks_for_faster_sampling() -> None:
    timeline = Timeline()
    timeline.play(update(0, "started"))
    assert kinds(timeline.play(update(1, "reported"))) == ["SamplingBoostRequested"]
    assert timeline.state() is State.WATCHING
    timeline.play(risk(2, 1))
    (escalation,) = timeline.all(EscalationRaised)
    assert escalation.rule == "reported-firearm"


def test_a_risk_without_frames_to_look_at_stops_nothing() -> None:
    timeline = Timeline()
    timeline.play(risk(10, 8, evidence=[]))
    assert timeline.all(TakedownRequested) == []
    assert timeline.refusals == [Refusal.NO_EVIDENCE]


# A takedown is not done until it is confirmed.


def test_a_confirmed_takedown_is_stopped_and_not_asked_for_again() -> None:
    timeline = taken_down()
    timeline.acknowledge(12)
    assert timeline.state() is State.STOPPED
    timeline.tick(60)
    assert len(timeline.all(TakedownRequested)) == 1


def test_a_takedown_that_nobody_answers_is_asked_for_once_more_and_then_put_before_people() -> None:
    timeline = taken_down()
    #  0 asked (the partition's time)  10 retried  20 told  30 nothing more
    assert kinds(timeline.tick(9)) == []
    (again,) = [it for it in timeline.tick(10) if isinstance(it, TakedownRequested)]
    assert again == timeline.all(TakedownRequested)[0]
    assert kinds(timeline.tick(19)) == []
    (told,) = [it for it in timeline.tick(20) if isinstance(it, EscalationRaised)]
    assert (told.rule, told.severity, told.change) == (
        "takedown-unconfirmed",
        "critical",
        "updated",
    )
    assert kinds(timeline.tick(30)) == []


def test_a_takedown_that_failed_is_asked_for_again_at_once() -> None:
    timeline = taken_down()
    assert kinds(timeline.acknowledge(11, "failed")) == ["TakedownRequested"]
    assert kinds(timeline.acknowledge(12, "failed")) == ["EscalationRaised"]
    timeline.acknowledge(13)
    assert timeline.state() is State.STOPPED


def test_frames_that_keep_coming_after_the_stop_reopen_the_incident() -> None:
    timeline = taken_down()
    timeline.tick(8)
    timeline.acknowledge(8)
    assert kinds(timeline.tick(19, (STREAM, SESSION, 18))) == []
    effects = timeline.tick(25, (STREAM, SESSION, 23))
    assert kinds(effects) == ["EscalationRaised", "TakedownRequested"]
    first, second = timeline.all(TakedownRequested)
    assert first.takedown_id != second.takedown_id
    assert second.rule == "still-running"
    assert second.evidence == first.evidence
    assert timeline.all(EscalationRaised)[-1].change == "reopened"


@pytest.mark.parametrize("stream", [STREAM, "stream-2"])
def test_a_restart_under_the_same_account_is_put_before_people(stream: str) -> None:
    timeline = Timeline()
    timeline.play(update(0, "started", account_id="account-1"), risk(10, 8))
    restarted = update(100, "started", stream=stream, session=LATER, account_id="account-1")
    timeline.play(restarted)
    escalation = timeline.all(EscalationRaised)[-1]
    assert (escalation.rule, escalation.session_id) == ("restart-after-takedown", LATER)
    assert timeline.all(TakedownRequested)[0].incident_id in escalation.explanation
    assert timeline.state(stream, LATER) is State.ESCALATED


# People outrank the machine.


def test_a_release_holds_against_the_same_evidence_and_reverses_the_takedown() -> None:
    timeline = taken_down()
    timeline.acknowledge(12)
    effects = timeline.play(order(20, "release"))
    assert kinds(effects) == ["DecisionReversed", "IncidentClosed", "CommandAnswered"]
    (reversed_,) = timeline.all(DecisionReversed)
    assert reversed_.takedown_id == timeline.all(TakedownRequested)[0].takedown_id
    assert (reversed_.operator, reversed_.reason) == ("operator-7", "looked at it")
    assert timeline.all(IncidentClosed)[0].outcome == "rejected"
    timeline.play(*(risk(20 + second, 8) for second in range(1, 120)))
    assert len(timeline.all(TakedownRequested)) == 1
    assert timeline.state() is State.RELEASED
    assert set(timeline.refusals[-100:]) == {Refusal.HUMAN_OVERRIDE}


def test_a_release_gives_way_to_new_evidence_of_a_higher_grade() -> None:
    timeline = Timeline()
    timeline.play(risk(2, 3), order(5, "release"))
    #  a window of 10 s at 12 s still has frames from before the release; at 16 s it has none
    timeline.play(risk(12, 8))
    assert timeline.all(TakedownRequested) == []
    timeline.play(risk(16, 8))
    assert len(timeline.all(TakedownRequested)) == 1
    assert timeline.all(EscalationRaised)[-1].change == "reopened"


@pytest.mark.parametrize("first", [0, 1, 8])
def test_a_release_is_of_the_stream_and_a_restart_does_not_end_it(first: int) -> None:
    timeline = taken_down()
    timeline.play(order(20, "release"), risk(50, first, session=LATER))
    assert timeline.state(session=LATER) is State.RELEASED
    timeline.play(risk(60, 8, session=LATER))
    assert timeline.state(session=LATER) is State.RELEASED
    assert len(timeline.all(TakedownRequested)) == 1


def test_a_suppression_lasts_as_long_as_ordered_and_no_longer() -> None:
    timeline = Timeline()
    timeline.tick(0)
    timeline.play(order(1, "suppress", until=100), risk(10, 8), risk(90, 0, known=1))
    assert timeline.all(TakedownRequested) == []
    assert timeline.state() is State.SUPPRESSED
    timeline.tick(100)
    timeline.play(risk(101, 8))
    assert len(timeline.all(TakedownRequested)) == 1


def test_resuming_ends_a_suppression() -> None:
    timeline = Timeline()
    timeline.play(order(1, "suppress", until=100), order(2, "resume"), risk(10, 8))
    assert len(timeline.all(TakedownRequested)) == 1


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (order(1, "suppress"), Refusal.NO_TIME_LIMIT),
        (order(2, "suppress", until=1), Refusal.EXPIRED),
        (order(1, "release"), Refusal.NOTHING_OPEN),
        (order(1, "acknowledge"), Refusal.NOTHING_OPEN),
        (order(1, "assign", assignee="tui"), Refusal.NOTHING_OPEN),
        (order(1, "escalate"), Refusal.NOTHING_OPEN),
        (order(1, "resume"), Refusal.NOT_SUPPRESSED),
        (order(1, "dance"), Refusal.UNKNOWN_COMMAND),
        (order(1, "takedown", reason=" "), Refusal.NO_REASON),
        (order(1, "takedown", operator=""), Refusal.NO_REASON),
        (order(1, "hold-takedowns", scope="all"), Refusal.NO_TIME_LIMIT),
        (order(1, "hold-takedowns", scope="mars", until=9), Refusal.UNKNOWN_SCOPE),
        (order(1, "release", scope="all"), Refusal.UNKNOWN_COMMAND),
    ],
)
def test_an_order_that_can_not_be_carried_out_is_answered_with_the_reason(
    command: object, refusal: Refusal
) -> None:
    timeline = Timeline()
    (answer,) = timeline.play(command)  # type: ignore[arg-type]  # orders all
    assert isinstance(answer, CommandAnswered)
    assert (answer.applied, answer.refusal) == (False, refusal)
    assert timeline.decisions.sessions == {}


def test_a_person_can_take_down_what_the_machine_sees_nothing_in() -> None:
    timeline = Timeline()
    timeline.play(order(1, "takedown"))
    (takedown,) = timeline.all(TakedownRequested)
    assert (takedown.rule, takedown.operator) == ("operator-takedown", "operator-7")
    (answer,) = timeline.all(CommandAnswered)
    assert (answer.state_before, answer.state_after) == ("clear", "takedown-requested")
    # It is in hand: nobody is reminded.
    assert timeline.all(EscalationRaised)[0].answer_by == 0


def test_an_order_that_is_sent_twice_is_carried_out_and_answered_once() -> None:
    timeline = Timeline()
    timeline.play(risk(2, 3), order(5, "release"), order(5, "release"))
    assert len(timeline.all(CommandAnswered)) == 1


def test_a_verdict_of_true_takes_down_and_closes_once_the_stop_is_confirmed() -> None:
    timeline = Timeline()
    timeline.play(risk(2, 3), order(5, "verdict-true"))
    assert timeline.state() is State.TAKEDOWN_REQUESTED
    (referral,) = timeline.all(ReferralPrepared)
    assert referral.operator == "operator-7"
    assert timeline.all(IncidentClosed) == []
    timeline.acknowledge(7)
    assert timeline.all(IncidentClosed)[0].outcome == "confirmed"


# Incidents.


def test_an_escalation_that_nobody_answers_is_raised_again_more_widely_and_not_for_ever() -> None:
    timeline = Timeline()
    timeline.tick(0)
    timeline.play(risk(2, 3))
    for minute in range(1, 61):
        timeline.tick(minute * MINUTE)
    first, *repeated = timeline.all(EscalationRaised)
    assert first.routes == ["human-review", "on-call"]
    assert [it.change for it in repeated] == ["repeated"] * 3
    assert all("duty-manager" in it.routes for it in repeated)
    assert repeated[-1].answer_by == 0
    assert len({it.escalation_id for it in timeline.all(EscalationRaised)}) == 4


def test_an_acknowledged_incident_is_not_raised_again() -> None:
    timeline = Timeline()
    timeline.tick(0)
    timeline.play(risk(2, 3), order(60, "acknowledge"))
    timeline.tick(30 * MINUTE)
    assert len(timeline.all(EscalationRaised)) == 1


def test_an_incident_that_nobody_ever_answers_is_closed_as_unanswered_and_forgotten() -> None:
    timeline = Timeline()
    timeline.tick(0)
    timeline.play(update(0, "started"), risk(2, 3), update(60, "ended"))
    for day in range(1, 9):
        timeline.tick(day * 24 * 60 * MINUTE)
    assert timeline.all(IncidentClosed)[0].outcome == "unanswered"
    assert timeline.decisions.sessions == {}


def test_what_is_settled_is_forgotten_after_a_day() -> None:
    timeline = taken_down()
    timeline.acknowledge(12)
    timeline.play(order(20, "verdict-true"), update(30, "ended"))
    timeline.tick(60)
    assert timeline.decisions.sessions
    timeline.tick(25 * 60 * MINUTE)
    assert timeline.decisions.sessions == {}


# The breaker and the kill switch.


def test_when_takedowns_pass_the_budget_further_ones_are_escalated_and_say_why() -> None:
    timeline = Timeline()
    timeline.tick(0)
    for number in range(8):
        timeline.play(risk(10 + number, 8, stream=f"stream-{number}"))
    assert len(timeline.all(TakedownRequested)) == timeline.policies.live.breaker.takedowns == 5
    assert len(timeline.all(EscalationRaised)) == 8
    assert "Not taken down by itself" in timeline.all(EscalationRaised)[-1].explanation
    assert timeline.refusals.count(Refusal.HELD_BACK) == 3


def test_once_an_operator_closes_the_breaker_what_is_still_at_risk_is_taken_down() -> None:
    timeline = Timeline()
    timeline.tick(0)
    for number in range(6):
        timeline.play(risk(10 + number, 8, stream=f"stream-{number}"))
    timeline.play(order(30, "close-breaker", scope="all"), risk(31, 8, stream="stream-5"))
    assert timeline.all(TakedownRequested)[-1].stream_id == "stream-5"


def test_a_kill_switch_holds_its_region_only_and_expires_by_itself() -> None:
    timeline = Timeline()
    timeline.tick(0)
    timeline.play(order(1, "hold-takedowns", scope="region:NZ", until=300))
    for name, region in (("here", "NZ"), ("there", "DE")):
        timeline.play(update(2, "started", stream=name, region=region), risk(10, 8, stream=name))
    assert [it.stream_id for it in timeline.all(TakedownRequested)] == ["there"]
    timeline.acknowledge(11)
    timeline.tick(301)
    timeline.play(risk(302, 8, stream="here"))
    assert [it.stream_id for it in timeline.all(TakedownRequested)] == ["there", "here"]


# Unwatched streams.


def test_a_live_stream_whose_frames_stop_being_judged_is_told_once_and_when_they_are_again() -> (
    None
):
    timeline = Timeline()
    timeline.tick(0)
    timeline.play(update(0, "started", viewers=9))
    timeline.tick(5, (STREAM, SESSION, 5))
    for second in range(6, 60):
        timeline.tick(second)
    (notice,) = timeline.all(StreamUnwatched)
    assert (notice.reason, notice.since, notice.noticed_at) == ("frames-stopped", at(5), at(20))
    timeline.tick(60, (STREAM, SESSION, 60))
    assert timeline.all(StreamUnwatched)[-1].watched_again


def test_a_stream_none_of_whose_frames_is_ever_judged_is_unwatched() -> None:
    timeline = Timeline()
    timeline.tick(0)
    timeline.play(update(1, "started"))
    timeline.tick(20)
    assert timeline.all(StreamUnwatched)[0].reason == "never-judged"


def test_frames_that_are_judged_too_late_leave_a_stream_unwatched() -> None:
    timeline = Timeline()
    timeline.tick(0)
    timeline.play(update(0, "started"))
    for second in range(5, 60, 5):
        timeline.tick(second, (STREAM, SESSION, second / 5))
    assert timeline.all(StreamUnwatched)[0].reason == "lagging"


@pytest.mark.parametrize("how", ["ended", "never said to live", "stopped"])
def test_silence_is_no_event_where_no_frames_are_expected(how: str) -> None:
    timeline = Timeline()
    timeline.tick(0)
    if how == "ended":
        timeline.play(update(0, "started"), update(5, "ended"))
    elif how == "stopped":
        timeline.play(update(0, "started"), risk(5, 8))
        timeline.acknowledge(6)
    timeline.tick(5, (STREAM, SESSION, 5))
    for second in range(6, 120):
        timeline.tick(second)
    assert timeline.all(StreamUnwatched) == []


def test_the_drill_mark_comes_out_at_every_effect() -> None:
    timeline = Timeline()
    timeline.play(risk(2, 3, drill=True), risk(10, 8, drill=True), order(12, "release"))
    drills = [it.drill for it in timeline.effects if hasattr(it, "drill")]
    assert len(drills) >= 6
    assert all(drills)
    timeline.play(risk(60, 0, known=1, drill=False))
    assert timeline.all(TakedownRequested)[-1].drill is False
