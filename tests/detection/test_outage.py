"""An outage is when nothing comes any more, not when much is asked for."""

from __future__ import annotations

from agents.detection.outage import FAILURES, PATIENCE, RETRY, Outage

WHY = "no answer in time"


def failing(since: float, until: float, times: int = FAILURES) -> Outage:
    """Attempts fail from ``since`` on, all at once, and once more at ``until``."""
    outage = Outage()
    for _ in range(times - 1):
        outage.failed(since, WHY)
    outage.failed(until, WHY)
    return outage


def test_many_failures_in_a_moment_are_none_nor_are_few_in_a_long_time() -> None:
    assert failing(0.0, PATIENCE - 0.1).refuses(PATIENCE) is None
    assert failing(0.0, 10 * PATIENCE, FAILURES - 1).refuses(10 * PATIENCE) is None


def test_when_nothing_came_for_long_it_is_told_why_nothing_is_asked_for() -> None:
    assert failing(0.0, PATIENCE).refuses(PATIENCE + 0.1) == WHY


def test_one_answer_among_failures_begins_anew() -> None:
    outage = failing(0.0, PATIENCE - 0.1)
    outage.answered()
    outage.failed(PATIENCE, WHY)
    assert outage.refuses(2 * PATIENCE) is None


def test_now_and_then_one_is_let_through_and_its_answer_ends_the_outage() -> None:
    """Begins at 5 s; asked at 10 s and fails at 11 s; asked at 16 s, and answered."""
    outage = failing(0.0, PATIENCE)
    told = []
    for at in (9.9, 10.0, 10.1):
        told.append(outage.refuses(at))
    outage.failed(11.0, "status 503")
    told += [outage.refuses(at) for at in (11.1, 15.9, 16.0)]
    outage.answered()
    told += [outage.refuses(at) for at in (16.1, 16.2)]
    assert (PATIENCE, RETRY) == (5.0, 5.0)
    assert told == [WHY, None, WHY, "status 503", "status 503", None, None, None]
