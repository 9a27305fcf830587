"""What is told of the decision that stands, and of a person's word on it."""

from __future__ import annotations

import pytest

from agents.oncall.rows import Ordered
from agents.oncall.trend import Direction
from schemas import Event
from tests.builders import SECOND, START, risk_assessed

from .events import (
    NOW,
    acknowledged,
    answered,
    commanded,
    escalation_raised,
    incident_closed,
    stream_updated,
    takedown_requested,
)
from .folding import only_row

LATER = START + SECOND
LATEST = START + 2 * SECOND
HOUR = 3600 * SECOND


def suppressed() -> Event:
    return answered("suppress", state_after="suppressed", answered_at=LATER)


def test_a_takedown_is_told_with_what_came_of_it() -> None:
    """Who ordered it, what the service said, what was raised since, who has it in hand."""
    unconfirmed = escalation_raised(
        escalation_id="e-2",
        raised_at=LATER,
        change="updated",
        severity="critical",
        explanation="nobody confirmed the stop",
        cause_id="due-1",
    )
    row = only_row(
        escalation_raised(),
        takedown_requested(operator="kea"),
        acknowledged(outcome="failed", detail="no such stream"),
        unconfirmed,
        answered("acknowledge", state_after="takedown-requested", answered_at=LATEST),
    )

    assert (told_of := row.decision) is not None
    assert (told_of.rule, told_of.ordered_by, told_of.severity) == ("sustained", "kea", "critical")
    assert (told_of.answer, told_of.answer_detail) == ("failed", "no such stream")
    assert told_of.answer_service == "takedowns"
    assert (told_of.news, told_of.held_by) == ("nobody confirmed the stop", "kea")


def test_what_is_raised_with_a_takedown_is_no_news() -> None:
    row = only_row(takedown_requested(), (escalation_raised(), LATER))

    assert row.decision is not None
    assert row.decision.news == ""


def unconfirmed() -> Event:
    return escalation_raised(
        escalation_id="e-2",
        raised_at=LATER,
        change="updated",
        explanation="nobody confirmed the stop",
        cause_id="due-1",
    )


@pytest.mark.parametrize(
    "end", [acknowledged(acknowledged_at=LATEST), answered(answered_at=LATEST)]
)
def test_that_nobody_confirmed_a_stop_is_no_news_once_it_is_over(end: Event) -> None:
    """Stopped after all, or let go on by a person."""
    before = only_row(takedown_requested(), unconfirmed()).decision
    after = only_row(takedown_requested(), unconfirmed(), end).decision

    assert before is not None
    assert after is not None
    assert (before.news, after.news) == ("nobody confirmed the stop", "")


def test_that_nobody_answered_is_no_news_once_somebody_did() -> None:
    repeated = escalation_raised(
        escalation_id="e-2", raised_at=LATER, change="repeated", cause_id="due-1"
    )
    in_hand = answered("acknowledge", state_after="escalated", answered_at=LATEST)

    row = only_row(escalation_raised(), repeated, in_hand)

    assert row.decision is not None
    assert (row.decision.news, row.decision.held_by) == ("", "kea")


def test_an_escalation_that_is_repeated_keeps_its_reason() -> None:
    """That nobody answered is told besides, and not instead."""
    repeated = escalation_raised(
        escalation_id="e-2",
        raised_at=LATER,
        change="repeated",
        rule="unanswered",
        explanation="nobody answered",
        cause_id="due-1",
    )

    row = only_row(escalation_raised(), repeated)

    assert row.decision is not None
    assert (row.decision.rule, row.decision.news) == ("sustained", "nobody answered")


def test_what_was_said_of_an_earlier_decision_is_not_said_of_a_later_one() -> None:
    """An incident that was reopened is in nobody's hand, and not closed."""
    row = only_row(
        escalation_raised(),
        answered("acknowledge", state_after="escalated", answered_at=LATER),
        incident_closed(outcome="confirmed", closed_at=LATER),
        escalation_raised(escalation_id="e-2", change="reopened", raised_at=LATEST),
    )

    assert row.decision is not None
    assert (row.decision.held_by, row.decision.closed) == ("", "")


def test_a_persons_word_is_told_with_the_person_and_the_reason() -> None:
    """And until when, as far as it is known: the policy may allow less than was ordered."""
    row = only_row(takedown_requested(), commanded("suppress", until=NOW + HOUR), suppressed())

    assert row.order == Ordered("kea", "a film set", NOW + HOUR)
    assert row.decision is not None
    assert row.decision.rule == "sustained"


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([], (0.6, Direction.RISING)),
        ([stream_updated("ended", updated_at=LATEST)], (None, None)),
        ([takedown_requested()], (0.6, Direction.RISING)),
        ([takedown_requested(), acknowledged()], (None, None)),
    ],
)
def test_where_the_risk_goes_is_told_while_it_goes_anywhere(
    after: list[Event], expected: tuple[float | None, Direction | None]
) -> None:
    """Not once the stream was stopped, or has ended; the line that it took stays."""
    risks = [
        risk_assessed(risk_id=f"r-{at}", risk=at / 10, assessed_at=START + at * 4 * SECOND)
        for at in (2, 5, 8)
    ]
    row = only_row(stream_updated(), *risks, *after)
    assert (row.change and round(row.change, 2), row.direction) == expected
    assert [it for it in row.trend if it is not None] == pytest.approx([0.2, 0.5, 0.8], abs=0.004)
