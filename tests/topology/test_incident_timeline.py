"""The timeline: every event once, in order, in words; and the frames that decisions point at."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import Event, topics
from tests.builders import SECOND, START, frame_sampled
from topology.incident.evidence import cited, files_of, foreign_topic, mismatch
from topology.incident.records import TOLD, Place, in_order, utc
from topology.incident.telling import tell
from topology.incident.timeline import entries, shown, timeline

from .incidents import SESSION, STREAM, Story, frame_ref, record

STORY = Story(evidence=[frame_ref()])


def test_a_timeline_is_in_order_of_time_and_of_what_follows_from_what() -> None:
    """Of one moment, an escalation comes before the takedown and that before the referral."""
    told = [entry.event for entry in entries(record(*reversed(STORY.whole())))]

    assert told == [type(event).__name__ for event in STORY.whole()]


@given(st.permutations(range(len(STORY.whole()) + 2)))
def test_the_order_in_which_records_are_found_changes_nothing(order: Sequence[int]) -> None:
    """Partitions are read as they come; the same records give the same timeline."""
    events = [*STORY.whole(), STORY.takedown(), STORY.takedown()]
    places = [Place("t", 0, number, START + number * 1000) for number in range(len(events))]
    found = list(zip(events, places, strict=True))

    assert in_order(found[number] for number in order) == in_order(found)


def test_a_takedown_that_is_asked_for_again_is_one_entry_with_both_times() -> None:
    (entry,) = [
        entry
        for entry in entries(record(STORY.takedown(), STORY.risk(), STORY.takedown()))
        if entry.event == "TakedownRequested"
    ]

    assert [place.offset for place in entry.places] == [0, 2]
    assert entry.written_again == (utc(START + 2),)


def test_two_events_with_one_id_that_differ_are_both_told() -> None:
    """One of them is not what it says: an audit must not choose."""
    one, other = STORY.acknowledgement(), STORY.acknowledgement(outcome="failed")

    assert len(entries(record(STORY.takedown(), one, other))) == 3


@pytest.mark.parametrize(
    ("event", "who", "what", "why"),
    [
        (
            STORY.started(),
            "shard shard-1",
            "stream started: 3 viewers; category outdoors; region NZ",
            "",
        ),
        (STORY.started(change="reported"), "a viewer", "reported the stream", ""),
        (
            STORY.started(change="ended", viewers=-1, category="", region=""),
            "shard shard-1",
            "stream ended",
            "",
        ),
        (STORY.risk(), "model lite0/4", "risk 0.970", "18 of 20 frames in 10 s"),
        (
            STORY.boost(),
            "policy default/3",
            "asked for 8 frames a second until 2023-11-14T22:14:20.000Z",
            "firearm-seen: 1 of 2 frames within 10 s",
        ),
        (
            STORY.escalation(),
            "policy default/3",
            "escalation opened, critical, for on-call, human-review, to be answered by "
            "2023-11-14T22:15:24.000Z",
            "sustained-firearm: 18 of 20 frames within 10 s",
        ),
        (
            STORY.escalation(routes=[], answer_by=0, change="repeated"),
            "policy default/3",
            "escalation repeated, critical",
            "sustained-firearm: 18 of 20 frames within 10 s",
        ),
        (
            STORY.takedown(),
            "policy default/3",
            "asked for the stream to be stopped",
            "sustained-firearm: 18 of 20 frames within 10 s",
        ),
        (
            STORY.takedown(operator="reviewer-4", explanation="seen", rule="operator"),
            "operator reviewer-4",
            "asked for the stream to be stopped",
            "operator: seen",
        ),
        (
            STORY.acknowledgement(outcome="failed", detail="no such stream"),
            "takedown service edge-stop",
            "answered the takedown: failed",
            "no such stream",
        ),
        (
            STORY.referral(),
            "policy default/3",
            "prepared a referral to nz-police, which a person has to send",
            "sustained-firearm: 18 of 20 frames within 10 s",
        ),
        (
            STORY.command(command="suppress", until=START),
            "operator reviewer-4",
            "ordered suppress until 2023-11-14T22:13:20.000Z",
            "a rifle is aimed at people",
        ),
        (
            STORY.answer(),
            "decision",
            "verdict-true took effect, stopped to stopped",
            "ordered by reviewer-4: a rifle is aimed at people",
        ),
        (
            STORY.answer(applied=False, refusal="nothing-open"),
            "decision",
            "verdict-true refused",
            "nothing-open",
        ),
        (STORY.reversal(), "operator reviewer-5", "took the takedown back", "a toy"),
        (
            STORY.closure(operator="", outcome="unanswered", reason="7 days"),
            "policy default/3",
            "closed the incident as unanswered",
            "7 days",
        ),
        (
            STORY.unwatched(),
            "decision",
            "unwatched: frames are not judged",
            "frames-stopped since 2023-11-14T22:13:26.000Z",
        ),
        (
            STORY.unwatched(watched_again=True),
            "decision",
            "watched again",
            "frames-stopped since 2023-11-14T22:13:26.000Z",
        ),
    ],
)
def test_an_event_says_who_did_what_and_why(event: Event, who: str, what: str, why: str) -> None:
    told = tell(event)

    assert (told.who, told.what, told.why) == (who, what, why)


def test_every_kind_of_event_in_a_timeline_is_told() -> None:
    events = [*STORY.whole(), STORY.reversal()]

    assert {type(event) for event in events} == set(TOLD)
    assert all(tell(event).who and tell(event).what for event in events)


def test_the_json_names_the_versions_and_holds_every_field() -> None:
    body = json.loads(json.dumps(timeline(record(*STORY.whole()))))

    assert body["sessions"] == [{"stream_id": STREAM, "session_id": SESSION}]
    assert body["policies"] == [{"policy": "default/3", "digest": "c" * 64}]
    assert body["bundles"] == [{"bundle": "lite0/4", "digest": "b" * 64}]
    takedown = next(e for e in body["entries"] if e["event"] == "TakedownRequested")
    assert takedown["fields"]["account_id"] == "account-9"
    assert takedown["places"][0]["topic"] == topics.TAKEDOWNS


def test_a_page_leaves_out_assessments_from_which_nothing_followed() -> None:
    """All are in the JSON; a page shows the rising ones and those that a decision names."""
    risks = [STORY.risk(n, risk=r) for n, r in enumerate((0.5, 0.5, 0.503, 0.9, 0.7, 0.9))]
    cause = STORY.escalation(cause_id=risks[4].risk_id)

    whole = record(*risks, cause)

    shown_risks = [entry.fields["risk_id"] for entry in shown(whole) if "risk_id" in entry.fields]
    assert shown_risks == [risks[0].risk_id, risks[3].risk_id, risks[4].risk_id]
    assert len(entries(whole)) == 7


def test_a_time_that_is_no_date_is_left_a_number() -> None:
    """Senders may write any 64-bit integer; the rest of the timeline must survive it."""
    assert utc(2**63 - 1) == f"{2**63 - 1} µs"
    assert utc(START) == "2023-11-14T22:13:20.000Z"


def test_some_decisions_marked_as_a_drill_do_not_make_a_drill() -> None:
    """What may be real must not be passed over as an exercise."""
    drill = Story(drill=True)

    assert record(*drill.whole()).drill
    mixed = record(*drill.whole(), STORY.reversal())
    assert (mixed.drill, mixed.partly_drill) == (False, True)


def test_frames_are_cited_once_in_order_of_capture_with_all_that_cite_them() -> None:
    early, late = frame_ref(3), frame_ref(9)
    raised = STORY.escalation(evidence=[late, early])
    order = STORY.takedown(evidence=[late])

    first, second = cited(record(raised, order))

    assert (first.ref, first.by) == (early, (raised.escalation_id,))
    assert (second.ref, second.by) == (late, (raised.escalation_id, order.takedown_id))


def test_a_frame_becomes_a_file_of_its_bytes_and_a_lost_one_is_listed() -> None:
    wanted = cited(record(STORY.escalation(evidence=[frame_ref(3), frame_ref(9)])))
    frame = frame_sampled(payload=b"\xff\xd8picture")

    listed, files = files_of(
        wanted, {wanted[0].coordinates: frame, wanted[1].coordinates: "no longer kept"}
    )

    assert files == {"evidence/frame-0001.jpg": b"\xff\xd8picture"}
    assert (listed[0].file, listed[0].size) == ("evidence/frame-0001.jpg", 9)
    assert (listed[1].file, listed[1].gone, listed[1].offset) == ("", "no longer kept", 9)


def test_a_file_name_is_never_made_of_a_codec_s_name() -> None:
    wanted = cited(record(STORY.escalation(evidence=[frame_ref(3)])))
    frame = frame_sampled(codec="../../x")

    _, files = files_of(wanted, {wanted[0].coordinates: frame})

    assert list(files) == ["evidence/frame-0001.bin"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, ""),
        ({"stream_id": "stream-2"}, "another stream or session"),
        ({"session_id": "session-2"}, "another stream or session"),
        ({"captured_at": START + SECOND}, "captured at 2023-11-14T22:13:21"),
    ],
    ids=["the-frame", "another-stream", "another-session", "another-time"],
)
def test_only_the_frame_that_was_judged_is_evidence(given: dict[str, object], said: str) -> None:
    """Where a topic was made anew, other people's frames lie at the same offsets."""
    ref = frame_ref(0)

    found = mismatch(ref, frame_sampled(**given), [(STREAM, SESSION)])

    assert said in found
    assert bool(found) == bool(said)


def test_only_the_topic_of_frames_is_read_for_evidence() -> None:
    assert foreign_topic(frame_ref()) == ""
    assert "is not the topic" in foreign_topic(frame_ref(topic="payroll"))
