"""Who did what, when, why, and what came of it."""

from __future__ import annotations

import pytest

from agents.oncall.audit import Audit, Search
from agents.oncall.audit_entries import Kind
from agents.oncall.fates import KnownOrders
from agents.oncall.handles import handle_of
from schemas import Event, EventRedriven, topics
from tests.builders import START

from .events import (
    acknowledged,
    alert_raised,
    answered,
    breaker_tripped,
    commanded,
    drill_ordered,
    escalation_raised,
    evidence_viewed,
    incident_closed,
    reversed_decision,
    takedown_requested,
)


def audit_of(*events: Event, most: int = 100) -> Audit:
    orders = KnownOrders()
    audit = Audit(orders, most)
    for number, event in enumerate(events):
        orders.take(event, START + number)
        audit.apply(event, START + number)
    return audit


def redriven() -> EventRedriven:
    return EventRedriven("d-1", START, topics.FRAME_SAMPLES, 0, 7, "kea", "mended")


def test_an_order_and_its_answer_are_one_entry() -> None:
    """Whichever was read first."""
    order, answer = commanded(), answered()
    for events in ((order, answer), (answer, order)):
        (entry,) = audit_of(*events).search(Search()).entries
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
    (entry,) = audit.search(Search()).entries
    assert (entry.kind, entry.who, entry.at) == (kind, who, START)


def test_what_is_no_deed_is_no_entry() -> None:
    """A takedown that a person ordered is with the order; an escalation asks, and does nothing."""
    audit = audit_of(takedown_requested(operator="kea"), escalation_raised())
    assert audit.search(Search()).entries == []


def test_entries_are_found_by_who_what_whereof_and_when() -> None:
    """The newest first."""
    audit = audit_of(
        commanded(command_id="1"),
        commanded("suppress", command_id="2", operator="tui", stream_id="stream-2"),
        takedown_requested(),
    )

    def found(**given: object) -> list[str]:
        return [it.what for it in audit.search(Search(**given)).entries]  # type: ignore[arg-type]

    assert found() == ["sustained", "suppress", "release"]
    assert found(who="tui") == ["suppress"]
    assert found(what="release") == ["release"]
    assert found(kind="takedown") == ["sustained"]
    assert found(handle=handle_of("stream-2")) == ["suppress"]
    assert found(since=START + 1, until=START + 2) == ["suppress"]
    assert found(per_page=2, page=2) == ["release"]


def test_the_oldest_go_and_are_counted() -> None:
    """Memory is bounded, and what is missing is said."""
    audit = audit_of(
        *(takedown_requested(takedown_id=f"{number}") for number in range(60)),
        most=32,
    )
    found = audit.search(Search())
    assert len(audit) <= 32
    assert found.dropped == 60 - len(audit)
    assert found.entries[0].at == START + 59
