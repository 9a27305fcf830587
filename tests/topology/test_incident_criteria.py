"""The four criteria: what is known of each, from which record, and never a verdict."""

from __future__ import annotations

import json

import pytest

from schemas import Event, SignalSummary
from tests.builders import window
from topology.incident.criteria import SOURCES, criteria

from .incidents import Story, record

STORY = Story()


def statements(number: int, *events: Event) -> list[str]:
    """What is known of the criterion with that ``number``, from 1."""
    found = criteria(record(*events))["criteria"][number - 1]
    return [known["statement"] for known in found["known"]]


def test_there_are_four_criteria_and_none_is_said_to_be_met() -> None:
    """Whatever the records hold, the JSON says null, and why."""
    for story in (Story(), Story(drill=True)):
        body = json.loads(json.dumps(criteria(record(*story.whole()))))

        assert [criterion["met"] for criterion in body["criteria"]] == [None] * 4
        assert all(criterion["not_known"] for criterion in body["criteria"])
        assert body["assessment"].startswith("None is made")


def test_the_protocol_is_cited_and_said_to_be_retired() -> None:
    body = criteria(record(*STORY.whole()))

    assert body["sources"] == list(SOURCES)
    assert "retired" in body["currency"]


def test_everything_known_names_a_record_that_the_timeline_holds() -> None:
    events = [*STORY.whole(), STORY.risk(1, risk=0.99)]
    ids = {(type(event).__name__, event.id) for event in events}

    for criterion in criteria(record(*events))["criteria"]:
        assert criterion["known"]
        assert {(known["event"], known["id"]) for known in criterion["known"]} <= ids


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (
            1,
            [
                "Operator reviewer-4 said at 2023-11-14T22:13:28.000Z that it is real: "
                "a rifle is aimed at people"
            ],
        ),
        (2, ["The stream was live: started at 2023-11-14T22:13:20.000Z."]),
        (4, ["It was streamed on this platform; the most viewers told of are 17."]),
    ],
)
def test_people_s_words_and_the_platform_s_are_known(number: int, expected: list[str]) -> None:
    assert statements(number, *STORY.whole()) == expected


def test_what_the_model_saw_is_told_by_signal_at_the_highest_risk() -> None:
    seen = statements(3, STORY.risk(0, 0.3), STORY.risk(1, 0.97), STORY.escalation())

    assert seen == [
        "When the risk was highest, the model took 18 of 20 frames within 10 s for a firearm; "
        "mean score 0.71.",
        "When the risk was highest, the model took 1 of 20 frames within 10 s for a game or a "
        "film; mean score 0.06.",
    ]


def test_an_assessment_of_before_there_were_signals_still_tells_of_firearms() -> None:
    windows = [window(3.0, 2, 0.5, frames=6), window(10.0, 4, 0.41, frames=20)]

    (seen,) = statements(3, STORY.risk(windows=windows), STORY.escalation())

    assert "4 of 20 frames within 10 s for a firearm; mean score 0.41" in seen


def test_known_content_bears_on_what_is_shown_and_on_its_spread() -> None:
    known = SignalSummary("known_content", 3, 3, 0.99)
    risk = STORY.risk(windows=[window(10.0, 3, frames=20, signals=[known])])

    for number in (3, 4):
        found = statements(number, risk, STORY.escalation())
        assert any("content known from an earlier attack" in statement for statement in found)


def test_a_verdict_that_was_refused_is_not_known() -> None:
    refused = STORY.answer(applied=False, refusal="nothing-open")

    assert statements(1, STORY.escalation(), refused) == []


def test_a_drill_is_said_to_be_one_where_an_attack_is_asked_for() -> None:
    drill = Story(drill=True)

    assert "drill" in statements(1, drill.escalation())[0]
