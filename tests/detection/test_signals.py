"""What a signal reads off a model's outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents.detection.manifest import Isotonic, SignalSpec, Temperature
from agents.detection.signals import score_signals

LOGITS = np.log(np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 1e-9]], np.float32))


def score(output: Any, activation: Any, classes: tuple[int, ...], calibration: Any = None) -> Any:
    signal = SignalSpec("firearm", "out", activation, classes, calibration=calibration)
    return score_signals({"out": np.asarray(output, np.float32)}, [signal])[:, 0]


def test_a_softmax_signal_is_the_sum_of_its_classes() -> None:
    np.testing.assert_allclose(score(LOGITS, "softmax", (0, 2)), [0.8, 0.5], atol=1e-6)


def test_a_sigmoid_signal_is_the_largest_of_its_classes() -> None:
    found = score([[0.0, 2.0, 9.0]], "sigmoid", (0, 1))
    np.testing.assert_allclose(found, [1 / (1 + np.exp(-2.0))], atol=1e-6)


def test_an_identity_signal_is_the_largest_of_its_classes_as_it_is() -> None:
    np.testing.assert_allclose(score([[0.25, 0.75, 0.5]], "identity", (0, 2)), [0.5])


def test_each_signal_has_its_own_column_output_and_calibration() -> None:
    signals = [
        SignalSpec("firearm", "a", "softmax", (0,)),
        SignalSpec("fictional", "b", "sigmoid", (0,), calibration=Temperature(4.0)),
    ]
    outputs = {"a": LOGITS, "b": np.array([[4.0], [-4.0]], np.float32)}
    expected = [[0.1, 1 / (1 + np.exp(-1))], [0.5, 1 / (1 + np.exp(1))]]
    np.testing.assert_allclose(score_signals(outputs, signals), expected, atol=1e-6)


def test_temperature_divides_the_logits() -> None:
    cold = score([[2.0, 0.0]], "softmax", (0,))
    hot = score([[8.0, 0.0]], "softmax", (0,), Temperature(4.0))
    np.testing.assert_allclose(hot, cold)


def test_an_isotonic_table_is_looked_up_after_the_activation() -> None:
    table = Isotonic((0.0, 0.8, 1.0), (0.0, 0.4, 1.0))
    np.testing.assert_allclose(score(LOGITS, "softmax", (0, 2), table), [0.4, 0.25], atol=1e-6)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_large_logits_do_not_overflow(activation: str) -> None:
    with np.errstate(all="raise", under="ignore"):
        assert score([[1e6, -1e6]], activation, (0,))[0] == 1.0


def test_rounding_does_not_carry_a_sum_beyond_1() -> None:
    rows = np.random.default_rng(0).normal(0, 3, (200, 1000))
    assert score(rows, "softmax", tuple(range(1000))).max() <= 1.0


@pytest.mark.parametrize("output", [[[5.2]], [[-0.1]], [[float("nan")]]])
def test_what_is_no_probability_is_not_made_to_look_like_one(output: list[list[float]]) -> None:
    found = score(output, "identity", (0,))
    assert not ((found >= 0) & (found <= 1)).any()
