"""Who did what, when, why, and what came of it."""

from __future__ import annotations

import pytest

from agents.oncall.audit import GOES_BACK, Audit, Begins, Search
from agents.oncall.audit_entries import Kind
from agents.oncall.fates import KnownOrders
from agents.oncall.handles import handle_of
from schemas import Event, topics
from tests.builders import SECOND, START

from .events import (
    NOW,
    acknowledged,
    alert_raised,
    answered,
    breaker_tripped,
    commanded,
    drill_ordered,
    escalation_raised,
    evidence_viewed,
    incident_closed,
    redriven,
    reversed_decision,
    stream_updated,
    takedown_requested,
)


def audit_of(*events: Event, most: int = 100) -> Audit:
    orders = KnownOrders()
    audit = Audit(orders, most)
    for number, event in enumerate(events):
        orders.take(event, START + number)
        audit.apply(event, START + number)
    return audit


def test_an_order_and_its_answer_are_one_entry() -> None:
    """Whichever was read first."""
    order, answer = commanded(), answered()
    for events in ((order, answer), (answer, order)):
        (entry,) = audit_of(*events).search(Search(), NOW).entries
        assert (entry.kind, entry.who, entry.what) == (Kind.ORDER, "kea", "release")
        assert (entry.why, entry.at) == ("a film set", START)
        assert entry.outcome == "applied takedown-requested to released"


@pytest.mark.parametrize(
    ("event", "kind", "who"),
    [
        (takedown_requested(), Kind.TAKEDOWN, "test/1"),
        (acknowledged(), Kind.ANSWER, "takedowns"),
        (reversed_decision(), Kind.REVERSAL, "kea"),
        (incident_closed(), Kind.CLOSURE, "test/1"),
        (breaker_tripped(), Kind.BREAKER, "test/1"),
        (evidence_viewed(), Kind.EVIDENCE, "kea"),
        (redriven(), Kind.REDRIVE, "kea"),
        (drill_ordered(), Kind.DRILL, "kea"),
        (alert_raised(), Kind.ALERT, "policy.toml"),
    ],
)
def test_each_deed_is_an_entry(event: Event, kind: Kind, who: str) -> None:
    """By whom, and of what kind; again is once."""
    audit = audit_of(event, event)
    (entry,) = audit.search(Search(), NOW).entries
    assert (entry.kind, entry.who, entry.at) == (kind, who, START)


def test_what_is_no_deed_is_no_entry() -> None:
    """What a person ordered is with the order; an escalation asks, and does nothing."""
    audit = audit_of(
        takedown_requested(operator="kea"), breaker_tripped(cause="operator"), escalation_raised()
    )
    assert audit.search(Search(), NOW).entries == []


def test_entries_are_found_by_who_what_whereof_and_when() -> None:
    """The newest first."""
    audit = audit_of(
        commanded(command_id="1"),
        commanded("suppress", command_id="2", operator="tui", stream_id="stream-2"),
        takedown_requested(),
    )

    def found(**given: object) -> list[str]:
        return [it.what for it in audit.search(Search(**given), NOW).entries]  # type: ignore[arg-type]

    assert found() == ["sustained", "suppress", "release"]
    assert found(who="tui") == ["suppress"]
    assert found(what="release") == ["release"]
    assert found(kind="takedown") == ["sustained"]
    assert found(handle=handle_of("stream-2")) == ["suppress"]
    assert found(since=START + 1, until=START + 2) == ["suppress"]
    assert found(per_page=2, page=2) == ["release"]


def test_the_oldest_of_a_kind_go_and_are_counted() -> None:
    """Memory is bounded, and what is missing is said."""
    audit = audit_of(
        *(takedown_requested(takedown_id=f"{number}") for number in range(60)),
        most=32,
    )
    found = audit.search(Search(), NOW)
    assert len(audit) <= 32
    assert found.dropped == 60 - len(audit)
    assert found.entries[0].at == START + 59
    (everything, takedowns) = found.begins
    assert everything == Begins(NOW - GOES_BACK)
    assert takedowns == Begins(START + found.dropped - 1, Kind.TAKEDOWN)


def test_looks_push_out_no_decision() -> None:
    """However many pictures people look at."""
    looks = [evidence_viewed(view_id=f"{number}") for number in range(1_000)]
    audit = audit_of(takedown_requested(), drill_ordered(), *looks, most=32)
    kinds = {it.kind for it in audit.search(Search(per_page=1_000), NOW).entries}
    assert kinds == {Kind.TAKEDOWN, Kind.DRILL, Kind.EVIDENCE}


