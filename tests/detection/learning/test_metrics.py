"""Metrics against figures worked out by other means."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from agents.detection.learning.metrics import (
    auc,
    expected_calibration_error,
    rate_per_hours,
    recall_at_fpr,
    wilson,
)


def test_wilsons_interval_is_the_published_one() -> None:
    """Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(29, 29) == pytest.approx((0.8830, 1.0), abs=5e-5)


def test_no_frames_say_nothing_of_a_rate() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_auc_is_the_area_under_the_roc_curve_with_ties_half() -> None:
    rng = np.random.default_rng(1)
    positives, negatives = rng.integers(3, 12, 60) / 12, rng.integers(0, 9, 80) / 12
    truth = np.r_[np.ones(60), np.zeros(80)]
    expected = roc_auc_score(truth, np.r_[positives, negatives])
    assert auc(positives, negatives, seed=0).value == pytest.approx(expected)


def test_the_interval_of_an_auc_covers_it_19_times_in_20() -> None:
    """Positives are normal around 1, negatives around 0: the area is Φ(1/√2) = 0.7602."""
    covered = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        interval = auc(rng.normal(1, 1, 60), rng.normal(0, 1, 60), seed)
        covered += interval.low <= 0.7602 <= interval.high
    assert 89 <= covered <= 100


def test_the_same_seed_gives_the_same_interval() -> None:
    rng = np.random.default_rng(2)
    positives, negatives = rng.normal(1, 1, 30), rng.normal(0, 1, 30)
    assert auc(positives, negatives, 5) == auc(positives, negatives, 5)
    assert auc(positives, negatives, 5) != auc(positives, negatives, 6)
    assert recall_at_fpr(positives, negatives, 0.1) == recall_at_fpr(positives, negatives, 0.1)


def test_an_auc_without_a_class_is_not_a_number() -> None:
    assert all(map(math.isnan, auc([0.5], [])))


def test_recall_is_taken_at_the_lowest_threshold_within_the_false_positive_rate() -> None:
    """Of 1000 negatives 5 may reach it, and the sixth from the top stands at 0.994."""
    negatives = np.arange(1000) / 1000
    recall = recall_at_fpr([0.9, 0.994, 0.9945, 1.0], negatives, 0.005)
    assert recall.threshold == pytest.approx(0.994)
    assert (negatives >= recall.threshold).sum() == 5
    assert recall.value == 0.5
    assert recall.low < 0.5 < recall.high


def test_recall_where_negatives_are_as_high_as_can_be_is_none() -> None:
    assert recall_at_fpr([1.0, 1.0], [1.0, 1.0, 0.0], 0.005).value == 0


def test_full_recall_of_few_frames_is_not_certain() -> None:
    recall = recall_at_fpr([0.9] * 10, [0.1] * 1000, 0.005)
    assert recall.value == recall.high == 1
    assert recall.low == pytest.approx(wilson(10, 10)[0])


def test_calibration_error_weighs_each_bins_gap_by_its_frames() -> None:
    """8 frames at 0.25 of which half are positive, 2 at 0.95 of which all are."""
    truth = [1] * 4 + [0] * 4 + [1] * 2
    scores = [0.25] * 8 + [0.95] * 2
    expected = 0.8 * 0.25 + 0.2 * 0.05
    assert expected_calibration_error(truth, scores, 10) == pytest.approx(expected)


def test_a_score_of_one_is_in_the_last_bin() -> None:
    assert expected_calibration_error([1, 1], [1.0, 0.95], 10) == pytest.approx(0.025)


def test_rates_have_garwoods_exact_interval() -> None:
    """No event in 1 hour excludes 3.689 at 97.5 %; of 10 the published limits are 4.795, 18.39."""
    assert rate_per_hours(0, 1) == pytest.approx((0, 0, 3.6889), abs=5e-4)
    assert rate_per_hours(10, 1) == pytest.approx((10, 4.7954, 18.3904), abs=5e-4)
    assert rate_per_hours(1, 100, 1000) == pytest.approx((10, 0.2532, 55.7164), abs=5e-4)


def test_without_hours_no_rate_is_known() -> None:
    rate = rate_per_hours(0, 0)
    assert math.isnan(rate.value)
    assert (rate.low, rate.high) == (0, math.inf)
