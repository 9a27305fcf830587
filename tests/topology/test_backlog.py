"""How long records have waited: by the brokers' time where it is known, by what was seen if not."""

from __future__ import annotations

from faust.types import TP

from topology.backlog import Backlog, Lags, backlogs_of

ONE, OTHER = TP("source", 0), TP("source", 1)
NOW = 1_700_000_000_000
"""Milliseconds since the epoch."""


def test_where_nothing_waits_there_is_no_lag() -> None:
    assert Lags().observe(NOW, {ONE: Backlog()}) == {ONE: 0.0}


def test_the_lag_is_the_age_of_the_oldest_record_in_work() -> None:
    backlogs = {ONE: Backlog(3, NOW - 2_500), OTHER: Backlog(1, NOW - 100)}
    assert Lags().observe(NOW, backlogs) == {ONE: 2.5, OTHER: 0.1}


def test_a_broker_whose_clock_is_ahead_makes_no_negative_lag() -> None:
    assert Lags().observe(NOW, {ONE: Backlog(1, NOW + 5_000)}) == {ONE: 0.0}


def test_what_was_never_fetched_is_as_old_as_it_has_been_seen_to_wait() -> None:
    """Seen at 0 s and 4 s: it waits; gone at 6 s; at 8 s another one waits, from then on."""
    lags, stuck = Lags(), {ONE: Backlog(9)}
    told = [
        lags.observe(NOW + at * 1000, {ONE: Backlog()} if at == 6 else stuck)[ONE]
        for at in (0, 4, 6, 8, 9)
    ]
    assert told == [0.0, 4.0, 0.0, 0.0, 1.0]


def test_runs_in_work_count_with_what_was_not_fetched() -> None:
    found = backlogs_of({ONE: 10, OTHER: 0}, [(ONE, 1, 7_000), (ONE, 2, 5_000)])
    assert found == {ONE: Backlog(13, 5_000), OTHER: Backlog(0, None)}


def test_records_without_a_time_have_no_age() -> None:
    assert backlogs_of({}, [(ONE, 1, -1)]) == {ONE: Backlog(1, None)}
