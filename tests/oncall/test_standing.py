"""How a stream stands: decisions, answers, people's orders and restarts."""

from __future__ import annotations

import pytest

from agents.oncall.rows import Ordered
from agents.oncall.standing import SILENT, StreamState, Unwatched
from schemas import Event, SignalSummary
from tests.builders import SECOND, START, risk_assessed, window

from .events import (
    NOW,
    acknowledged,
    answered,
    boost_requested,
    commanded,
    escalation_raised,
    heard,
    incident_closed,
    reversed_decision,
    stream_updated,
    takedown_requested,
    unwatched,
)
from .folding import LATE, only_row, told

LATER = START + SECOND
LATEST = START + 2 * SECOND
HOUR = 3600 * SECOND


def seen(hits: int = 1, **given: object) -> Event:
    return risk_assessed(window(10.0, hits), **given)


def signalled(signal: str) -> Event:
    return risk_assessed(window(10.0, 0, signals=[SignalSummary(signal, hits=1, on=1, mean=0.9)]))


def ended(**given: object) -> Event:
    return stream_updated("ended", updated_at=START + 9 * SECOND, **given)


def released(**given: object) -> Event:
    return answered("release", answered_at=LATER, **given)


def suppressed(**given: object) -> Event:
    return answered("suppress", state_after="suppressed", answered_at=LATER, **given)


CASES: dict[str, tuple[list[Event], StreamState]] = {
    "started": ([stream_updated()], StreamState.CLEAR),
    "no frame shows anything": ([seen(0)], StreamState.CLEAR),
    "a frame shows a firearm": ([seen()], StreamState.WATCHING),
    "a frame is known content": ([signalled("known_content")], StreamState.WATCHING),
    "a frame shows a game": ([signalled("fictional")], StreamState.CLEAR),
    "the last frames show nothing": ([seen(), seen(0, assessed_at=LATER)], StreamState.CLEAR),
    "sampled faster": ([boost_requested(until=NOW + 1)], StreamState.WATCHING),
    "no longer sampled faster": ([boost_requested(until=NOW)], StreamState.CLEAR),
    "escalated": ([seen(), escalation_raised()], StreamState.ESCALATED),
    "to be taken down": (
        [escalation_raised(), takedown_requested()],
        StreamState.TAKEDOWN_REQUESTED,
    ),
    "escalated besides": (
        [takedown_requested(), escalation_raised(raised_at=LATER)],
        StreamState.TAKEDOWN_REQUESTED,
    ),
    "stopped": ([takedown_requested(), acknowledged()], StreamState.STOPPED),
    "stopped, and heard of once more": (
        [takedown_requested(), acknowledged(), seen(assessed_at=LATER)],
        StreamState.STOPPED,
    ),
    "not stopped": (
        [takedown_requested(), acknowledged(outcome="failed")],
        StreamState.TAKEDOWN_REQUESTED,
    ),
    "stopped at the second try": (
        [
            takedown_requested(),
            acknowledged(outcome="failed"),
            acknowledged(acknowledged_at=LATER),
        ],
        StreamState.STOPPED,
    ),
    "stopped once and to be stopped again": (
        [
            takedown_requested(),
            acknowledged(),
            takedown_requested(takedown_id="t-2", requested_at=LATER),
        ],
        StreamState.TAKEDOWN_REQUESTED,
    ),
    "taken back": (
        [takedown_requested(), reversed_decision(reversed_at=LATER)],
        StreamState.RELEASED,
    ),
    "released": ([escalation_raised(), released()], StreamState.RELEASED),
    "released in vain": (
        [escalation_raised(), released(applied=False, refusal="no-reason")],
        StreamState.ESCALATED,
    ),
    "released, and graver since": (
        [escalation_raised(), released(), escalation_raised(escalation_id="e-2", raised_at=LATEST)],
        StreamState.ESCALATED,
    ),
    "suppressed": ([takedown_requested(), suppressed()], StreamState.SUPPRESSED),
    "suppressed, which took a takedown back": (
        [takedown_requested(), suppressed(), reversed_decision(reversed_at=LATEST)],
        StreamState.SUPPRESSED,
    ),
    "suppressed no more": (
        [
            takedown_requested(),
            commanded("suppress", until=NOW),
            suppressed(),
        ],
        StreamState.CLEAR,
    ),
    "resumed": (
        [
            takedown_requested(),
            released(),
            answered(
                "resume",
                command_id="command-2",
                state_before="released",
                state_after="clear",
                answered_at=LATEST,
            ),
        ],
        StreamState.CLEAR,
    ),
    "acknowledged": (
        [escalation_raised(), answered("acknowledge", state_after="escalated")],
        StreamState.ESCALATED,
    ),
    "answered by nobody": (
        [escalation_raised(), incident_closed(closed_at=LATER)],
        StreamState.CLEAR,
    ),
    "confirmed and closed": (
        [takedown_requested(), acknowledged(), incident_closed(outcome="confirmed")],
        StreamState.STOPPED,
    ),
    "ended": ([seen(), ended()], StreamState.ENDED),
    "escalated and ended": ([escalation_raised(), ended()], StreamState.ESCALATED),
    "stopped and ended": ([takedown_requested(), acknowledged(), ended()], StreamState.STOPPED),
}


