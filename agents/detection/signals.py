"""From a model's outputs to signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .manifest import SignalSpec

Floats = NDArray[np.float32]


def score_signals(outputs: Mapping[str, Floats], signals: Sequence[SignalSpec]) -> Floats:
    """Scores ``[n, len(signals)]``, 0 to 1, of outputs ``[n, classes]`` by name."""
    columns = [_softmax_sum(outputs[signal.output], signal) for signal in signals]
    return np.stack(columns, axis=1).astype(np.float32)


def _softmax_sum(logits: Floats, signal: SignalSpec) -> Floats:
    scaled = logits / np.float32(signal.temperature)
    # Shifted by the largest logit, which leaves the softmax as it is and can't overflow.
    weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    chosen = weights[:, list(signal.classes)].sum(axis=1) / weights.sum(axis=1)
    return np.asarray(chosen.clip(0.0, 1.0), np.float32)
