"""The sequential test over the slots of a session."""

from __future__ import annotations

from math import log

import pytest

from agents.aggregation.evidence import BOUND, log_odds, log_odds_of, signal_evidence
from agents.aggregation.risk import risk_of
from agents.aggregation.windows import SessionWindows, WindowSpec
from schemas import SignalEvidence
from tests.builders import SECOND, START


def played(
    firearm: list[float], fictional: float | list[float] = 0.0, a_second: int = 2
) -> SessionWindows:
    windows = SessionWindows(WindowSpec(), ("firearm", "fictional"))
    fiction = fictional if isinstance(fictional, list) else [fictional] * len(firearm)
    for number, scores in enumerate(zip(firearm, fiction, strict=True)):
        windows.observe(START + number * SECOND // a_second, number, number, scores)
    return windows


def firearm_evidence(windows: SessionWindows) -> float:
    return log_odds_of(signal_evidence(windows), "firearm")


@pytest.mark.parametrize(
    ("firearm", "fictional", "expected"),
    [
        ([0.5] * 10, 0.0, 0.0),  # as likely as not says nothing
        ([0.1] * 60, 0.0, 0.0),  # never below 0
        ([0.7] * 4, 0.0, 4 * log(0.7 / 0.3)),
        ([1.0] * 4, 0.0, 4 * BOUND),  # no half second decides alone
        ([0.1] * 50 + [1.0] * 4, 0.0, 4 * BOUND),  # what was calm before does not count against
        ([1.0] * 4 + [0.0] * 2, 0.0, 2 * BOUND),
        ([1.0] * 4 + [0.0] * 9, 0.0, 0.0),
        ([0.7] * 4 + [0.0] * 3 + [0.7], 0.0, log(0.7 / 0.3)),  # it begins anew at 0
        ([0.7] * 4, 0.5, 4 * log(0.7 / 0.3)),  # may be fiction or not: no weight
        ([0.9] * 4, 0.8, 4 * (2.0 - log(0.8 / 0.2))),
        ([0.9] * 20, 0.99, 0.0),  # surely fiction outweighs the surest firearm
    ],
)
def test_the_cumulative_sum_of_the_slots_log_odds(
    firearm: list[float], fictional: float, expected: float
) -> None:
    assert firearm_evidence(played(firearm, fictional)) == pytest.approx(expected, abs=0.01)


def test_evidence_is_as_strong_at_any_sampling_rate() -> None:
    slow, fast = played([0.8] * 10, a_second=2), played([0.8] * 40, a_second=8)
    assert firearm_evidence(slow) == pytest.approx(firearm_evidence(fast))


def test_a_gap_says_nothing_for_or_against() -> None:
    windows = played([1.0] * 4)
    windows.observe(START + 10 * SECOND, 99, 99, [1.0, 0.0])
    assert firearm_evidence(windows) == pytest.approx(5 * BOUND)


def test_what_is_older_than_the_longest_window_says_nothing_any_more() -> None:
    windows = played([1.0] * 4)
    windows.observe(START + 31 * SECOND, 98, 98, [0.5, 0.0])
    assert firearm_evidence(windows) == BOUND  # of the half second at 1.5 s
    windows.observe(START + 32 * SECOND, 99, 99, [0.5, 0.0])
    assert firearm_evidence(windows) == 0.0


def test_evidence_says_since_when() -> None:
    (firearm, _) = signal_evidence(played([0.0] * 6 + [0.9] * 4))
    assert firearm.since == START + 3 * SECOND
    (again, _) = signal_evidence(played([0.9] * 3 + [0.1] * 4 + [0.9] * 2))
    assert again.since == START + 7 * SECOND // 2
    (calm, _) = signal_evidence(played([0.0] * 6))
    assert calm == SignalEvidence("firearm", 0.0, 0)


def test_probabilities_are_taken_as_no_surer_than_one_in_a_hundred() -> None:
    assert log_odds(1.0) == log_odds(0.99) == -log_odds(0.0)


@pytest.mark.parametrize(
    ("firearm", "known", "least", "most"),
    [(0.0, 0.0, 0.0, 0.01), (6.0, 0.0, 0.5, 0.5), (16.0, 0.0, 0.99, 1.0), (0.0, 2.0, 0.98, 1.0)],
)
def test_risk_grows_with_the_evidence_and_a_known_match_is_near_certain(
    firearm: float, known: float, least: float, most: float
) -> None:
    evidence = [SignalEvidence("firearm", firearm, 0), SignalEvidence("known_content", known, 0)]
    assert least <= risk_of(evidence) <= most
