"""Streams as they are asked for, and what is told of each besides its state."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from agents.oncall.handles import handle_of
from agents.oncall.listing import UNWATCHED, Query, Sort
from agents.oncall.read_model import ReadModel
from agents.oncall.trend import POINTS, SPAN, Direction, Trend, direction
from schemas import SignalSummary
from tests.builders import SECOND, START, risk_assessed, window

from .events import (
    NOW,
    answered,
    escalation_raised,
    heard,
    stream_updated,
    takedown_requested,
    unwatched,
)
from .folding import only_row, told

BYTES_A_STREAM = 2048


def _crowd() -> ReadModel:
    """Streams a to e: calm, escalated and held, taken down as a drill, unwatched, and ended."""
    return told(
        [
            stream_updated(stream_id="a", viewers=500, region="NZ"),
            stream_updated(stream_id="b", viewers=20, region="AU"),
            risk_assessed(stream_id="b", risk=0.6),
            escalation_raised(stream_id="b", incident_id="incident-b", severity="critical"),
            answered("acknowledge", stream_id="b", state_after="escalated"),
            risk_assessed(stream_id="c", risk=0.9, drill=True),
            takedown_requested(stream_id="c", incident_id="incident-c", rule="held", drill=True),
            stream_updated(stream_id="d", viewers=3),
            unwatched(stream_id="d"),
            stream_updated(stream_id="e"),
            stream_updated("ended", stream_id="e", updated_at=START + 1),
        ]
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(), "dcbae"),
        (Query(turned=True), "eabcd"),
        (Query(sort=Sort.RISK), "cbade"),
        (Query(sort=Sort.VIEWERS), "abdce"),
        (Query(states=frozenset({"escalated", "takedown requested"})), "cb"),
        (Query(states=frozenset({UNWATCHED})), "d"),
        (Query(drill=True), "c"),
        (Query(drill=False), "dbae"),
        (Query(region="NZ"), "a"),
        (Query(severity="critical"), "b"),
        (Query(held=True), "b"),
        (Query(text="INCIDENT-C"), "c"),
        (Query(text="held"), "c"),
        (Query(text="session-1", per_page=2), "dc"),
        (Query(text="session-1", per_page=2, page=3), "e"),
        (Query(per_page=2, page=99), "e"),
        (Query(text="nothing of the kind"), ""),
    ],
)
def test_streams_are_found_and_sorted_as_asked(query: Query, expected: str) -> None:
    """Each filter, each order, pages, and a page behind the last."""
    listing = _crowd().listing(query, NOW)
    assert "".join(row.stream_id for row in listing.rows) == expected


def test_a_listing_counts_what_it_does_not_show() -> None:
    """Counts are of all that are known, whatever was asked for."""
    listing = _crowd().listing(Query(drill=True), NOW)
    assert (listing.total, listing.known, listing.pages) == (1, 5, 1)
    assert listing.counts["escalated"] == 1
    assert listing.counts[UNWATCHED] == 1


def test_a_handle_names_its_stream_until_that_is_forgotten() -> None:
    """Addresses have no stream's id."""
    model = _crowd()
    stream = model.stream_of(handle_of("b"))
    assert stream is not None
    assert stream.stream_id == "b"
    assert model.stream_of(handle_of("nobody")) is None
    assert model.rows(NOW)[0].handle == handle_of("d")
    for number in range(200):
        model.apply(stream_updated(stream_id=f"more-{number}"), NOW)
    assert model.stream_of(handle_of("e")) is None


def test_a_row_says_what_the_risk_rests_on() -> None:
    """The signals that are on, of the window in which each is on for the greatest share."""
    row = only_row(
        risk_assessed(
            window(3.0, 5, observed=6, signals=[SignalSummary("firearm", 5, 5, 0.8)]),
            window(10.0, 5, observed=20, signals=[SignalSummary("firearm", 5, 5, 0.3)]),
        )
    )
    assert row.grounds == "firearm 2.5 of 3 s"


def test_viewers_are_those_that_were_told_last() -> None:
    """An update that does not know them leaves them; an older one changes nothing."""
    row = only_row(
        stream_updated(viewers=10, updated_at=START),
        stream_updated("updated", viewers=30, updated_at=START + 2),
        stream_updated("updated", updated_at=START + 3),
        stream_updated("updated", viewers=20, updated_at=START + 1),
    )
    assert row.viewers == 30


@pytest.mark.parametrize(
    ("risks", "expected"),
    [
        ((0.1, 0.2, 0.3, 0.4), Direction.RISING),
        ((0.9, 0.6, 0.3, 0.0), Direction.FALLING),
        ((0.5, 0.5, 0.5, 0.54), Direction.STEADY),
        ((0.0, 0.0, 1.0), Direction.RISING),
    ],
)
def test_a_trend_says_where_the_risk_goes(risks: tuple[float, ...], expected: Direction) -> None:
    """As far as it went: what a few seconds would come to in a minute is not told."""
    trend = Trend()
    for number, risk in enumerate(risks):
        trend.take(START + number * SPAN * SECOND, risk)
    change = trend.change()
    assert change is not None
    assert change == pytest.approx(risks[-1] - risks[0], abs=0.008)
    assert direction(change) is expected
    told_ = [it for it in trend.values() if it is not None]
    assert told_ == pytest.approx(risks, abs=0.004)


def test_two_points_are_no_trend() -> None:
    """They may be a moment apart."""
    trend = Trend()
    assert trend.change() is None
    for at, risk in ((0, 0.0), (8, 1.0)):
        trend.take(START + at * SECOND, risk)
        assert trend.change() is None


def test_a_trend_forgets_what_is_older_than_its_points() -> None:
    """A gap shows as one, and a late risk goes where it belongs or nowhere."""
    trend = Trend()
    trend.take(START, 1.0)
    trend.take(START + POINTS * SPAN * SECOND, 0.5)
    trend.take(START, 0.9)
    assert trend.values()[:-1] == (None,) * (POINTS - 1)
    trend.take(START + SPAN * SECOND, 0.25)
    assert trend.values()[0] == pytest.approx(0.25, abs=0.004)


def test_a_stream_costs_little_memory() -> None:
    """Streams that are assessed, a tenth of them decided about."""
    many = 2_000
    tracemalloc.start()
    model = ReadModel(max_streams=many)
    for number in range(many):
        # What is decoded shares nothing with what is there.
        names = {"stream_id": f"stream-{number:030}", "session_id": f"session-{number:030}"}
        who: dict[str, Any] = names
        at = START + number
        model.apply(stream_updated(viewers=number, region="NZ", **who), at)
        model.apply(heard(**who), at)
        model.apply(risk_assessed(window(10.0, 1), **who), at)
        if number % 10 == 0:
            model.apply(escalation_raised(**who, escalation_id=f"e-{number}"), at)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(model) == many
    assert size / many <= BYTES_A_STREAM