@pytest.mark.parametrize(("events", "state"), CASES.values(), ids=CASES.keys())
def test_a_stream_stands_as_was_last_said(events: list[Event], state: StreamState) -> None:
    """In whatever order it is read."""
    assert only_row(*events).state is state
    assert only_row(*reversed(events)).state is state


def test_what_is_newer_goes_by_kafkas_clock_where_clocks_differ() -> None:
    """A shard's clock an hour ahead does not outdate a person's word, nor one an hour behind."""
    for shard in (START + HOUR, START - HOUR):
        requested = (takedown_requested(requested_at=shard), START)
        assert only_row(requested, (released(), LATER)).state is StreamState.RELEASED
        again = takedown_requested(requested_at=shard, takedown_id="t-2")
        row = only_row(requested, (released(), LATER), (again, LATEST))
        assert row.state is StreamState.TAKEDOWN_REQUESTED


def test_a_takedown_that_is_asked_for_again_is_no_new_one() -> None:
    """Word for word the same, it counts once, and as of the first time."""
    events = [(takedown_requested(), START), (released(), LATER), (takedown_requested(), LATEST)]

    model = told(events)

    assert model.rows(NOW)[0].state is StreamState.RELEASED
    assert model.counters().takedowns == 1


@pytest.mark.parametrize("state", [StreamState.RELEASED, StreamState.SUPPRESSED])
def test_a_restart_does_not_end_a_persons_word(state: StreamState) -> None:
    """As the decision has it. What was decided of the session before is past."""
    word = answered(state_after=str(state), answered_at=LATER)
    restart = stream_updated(session_id="session-2", updated_at=LATEST)

    row = only_row(takedown_requested(), word, restart)

    assert (row.session_id, row.state, row.decision) == ("session-2", state, None)
    assert row.order == Ordered("kea", "a film set", None)


def test_however_many_restarts_do_not_end_a_persons_word() -> None:
    """Streams over bad networks restart all day."""
    restarts = [
        stream_updated(session_id=f"session-{n}", updated_at=START + n * SECOND)
        for n in range(2, 20)
    ]

    row = only_row(stream_updated(), suppressed(), *restarts)

    assert (row.session_id, row.state) == ("session-19", StreamState.SUPPRESSED)


def test_a_word_that_was_outdated_before_the_restart_is_not_carried_on() -> None:
    graver = escalation_raised(raised_at=LATEST)
    restart = stream_updated(session_id="session-2", updated_at=START + 3 * SECOND)

    assert only_row(released(), graver, restart).state is StreamState.CLEAR


def test_new_evidence_after_a_restart_outdates_a_persons_word() -> None:
    who = {"session_id": "session-2"}
    events = [
        released(),
        stream_updated(updated_at=LATEST, **who),
        escalation_raised(raised_at=START + 3 * SECOND, **who),
    ]

    assert only_row(*events).state is StreamState.ESCALATED


def test_an_order_about_a_scope_is_no_streams() -> None:
    assert told([answered("lift-hold", stream_id="", session_id="", scope="all")]).rows(NOW) == []


def test_a_notice_says_that_a_stream_is_unwatched_until_it_is_taken_back() -> None:
    """Since when, why and before how many viewers; an end ends that too."""
    lost = unwatched(reason="lagging", since=START)
    again = unwatched(notice_id="u-2", watched_again=True, noticed_at=LATER)

    assert only_row(stream_updated(), lost).unwatched == Unwatched("lagging", START, 40)
    assert only_row(stream_updated(), lost, again).unwatched is None
    assert only_row(stream_updated(), lost, ended()).unwatched is None


def test_of_a_stream_that_began_anew_the_notice_is_past() -> None:
    restart = stream_updated(session_id="session-2", updated_at=LATER)

    assert only_row(stream_updated(), unwatched(), restart).unwatched is None


def test_a_stream_that_nobody_judges_shows_though_nobody_says_so() -> None:
    """The judgement itself may be gone. By Kafka's clock: the shard's may be wrong."""
    frame = heard(captured_at=START - HOUR)
    for event in (frame, stream_updated()):
        assert only_row(event, now=START + LATE, late_after=LATE).unwatched is None
        row = only_row(event, now=START + LATE + 1, late_after=LATE)
        assert row.unwatched == Unwatched(SILENT, START)


def test_of_a_stream_that_is_stopped_no_frames_are_expected() -> None:
    row = only_row(stream_updated(), takedown_requested(), now=START + HOUR, late_after=LATE)

    assert row.unwatched is None


def test_a_stream_that_is_stopped_is_unwatched_no_more() -> None:
    """Nobody takes the notice back, as no frame of it is judged again."""
    lost: list[Event] = [stream_updated(), unwatched(), takedown_requested()]

    assert only_row(*lost).unwatched is not None
    assert only_row(*lost, acknowledged()).unwatched is None


def test_a_stream_of_which_only_decisions_are_known_is_not_called_live() -> None:
    """Its frames may be too old to have been read. That it ended is not known either."""
    row = only_row(escalation_raised())

    assert (row.state, row.live, row.ended) == (StreamState.ESCALATED, False, False)
