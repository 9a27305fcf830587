"""From what a model puts out to probabilities that mean what they say. Pure arithmetic.

Temperature scaling: Guo et al., "On Calibration of Modern Neural Networks" (2017). Isotonic
calibration: Zadrozny and Elkan, "Transforming Classifier Scores into Accurate Multiclass
Probability Estimates" (2002).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def softmax(logits: Floats, temperature: float = 1.0) -> Floats:
    """Probabilities ``[n, classes]``, each row summing to 1, of logits ``[n, classes]``."""
    scaled = logits / np.float32(temperature)
    # Shifted by the largest logit, which leaves the softmax as it is and can't overflow.
    weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def sigmoid(logits: Floats, temperature: float = 1.0) -> Floats:
    """The probability of each logit by itself; any shape."""
    # By way of tanh, which saturates where the exponential would overflow.
    halved = logits / np.float32(2 * temperature)
    return np.asarray(0.5 + 0.5 * np.tanh(halved), np.float32)


def isotonic(scores: Floats, knots: Sequence[float], probabilities: Sequence[float]) -> Floats:
    """``scores`` looked up in a table: linear between ascending ``knots``, constant outside."""
    return np.asarray(np.interp(scores, knots, probabilities), np.float32)
