"""Which incidents are open, as a list for people."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from schemas import EscalationRaised
from tests.builders import SECOND, START
from topology.incident.listing import open_incidents

from .incidents import Story

ONE, TWO, THREE = Story("stream-1"), Story("stream-2"), Story("stream-3")
RAISED = [
    ONE.escalation(severity="high"),
    ONE.escalation(
        escalation_id="again", severity="elevated", raised_at=START + 9 * SECOND, change="repeated"
    ),
    TWO.escalation(severity="critical", raised_at=START + 20 * SECOND),
    THREE.escalation(severity="high", raised_at=START),
]


def test_the_gravest_is_first_and_of_equals_the_oldest() -> None:
    found = open_incidents(RAISED, [])

    assert [each.stream_id for each in found] == ["stream-2", "stream-3", "stream-1"]
    assert (found[2].times, found[2].severity) == (2, "high")
    assert (found[2].opened_at, found[2].raised_at) == (START + 4 * SECOND, START + 9 * SECOND)


@given(st.permutations(range(4)))
def test_the_order_in_which_events_come_changes_nothing(order: Sequence[int]) -> None:
    assert open_incidents([RAISED[n] for n in order], []) == open_incidents(RAISED, [])


def test_an_escalation_that_was_written_twice_counts_once() -> None:
    (found,) = open_incidents([RAISED[3], RAISED[3]], [])

    assert found.times == 1


def test_a_closed_incident_is_listed_again_once_it_is_raised_anew() -> None:
    """``START + 4`` raised, ``START + 10`` closed, ``START + 20`` reopened."""
    raised = [ONE.escalation()]
    closed = [ONE.closure(closed_at=START + 10 * SECOND)]
    reopened = ONE.escalation(
        escalation_id="reopened", change="reopened", raised_at=START + 20 * SECOND
    )

    assert open_incidents(raised, closed) == []
    assert [each.times for each in open_incidents([*raised, reopened], closed)] == [2]


def test_an_incident_counts_as_a_drill_only_if_all_of_it_is_one() -> None:
    drill: list[EscalationRaised] = [ONE.escalation(drill=True)]

    assert open_incidents(drill, [])[0].drill
    real = ONE.escalation(escalation_id="real", raised_at=START + 9 * SECOND)
    assert not open_incidents([*drill, real], [])[0].drill


def test_a_severity_of_another_version_is_listed_first() -> None:
    """Somebody has to look; it must not be lost at the end."""
    found = open_incidents([*RAISED, Story("stream-4").escalation(severity="catastrophic")], [])

    assert found[0].severity == "catastrophic"
