"""Logistic heads on embeddings: fitted, regularised, calibrated and given an operating point.

Every choice is made on out-of-fold scores: those of heads that never saw the source that they
score. So calibration and threshold are those of new footage and not of what was learned.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from ..calibration import isotonic, sigmoid
from ..manifest import Isotonic, Temperature
from .splitting import folds

PENALTIES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
"""Inverse regularisation, scikit-learn's C, for weights that sum to ``_TOTAL``."""
_TOTAL = 1000.0
_UNTESTED_PENALTY = 1e-4
"""Where a class has one source to learn from, none is left to choose by: rather too tame."""
_MOST_FOLDS = 10
_ENOUGH = 1000
"""Frames of each class above which a table is fitted; below it one temperature has to do, which
can't follow chance."""
_ENOUGH_SOURCES = 5
_SURE = 1e-3
"""No table says that something is certain."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Examples:
    """Of n frames in v variants: embeddings ``[n, v, size]``, truth ``[n]``, source ``[n]``."""

    embeddings: NDArray[np.float32]
    truth: NDArray[np.int64]
    sources: NDArray[np.str_]

    def where(self, chosen: NDArray[np.bool_]) -> Examples:
        return Examples(self.embeddings[chosen], self.truth[chosen], self.sources[chosen])

    def sources_of(self, truth: int) -> set[str]:
        return {str(source) for source in self.sources[self.truth == truth]}


@dataclass(frozen=True, slots=True)
class Head:
    """The logit of a signal is ``embedding @ weight + bias``; ``weight`` is ``[size]``."""

    weight: Floats
    bias: float

    def logits(self, embeddings: NDArray[np.float32]) -> Floats:
        """``[n]`` of embeddings ``[n, size]``."""
        return np.asarray(embeddings.astype(np.float64) @ self.weight + self.bias)


@dataclass(frozen=True, slots=True)
class Trained:
    """A head with what was chosen for it, and its out-of-fold probabilities ``[n]``, if any."""

    head: Head
    penalty: float
    calibration: Temperature | Isotonic
    threshold: float
    out_of_fold: Floats | None


def train_head(
    examples: Examples, fpr: float, seed: int, on_fit: Callable[[int, int], None]
) -> Trained:
    """A head for ``examples``, of which both classes are there.

    Its threshold is the lowest from 0.5 up that out-of-fold at most the share ``fpr`` of frames
    without the signal reaches, each source counting alike. Where a class has one source only,
    nothing can be chosen: the regularisation is strong, the threshold 0.5, the temperature 1.
    ``on_fit`` is told how many fits are done, and of how many.
    """
    parts = folds(examples.sources_of(1), examples.sources_of(0), seed, _MOST_FOLDS)
    if not parts:
        head = _fit(examples, [_UNTESTED_PENALTY])[0]
        on_fit(1, 1)
        return Trained(head, _UNTESTED_PENALTY, Temperature(1.0), 0.5, None)
    scored = np.empty((len(PENALTIES), len(examples.truth)))
    for number, part in enumerate(parts, 1):
        inside = np.isin(examples.sources, sorted(part))
        heads = _fit(examples.where(~inside), PENALTIES)
        scored[:, inside] = [head.logits(examples.embeddings[inside, 0]) for head in heads]
        on_fit(number, len(parts) + 1)
    weights = balance(examples.truth, examples.sources)
    # Each judged as it would be calibrated, so that the choice is not one of scale.
    fits = [_fit_platt(logits, examples.truth, weights) for logits in scored]
    best = int(np.argmin([fit.loss for fit in fits]))
    shift = fits[best].shift
    calibration, calibrated = _calibrate(
        scored[best] + shift, fits[best].temperature, examples, weights
    )
    threshold = operating_point(
        calibrated[examples.truth == 0], examples.sources[examples.truth == 0], fpr
    )
    head = _fit(examples, [PENALTIES[best]])[0]
    on_fit(len(parts) + 1, len(parts) + 1)
    shifted = Head(head.weight, head.bias + shift)
    return Trained(shifted, PENALTIES[best], calibration, threshold, calibrated)


def balance(truth: NDArray[np.int64], sources: NDArray[np.str_]) -> Floats:
    """Weights ``[n]`` by which classes count alike, and sources within a class; they sum to 1000.

    So a long video of one game counts no more than a short one of another.
    """
    weights = np.zeros(len(truth))
    for value in np.unique(truth):
        members = truth == value
        names, place, counts = np.unique(sources[members], return_inverse=True, return_counts=True)
        weights[members] = 1 / (len(names) * counts[place])
    return np.asarray(weights * (_TOTAL / weights.sum()))


def operating_point(negatives: Floats, sources: NDArray[np.str_], fpr: float) -> float:
    """The lowest threshold from 0.5 up, of four decimals, that a share ``fpr`` reaches at most."""
    weights = balance(np.zeros(len(negatives), np.int64), sources) / _TOTAL
    order = np.argsort(-negatives, kind="stable")
    reaching = np.cumsum(weights[order])
    above = negatives[order][reaching > fpr + 1e-9]
    lowest = float(np.nextafter(above[0], np.inf)) if len(above) else 0.0
    return min(max(math.ceil(lowest * 1e4) / 1e4, 0.5), 1.0)


def _fit(examples: Examples, penalties: Sequence[float]) -> list[Head]:
    """A head for each of the ascending ``penalties``, standardisation folded in."""
    count, copies, size = examples.embeddings.shape
    rows = examples.embeddings.reshape(count * copies, size).astype(np.float64)
    weights = np.repeat(balance(examples.truth, examples.sources), copies) / copies
    truth = np.repeat(examples.truth, copies)
    middle = np.average(rows, axis=0, weights=weights)
    spread = np.sqrt(np.average((rows - middle) ** 2, axis=0, weights=weights))
    # Features that hardly move here may move elsewhere, and would then decide alone.
    spread = np.maximum(spread, spread.mean() / 10 + 1e-12)
    model: Any = LogisticRegression(warm_start=True, max_iter=1000, tol=1e-4)
    heads = []
    for penalty in penalties:
        model.set_params(C=penalty)
        model.fit((rows - middle) / spread, truth, sample_weight=weights)
        weight = model.coef_[0] / spread
        heads.append(Head(weight, float(model.intercept_[0] - middle @ weight)))
    return heads


def _calibrate(
    logits: Floats, temperature: float, examples: Examples, weights: Floats
) -> tuple[Temperature | Isotonic, Floats]:
    """The calibration, and what it makes of ``logits``."""
    enough = all(
        (examples.truth == value).sum() >= _ENOUGH
        and len(examples.sources_of(value)) >= _ENOUGH_SOURCES
        for value in (0, 1)
    )
    if not enough:
        scores = sigmoid(logits.astype(np.float32), temperature)
        return Temperature(temperature), scores.astype(np.float64)
    plain = sigmoid(logits.astype(np.float32))
    model: Any = IsotonicRegression(y_min=_SURE, y_max=1 - _SURE, out_of_bounds="clip")
    model.fit(plain.astype(np.float64), examples.truth, sample_weight=weights)
    table = Isotonic(tuple(model.X_thresholds_.tolist()), tuple(model.y_thresholds_.tolist()))
    looked_up = isotonic(plain, table.scores, table.probabilities)
    return table, looked_up.astype(np.float64)


class _Platt(NamedTuple):
    """``(logit + shift) / temperature`` has the smallest loss; Platt (1999) in other terms."""

    shift: float
    temperature: float
    loss: float


def _fit_platt(logits: Floats, truth: NDArray[np.int64], weights: Floats) -> _Platt:
    """What heads are off by, on sources that they have not seen; of four decimals."""

    def loss(at: Floats) -> float:
        return _loss((logits + at[0]) / math.exp(at[1]), truth, weights)

    bounds = [(-20, 20), (math.log(0.05), math.log(20))]
    found = minimize(loss, np.zeros(2), method="L-BFGS-B", bounds=bounds)
    return _Platt(round(float(found.x[0]), 4), round(math.exp(found.x[1]), 4), float(found.fun))


def _loss(logits: Floats, truth: NDArray[np.int64], weights: Floats) -> float:
    """Mean negative log-likelihood in nats."""
    signed = np.where(truth == 1, -logits, logits)
    return float((weights * np.logaddexp(0, signed)).sum() / weights.sum())
