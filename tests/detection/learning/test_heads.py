"""Heads on embeddings whose truth is known, since they are drawn from it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from agents.detection.calibration import sigmoid
from agents.detection.learning.heads import (
    Examples,
    Trained,
    balance,
    operating_point,
    train_head,
)
from agents.detection.learning.metrics import expected_calibration_error
from agents.detection.manifest import Isotonic, Temperature

SIZE = 8


def draw(sources: int, frames: int, seed: int = 0, signal: float = 2.0) -> Examples:
    """``sources`` of each class; the class moves the first feature, the source all the others."""
    rng = np.random.default_rng(seed)
    truth = np.repeat([1, 0], sources * frames)
    names = np.repeat([f"s{number}" for number in range(2 * sources)], frames)
    embeddings = rng.normal(0, 1, (len(truth), 1, SIZE))
    embeddings[:, :, 1:] += np.repeat(rng.normal(0, 1, (2 * sources, 1, SIZE - 1)), frames, axis=0)
    embeddings[:, 0, 0] += signal * truth
    return Examples(embeddings.astype(np.float32), truth, names)


def train(examples: Examples, fpr: float = 0.01) -> Trained:
    return train_head(examples, fpr, 0, lambda done, of: None)


def test_classes_count_alike_and_sources_within_a_class() -> None:
    truth = np.array([1, 1, 1, 1, 0, 0])
    sources = np.array(["a", "a", "a", "b", "c", "c"])
    weights = balance(truth, sources)
    assert weights[truth == 1].sum() == pytest.approx(weights[truth == 0].sum())
    assert weights[sources == "a"].sum() == pytest.approx(weights[sources == "b"].sum())


def test_a_head_tells_sources_that_it_has_not_seen() -> None:
    trained = train(draw(sources=6, frames=40))
    unseen = draw(sources=6, frames=40, seed=1)
    right = (trained.head.logits(unseen.embeddings[:, 0]) > 0) == unseen.truth
    assert right.mean() > 0.75  # the first feature alone gets 84 % right


def test_what_belongs_to_a_source_is_not_learned_by_a_tame_head() -> None:
    """Judged by sources it hasn't seen, a head that has learned sources by heart loses."""
    trained = train(draw(sources=6, frames=40, signal=1.0))
    assert np.abs(trained.head.weight).argmax() == 0


def test_little_data_is_calibrated_by_a_temperature_that_makes_scores_honest() -> None:
    trained = train(draw(sources=5, frames=60))
    assert isinstance(trained.calibration, Temperature)
    unseen = draw(sources=20, frames=50, seed=1)
    logits = trained.head.logits(unseen.embeddings[:, 0]).astype(np.float32)

    def error(temperature: float) -> float:
        return expected_calibration_error(unseen.truth, sigmoid(logits, temperature))

    best = trained.calibration.temperature
    assert error(best) < 0.1
    assert error(best) < min(error(best / 4), error(best * 4))


def test_much_data_is_calibrated_by_a_table() -> None:
    trained = train(draw(sources=6, frames=200))
    assert isinstance(trained.calibration, Isotonic)
    knots = trained.calibration
    assert list(knots.scores) == sorted(set(knots.scores))
    assert list(knots.probabilities) == sorted(knots.probabilities)
    assert 0 < knots.probabilities[0] < knots.probabilities[-1] < 1


def test_a_class_of_one_source_leaves_nothing_to_choose_by() -> None:
    trained = train(draw(sources=1, frames=30))
    assert (trained.calibration, trained.threshold) == (Temperature(1.0), 0.5)
    assert trained.out_of_fold is None


def test_a_threshold_lets_the_wanted_share_of_negatives_through_each_source_alike() -> None:
    """20 frames of ``a`` are as much as 80 of ``b``: 4 of ``a`` at 0.9 are a tenth."""
    negatives = np.array([0.9] * 4 + [0.1] * 16 + [0.7] * 8 + [0.1] * 72)
    sources = np.array(["a"] * 20 + ["b"] * 80)
    assert operating_point(negatives, sources, fpr=0.10) == pytest.approx(0.7001)
    assert operating_point(negatives, sources, fpr=0.09) == pytest.approx(0.9001)
    assert operating_point(negatives, sources, fpr=0.20) == 0.5


def test_a_threshold_is_never_out_of_reach_of_a_certain_score() -> None:
    assert operating_point(np.ones(10), np.array(["a"] * 10), fpr=0.01) == 1.0


def test_the_same_examples_give_the_same_head_to_the_last_bit() -> None:
    one, other = train(draw(sources=3, frames=20)), train(draw(sources=3, frames=20))
    assert one.head.weight.tobytes() == other.head.weight.tobytes()
    assert (one.head.bias, one.calibration) == (other.head.bias, other.calibration)
    assert math.isfinite(one.head.bias)
