"""The referral: what the police would need to know, and what nobody knows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas import Event
from tests.builders import SECOND, START, frame_sampled
from topology.incident.evidence import Frame, cited, files_of
from topology.incident.referral import referral

from .incidents import Story, frame_ref, record

STORY = Story(evidence=[frame_ref(3), frame_ref(9)])


def evidence(*events: Event, kept: bool = True) -> tuple[Frame, ...]:
    wanted = cited(record(*events))
    found = {each.coordinates: frame_sampled() if kept else "no longer kept" for each in wanted}
    return files_of(wanted, found)[0]


def referred(*events: Event, kept: bool = True) -> dict[str, Any]:
    body: dict[str, Any] = referral(record(*events), evidence(*events, kept=kept))
    return body


def unknown(*events: Event, kept: bool = True) -> str:
    return " ".join(referred(*events, kept=kept)["not_known"])


def test_a_referral_says_what_when_where_which_stream_and_by_which_versions() -> None:
    body = json.loads(json.dumps(referred(*STORY.whole())))

    assert [prepared["recipient"] for prepared in body["prepared"]] == ["nz-police"]
    assert body["reasons"] == ["sustained-firearm: 18 of 20 frames within 10 s"]
    assert [(each["what"], each["time"][11:19]) for each in body["when"]][:5] == [
        ("the stream started", "22:13:20"),
        ("first frame of the evidence", "22:13:21"),
        ("last frame of the evidence", "22:13:24"),
        ("first put before people", "22:13:24"),
        ("first asked to be stopped", "22:13:24"),
    ]
    assert body["where"]["region"] == "NZ"
    assert body["stream"]["account_id"] == "account-9"
    assert body["stream"]["most_viewers"] == 17
    assert body["takedowns"][0]["stopped"] == "2023-11-14T22:13:26.000Z"
    assert [frame["file"] for frame in body["evidence"]] == [
        "evidence/frame-0001.jpg",
        "evidence/frame-0002.jpg",
    ]
    assert body["policies"] == [{"policy": "default/3", "digest": "c" * 64}]
    assert body["certainty"]["at_its_surest"]["risk"] == 0.97
    assert body["certainty"]["at_its_surest"]["signals"] == [["firearm", 9.5]]


def test_the_region_is_not_passed_off_as_the_place() -> None:
    assert "not the place" in referred(*STORY.whole())["where"]["statement"]


def test_where_nobody_had_it_referred_it_is_prepared_for_nobody() -> None:
    assert referred(STORY.risk(), STORY.escalation())["prepared"] == []


@pytest.mark.parametrize(
    ("events", "people"),
    [
        ([STORY.answer()], ["reviewer-4"]),
        ([], []),
        ([STORY.answer(applied=False, refusal="nothing-open")], []),
        ([STORY.answer(command="acknowledge")], []),
        (
            [
                STORY.answer(),
                STORY.answer(1, command="verdict-false", answered_at=START + 99 * SECOND),
            ],
            [],
        ),
        ([STORY.referral(operator="reviewer-6")], ["reviewer-6"]),
    ],
    ids=["confirmed", "nobody", "refused", "only-seen", "contradicted-since", "referred-by-hand"],
)
def test_who_confirmed_it_is_named_unless_contradicted_since(
    events: list[Event], people: list[str]
) -> None:
    body = referred(STORY.escalation(), *events)

    assert body["confirmed_by"] == people
    told = any("no person has confirmed it" in each for each in body["not_known"])
    assert told == (not people)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([STORY.takedown(account_id="")], "Under which account"),
        ([STORY.escalation(region="")], "Which region"),
        ([STORY.escalation()], "nobody asked for it to be stopped"),
        ([STORY.takedown()], "no service has confirmed it"),
        (
            [STORY.takedown(), STORY.acknowledgement(outcome="failed")],
            "no service has confirmed it",
        ),
        ([STORY.takedown(drill=True), STORY.escalation()], "Whether it is a drill"),
        ([STORY.takedown(), STORY.takedown(session_id="session-2")], "it spans several"),
    ],
)
def test_what_is_not_on_record_is_said_not_to_be_known(events: list[Event], said: str) -> None:
    """Of each, a whole record says nothing."""
    assert said in unknown(*events)
    assert said not in unknown(*STORY.whole())


def test_an_answer_to_another_takedown_does_not_confirm_this_one() -> None:
    other = STORY.acknowledgement(takedown_id="another")

    assert "no service has confirmed it" in unknown(STORY.takedown(), other)


def test_frames_that_are_gone_are_counted_among_what_is_not_known() -> None:
    assert "What 2 of 2 frames of evidence showed" in unknown(*STORY.whole(), kept=False)
    assert "gone" not in unknown(*STORY.whole())


def test_without_an_assessment_the_risk_is_the_decision_s() -> None:
    """Assessments are kept for days and decisions for a year."""
    body = referred(STORY.escalation(risk=0.8), STORY.escalation(escalation_id="e2", risk=0.9))

    assert body["certainty"]["at_its_surest"]["risk"] == 0.9
