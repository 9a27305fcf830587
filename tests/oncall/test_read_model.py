"""What on-call people are told of streams, whatever the order in which it was heard."""

from __future__ import annotations

from typing import Any

import pytest

from agents.oncall.bounds import ID_CHARACTERS, TEXT_CHARACTERS
from agents.oncall.read_model import ReadModel
from agents.oncall.standing import StreamState
from schemas import Event
from tests.builders import SECOND, START, risk_assessed, window

from .events import (
    NOW,
    acknowledged,
    alert_raised,
    answered,
    dead_lettered,
    escalation_raised,
    heard,
    incident_closed,
    stream_updated,
    takedown_requested,
    unwatched,
)
from .folding import only_row, told

HOUR = 3600 * SECOND


def seen(**given: object) -> Event:
    return risk_assessed(window(10.0, 1), **given)


def ended(**given: object) -> Event:
    return stream_updated("ended", updated_at=START + 9 * SECOND, **given)


def test_each_streams_frames_are_counted_and_the_newest_kept() -> None:
    """Of those that were told since they were told of last."""
    events = [
        heard(2, captured_at=START + SECOND, appended_at=START + SECOND),
        heard(1, stream_id="stream-2", appended_at=START + SECOND // 2, partition=1),
        heard(3, heard_at=START + 5 * SECOND, captured_at=START - SECOND),
    ]

    one, two = sorted(told(events).rows(START + 2 * SECOND), key=lambda row: row.stream_id)

    assert (one.frames, one.newest_captured_at, one.frame_age) == (5, START + SECOND, 1.0)
    assert (two.frames, two.frame_age) == (1, 1.5)
    assert told(events).counters().frames_judged == 6


def test_what_is_told_again_counts_once() -> None:
    """A worker that takes over tells of the same second again, and of no frames."""
    row = only_row(heard(2), heard(2), heard(0))

    assert row.frames == 2


def test_the_bundle_is_that_of_the_newest_risk() -> None:
    """The first frame of each session tells one."""
    late = risk_assessed(assessed_at=START - SECOND, bundle="old/1")

    assert only_row(risk_assessed(bundle="b/2"), late).bundle == "b/2"


def test_an_older_assessment_does_not_bring_its_risk_back() -> None:
    """Risk follows event time, not the order of reading."""
    newer = risk_assessed(risk=0.1, assessed_at=START + SECOND)

    assert only_row(newer, risk_assessed(risk=0.9)).risk == 0.1


def test_a_new_session_starts_over_and_the_old_one_stays_past() -> None:
    """A restarted stream carries neither decision nor frames of before, and keeps dead letters."""
    before: list[Event] = [heard(), takedown_requested(), dead_lettered()]
    restart = stream_updated(session_id="session-2", updated_at=START + 20 * SECOND)
    belated = stream_updated("ended", updated_at=START + 30 * SECOND)

    row = only_row(*before, restart, belated, escalation_raised(raised_at=START + 40 * SECOND))

    assert (row.session_id, row.state, row.live) == ("session-2", StreamState.CLEAR, True)
    assert (row.frames, row.decision, row.dead_letters) == (0, None, 1)


def test_a_stream_is_a_drill_only_while_everything_says_so() -> None:
    """One real frame among drill frames makes the stream real to those who watch."""
    drill = risk_assessed(drill=True)
    real = risk_assessed(assessed_at=START + SECOND)

    assert only_row(drill).drill
    assert not only_row(drill, real).drill


def test_a_stream_of_which_only_dead_letters_are_known_is_shown() -> None:
    """A stream that nobody could read is a stream that nobody watches."""
    row = only_row(dead_lettered(), dead_lettered(dead_letter_id="d-2"))

    assert (row.dead_letters, row.session_id, row.drill, row.frame_age) == (2, "", False, None)


def test_dead_letters_are_counted_by_cause_with_the_stream_or_without() -> None:
    """A record that named no stream still counts."""
    model = told(
        [dead_lettered(), dead_lettered(dead_letter_id="d-2", stream_id="", cause="other")]
    )

    assert model.counters().dead_letters == {"undecodable-payload": 1, "other": 1}
    assert len(model) == 1


def test_unwatched_streams_come_first_then_the_gravest_and_the_limit_cuts_the_rest() -> None:
    """State before risk, live before ended, risk before name."""
    events: list[Event] = [
        risk_assessed(stream_id="calm", risk=0.1),
        risk_assessed(window(10.0, 1), stream_id="watched", risk=0.4),
        risk_assessed(window(10.0, 1), stream_id="watched-more", risk=0.5),
        stream_updated(stream_id="lost"),
        unwatched(stream_id="lost"),
        stream_updated("ended", stream_id="gone"),
        escalation_raised(stream_id="escalated", escalation_id="e-2"),
        takedown_requested(stream_id="requested-and-gone", takedown_id="t-2"),
        ended(stream_id="requested-and-gone"),
        stream_updated(stream_id="requested"),
        takedown_requested(stream_id="requested"),
        takedown_requested(stream_id="stopped", takedown_id="t-3"),
        acknowledged(stream_id="stopped", takedown_id="t-3"),
        answered(stream_id="released", command_id="command-2"),
        answered(stream_id="suppressed", state_after="suppressed"),
        takedown_requested(stream_id="settled", takedown_id="t-4"),
        acknowledged(stream_id="settled", takedown_id="t-4", acknowledgement_id="a-2"),
        incident_closed(stream_id="settled", outcome="confirmed"),
    ]
    names = [row.stream_id for row in told(events).rows(NOW)]

    assert names == [
        "lost", "requested", "requested-and-gone", "escalated", "stopped", "watched-more",
        "watched", "suppressed", "released", "calm", "gone", "settled",
    ]  # fmt: skip
    assert [row.stream_id for row in told(events).rows(NOW, limit=2)] == names[:2]


def test_too_many_streams_cost_the_ended_then_the_longest_unheard_of() -> None:
    """Evictions are counted; a flood of streams costs what is settled, and not what is open."""
    model = ReadModel(max_streams=3)
    model.apply(escalation_raised(stream_id="settled", escalation_id="e-2"), 0)
    model.apply(incident_closed(stream_id="settled"), 0)
    model.apply(escalation_raised(stream_id="escalated"), 0)
    model.apply(stream_updated("ended", stream_id="gone"), 5)
    assert {row.stream_id for row in model.rows(NOW)} == {"settled", "escalated", "gone"}
    model.apply(stream_updated(stream_id="old"), 1)
    model.apply(stream_updated(stream_id="new-1"), 2)
    assert {row.stream_id for row in model.rows(NOW)} == {"escalated", "old", "new-1"}

    model.apply(stream_updated(stream_id="new-2"), 3)

    assert {row.stream_id for row in model.rows(NOW)} == {"escalated", "new-1", "new-2"}
    assert model.counters().evicted == 3


def test_the_session_that_began_last_is_shown_however_many_there_were() -> None:
    """Old sessions are forgotten, and what is said of one again does not bring it back."""
    starts: list[Event] = [
        stream_updated(session_id=f"session-{n}", updated_at=START + n * SECOND) for n in range(9)
    ]
    belated = escalation_raised(session_id="session-1", raised_at=START + HOUR)

    assert only_row(*starts, belated).session_id == "session-8"


def test_a_session_that_goes_on_for_a_while_does_not_come_back() -> None:
    """During a handover two shards send."""
    first = stream_updated(updated_at=START)
    second = stream_updated(session_id="session-2", updated_at=START + SECOND)
    more = heard(appended_at=START + 8 * SECOND)

    assert only_row(first, second, (more, START + 9 * SECOND)).session_id == "session-2"


def test_a_session_that_is_told_of_after_the_next_began_is_still_the_earlier_one() -> None:
    """A worker that takes over tells of all that were judged lately."""
    second = stream_updated(session_id="session-2", updated_at=START + SECOND)

    assert only_row(second, (heard(), START + 9 * SECOND)).session_id == "session-2"


def test_an_ended_session_does_not_come_back_with_a_belated_end() -> None:
    """A session never begins by ending."""
    restart = stream_updated(session_id="session-2", updated_at=START)

    row = only_row(restart, stream_updated("ended", updated_at=START + SECOND))

    assert (row.session_id, row.ended) == ("session-2", False)


@pytest.mark.parametrize("length", [ID_CHARACTERS, ID_CHARACTERS + 1, 100_000])
def test_ids_of_any_length_are_told_apart_in_bounded_space(length: int) -> None:
    """They come from outside, and nothing says how long they are."""
    names = ["x" * length + end for end in "ab"]

    rows = told([stream_updated(stream_id=it, session_id=it) for it in names]).rows(NOW)

    assert len({row.stream_id for row in rows}) == 2
    assert all(len(row.stream_id) <= ID_CHARACTERS for row in rows)
    assert all(len(row.session_id) <= ID_CHARACTERS for row in rows)


def test_everything_said_of_a_stream_with_a_long_id_is_of_the_same_stream() -> None:
    who: dict[str, Any] = {"stream_id": "s" * 1000, "session_id": "t" * 1000}
    row = only_row(heard(**who), seen(**who), takedown_requested(**who), acknowledged(**who))

    assert (row.frames, row.state) == (1, StreamState.STOPPED)


def test_long_words_are_cut_off() -> None:
    row = only_row(escalation_raised(explanation="w" * 100_000))

    assert row.decision is not None
    assert len(row.decision.explanation) == TEXT_CHARACTERS + 1


def test_an_alert_stands_until_its_source_is_mended() -> None:
    """Newest first; each source has one."""
    broken = alert_raised()
    again = alert_raised(alert_id="alert-2", raised_at=START + SECOND, detail="line 3")
    other = alert_raised(alert_id="alert-3", source="lineup.toml")
    mended = alert_raised(alert_id="alert-4", kind="policy-mended", raised_at=START + 2 * SECOND)

    assert told([broken, again, other]).alerts() == [again, other]
    assert told([mended, again, other, broken]).alerts() == [other]
