"""Calibration keeps the order of scores and stays between 0 and 1."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from agents.detection.calibration import isotonic, sigmoid, softmax

LOGITS = st.lists(st.floats(-1e4, 1e4, width=32), min_size=2, max_size=8)
TEMPERATURES = st.floats(0.05, 100)
PROBABILITIES = st.floats(0, 1, width=32)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    """Strictly ascending knots and as many probabilities that do not descend."""
    knots = sorted(draw(st.sets(PROBABILITIES, min_size=2, max_size=10)))
    count = len(knots)
    return knots, sorted(draw(st.lists(PROBABILITIES, min_size=count, max_size=count)))


@given(LOGITS, TEMPERATURES)
def test_a_softmax_is_a_distribution_in_the_order_of_the_logits(
    logits: list[float], temperature: float
) -> None:
    (probabilities,) = softmax(np.array([logits], np.float32), temperature)
    assert np.isclose(probabilities.sum(), 1, atol=1e-5)
    assert (probabilities >= 0).all()
    in_order = probabilities[np.argsort(logits, kind="stable")]
    assert all(a <= b for a, b in pairwise(in_order.tolist()))


@given(LOGITS, TEMPERATURES)
def test_a_sigmoid_is_between_0_and_1_in_the_order_of_the_logits(
    logits: list[float], temperature: float
) -> None:
    probabilities = sigmoid(np.array(sorted(logits), np.float32), temperature)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert all(a <= b for a, b in pairwise(probabilities.tolist()))


@given(st.floats(-30, 30, width=32), TEMPERATURES)
def test_a_sigmoid_is_the_logistic_function(logit: float, temperature: float) -> None:
    expected = 1 / (1 + np.exp(-np.float64(logit) / temperature))
    assert np.isclose(sigmoid(np.array([logit], np.float32), temperature)[0], expected, atol=1e-6)


@given(st.floats(-50, 50), st.floats(1.01, 50))
def test_a_higher_temperature_moves_a_probability_towards_one_half(
    logit: float, temperature: float
) -> None:
    plain, hot = (sigmoid(np.array([logit], np.float32), value)[0] for value in (1.0, temperature))
    assert abs(hot - 0.5) <= abs(plain - 0.5)


@given(tables(), st.lists(st.floats(-2, 3, width=32), min_size=2, max_size=20))
def test_a_table_keeps_the_order_and_its_own_range(
    table: tuple[list[float], list[float]], scores: list[float]
) -> None:
    knots, probabilities = table
    found = isotonic(np.array(sorted(scores), np.float32), knots, probabilities).tolist()
    assert all(a <= b for a, b in pairwise(found))
    assert probabilities[0] <= found[0]
    assert found[-1] <= probabilities[-1]


@given(tables())
def test_a_table_gives_back_its_knots(table: tuple[list[float], list[float]]) -> None:
    knots, probabilities = table
    assume(min(b - a for a, b in pairwise(knots)) > 1e-30)
    np.testing.assert_allclose(
        isotonic(np.array(knots, np.float32), knots, probabilities), probabilities, atol=1e-6
    )


def test_a_table_is_linear_between_its_knots_and_constant_outside() -> None:
    scores = np.array([0.0, 0.2, 0.3, 0.4, 1.0], np.float32)
    found = isotonic(scores, (0.2, 0.4), (0.1, 0.9))
    np.testing.assert_allclose(found, [0.1, 0.1, 0.5, 0.9, 0.9], atol=1e-6)