def test_it_goes_back_seven_days_however_long_a_worker_has_read() -> None:
    """Each worker says the same, and says from when on."""
    audit = audit_of(takedown_requested(), commanded())
    for later, entries in ((0, 2), (1, 1), (2, 0)):
        found = audit.search(Search(), START + GOES_BACK + later)
        assert len(found.entries) == found.total == entries
        assert found.begins == (Begins(START + later),)


def test_an_entry_of_evidence_says_which_frame() -> None:
    """By its coordinates; an export has them all."""
    view = evidence_viewed(topic=topics.FRAME_SAMPLES, partition=3, offset=77)
    export = evidence_viewed(
        view_id="v-2", kind="export", topic="", partition=-1, offset=-1, stream_id=""
    )
    exported, seen = audit_of(view, export).search(Search(), NOW).entries
    assert seen.outcome == f"{topics.FRAME_SAMPLES}/3/77"
    assert exported.outcome == "all frames of the incident that were still kept"
    assert (exported.scope, exported.incident_id) == ("", "i-1")


@pytest.mark.parametrize(
    ("event", "scope"),
    [
        (breaker_tripped(), "all"),
        (redriven(), ""),
        (alert_raised(), ""),
        (commanded("hold-takedowns", scope="region:NZ"), "region:NZ"),
    ],
)
def test_only_what_is_of_a_scope_has_one(event: Event, scope: str) -> None:
    (entry,) = audit_of(event).search(Search(), NOW).entries
    assert entry.scope == scope


def test_looks_at_a_stream_and_what_an_order_put_back_are_a_row_each() -> None:
    """s   0          59   61
    kea     v v ... v  v    v      one row and another
    tui     v                      another
    Of 100 letters of an order, one row. What is exported has each."""
    first = START - START % (60 * SECOND)
    audit = Audit(KnownOrders())

    def look(second: int, operator: str = "kea") -> None:
        offset = len(audit)
        view = evidence_viewed(view_id=f"{offset}", operator=operator, offset=offset)
        audit.apply(view, first + second * SECOND)

    for second in (*range(12), 59, 61):
        look(second)
    look(0, "tui")
    for number in range(100):
        letter = redriven(dead_letter_id=f"d-{number}", offset=number, order_id="o-1")
        audit.apply(letter, first + number)

    rows = audit.search(Search(as_groups=True), NOW)
    assert [(it.kind, it.who) for it in rows.entries] == [
        (Kind.EVIDENCE, "kea"),
        (Kind.EVIDENCE, "kea"),
        (Kind.REDRIVE, "kea"),
        (Kind.EVIDENCE, "tui"),
    ]
    assert rows.total == 4
    assert rows.entries[1].outcome == f"{topics.FRAME_SAMPLES}/0/12, and 12 more"
    assert rows.entries[2].outcome == f"put back {topics.FRAME_SAMPLES}/0/99, and 99 more"
    assert audit.search(Search(), NOW).total == 115


@pytest.mark.parametrize(
    "marked",
    [
        stream_updated(drill=True),
        escalation_raised(drill=True, incident_id="incident-1"),
    ],
)
@pytest.mark.parametrize(
    "told",
    [
        (commanded(session_id="session-1"),),
        (commanded(), answered(incident_id="incident-1")),
        (acknowledged(),),
        (evidence_viewed(incident_id="incident-1"),),
    ],
    ids=["order", "answered order", "answer", "evidence"],
)
def test_what_is_of_a_drill_says_so(marked: Event, told: tuple[Event, ...]) -> None:
    """Whichever was read first, also where the event has no mark of its own."""
    of_evidence = told[0].id == "v-1" and not hasattr(marked, "incident_id")
    for events in ((marked, *told), (*told, marked)):
        (entry,) = audit_of(*events).search(Search(), NOW).entries
        assert entry.drill is not of_evidence


def test_a_stream_that_was_a_drill_once_is_none_in_its_next_session() -> None:
    """A real attack is not taken for a drill."""
    events = stream_updated(drill=True), commanded(session_id="session-2"), commanded()
    for it in audit_of(*events).search(Search(), NOW).entries:
        assert not it.drill


def test_what_was_changed_for_all_streams_is_told_by_itself() -> None:
    """With how long it lasts; what is of one stream is not among it."""
    audit = audit_of(
        commanded(),
        commanded("hold-takedowns", scope="all", command_id="2", until=NOW),
        breaker_tripped(),
        drill_ordered("failed"),
        takedown_requested(),
    )
    told = [(it.what, it.until) for it in audit.controlled(10, NOW)]
    assert told == [
        ("drill failed", drill_ordered().until),
        ("trip-breaker", breaker_tripped().expires_at),
        ("hold-takedowns", NOW),
    ]
    assert len(audit.controlled(2, NOW)) == 2
