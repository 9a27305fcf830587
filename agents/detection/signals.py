"""From a model's outputs to signals. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .calibration import Floats, isotonic, sigmoid, softmax
from .manifest import Isotonic, SignalSpec, Temperature

_ROUNDING = 1e-5
"""How far beyond 0 and 1 a probability may lie for the rounding of float32 sums to explain it."""


def score_signals(outputs: Mapping[str, Floats], signals: Sequence[SignalSpec]) -> Floats:
    """Scores ``[n, len(signals)]`` of outputs ``[n, classes]`` by name.

    Scores are 0 to 1, unless an output that is said to be a probability is none, or a number is
    not finite: that is left to be seen.
    """
    return np.stack([_score(outputs[signal.output], signal) for signal in signals], axis=1)


def _score(output: Floats, signal: SignalSpec) -> Floats:
    chosen, table = list(signal.classes), signal.calibration
    temperature = table.temperature if isinstance(table, Temperature) else 1.0
    values = np.asarray(output, np.float32)
    match signal.activation:
        case "softmax":
            score = softmax(values, temperature)[:, chosen].sum(axis=1)
        case "sigmoid":
            score = sigmoid(values[:, chosen], temperature).max(axis=1)
        case "identity":
            score = values[:, chosen].max(axis=1)
    if isinstance(table, Isotonic):
        score = isotonic(score, table.scores, table.probabilities)
    within = score.clip(0.0, 1.0)
    return np.asarray(np.where(np.abs(score - within) <= _ROUNDING, within, score), np.float32)
