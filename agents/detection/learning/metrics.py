"""What is measured of scores and rates, with 95 % intervals. Pure.

Scores are arrays ``[n]``, higher for what is looked for; ``positives`` are those of frames that
have it and ``negatives`` those of frames that don't. Intervals take frames for independent.
Frames of one video are not: they are alike, so the real uncertainty is larger the fewer the
sources, and figures are to be read beside the number of sources that they rest on.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincinv

_Z = 1.959963984540054
"""Quantile of the normal distribution that leaves 2.5 % above it."""
_TAIL = 0.025
_RESAMPLES = 1000

Scores = NDArray[np.float64]


class Interval(NamedTuple):
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


class Recall(NamedTuple):
    """The share of positives at or above ``threshold``, and its 95 % interval."""

    value: float
    low: float
    high: float
    threshold: float


def wilson(fired: int, frames: int) -> tuple[float, float]:
    """95 % interval of the rate ``fired / frames``; 0 to 1 where there are no frames.

    Wilson, "Probable inference, the law of succession, and statistical inference" (1927): unlike
    the normal approximation it holds for rates near 0, as false-positive rates are.
    """
    if frames == 0:
        return 0.0, 1.0
    rate, spread = fired / frames, _Z**2 / frames
    centre = rate + spread / 2
    half = _Z * math.sqrt(rate * (1 - rate) / frames + spread / (4 * frames))
    low, high = (centre - half) / (1 + spread), (centre + half) / (1 + spread)
    # The bounds at 0 and at all are exact; only rounding moves them.
    return (low if fired else 0.0), (high if fired < frames else 1.0)


def auc(positives: ArrayLike, negatives: ArrayLike, seed: int = 0) -> Interval:
    """Area under the ROC curve: how often a positive stands above a negative, ties half.

    The interval is the percentile bootstrap (Efron and Tibshirani, "An Introduction to the
    Bootstrap", 1993, ch. 13) over 1000 resamples of each class by itself. NaN throughout where a
    class is empty.
    """
    above, below = _scores(positives), _scores(negatives)
    if not len(above) or not len(below):
        return Interval(math.nan, math.nan, math.nan)
    # As counts of each distinct score, lowest first, a resample is one draw from a multinomial.
    _, place = np.unique(np.concatenate([above, below]), return_inverse=True)
    levels = int(place.max()) + 1
    ups = np.bincount(place[: len(above)], minlength=levels)
    downs = np.bincount(place[len(above) :], minlength=levels)
    rng = np.random.default_rng(seed)
    drawn = [
        _area(
            rng.multinomial(len(above), ups / len(above)),
            rng.multinomial(len(below), downs / len(below)),
        )
        for _ in range(_RESAMPLES)
    ]
    low, high = np.quantile(drawn, [_TAIL, 1 - _TAIL])
    return Interval(_area(ups, downs), float(low), float(high))


def recall_at_fpr(positives: ArrayLike, negatives: ArrayLike, fpr: float, seed: int = 0) -> Recall:
    """Recall at the lowest threshold that at most the share ``fpr`` of the negatives reaches.

    The interval is the wider of Wilson's at that threshold and of the percentile bootstrap of both
    classes: the first knows nothing of the threshold's own uncertainty, which is most of it where
    negatives are few, and the second has no width at a recall of 0 or 1. NaN throughout where a
    class is empty.
    """
    above, below = np.sort(_scores(positives)), np.sort(_scores(negatives))
    if not len(above) or not len(below):
        return Recall(math.nan, math.nan, math.nan, math.nan)
    threshold = _threshold(below, fpr)
    reached = _reaching(above, threshold)
    rng = np.random.default_rng(seed)
    drawn = [
        _reaching(
            np.sort(rng.choice(above, len(above))),
            _threshold(np.sort(rng.choice(below, len(below))), fpr),
        )
        / len(above)
        for _ in range(_RESAMPLES)
    ]
    low, high = np.quantile(drawn, [_TAIL, 1 - _TAIL])
    wilson_low, wilson_high = wilson(reached, len(above))
    return Recall(
        reached / len(above),
        min(float(low), wilson_low),
        max(float(high), wilson_high),
        threshold,
    )


def expected_calibration_error(truth: ArrayLike, scores: ArrayLike, bins: int = 10) -> float:
    """How far scores are from the share of positives among frames that score alike, on average.

    ``truth`` ``[n]`` is 0 or 1, ``scores`` ``[n]`` 0 to 1; bins are of equal width and weigh by
    their frames. Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning"
    (2015). NaN where there are no frames.
    """
    labels, values = _scores(truth), _scores(scores)
    if not len(values):
        return math.nan
    number = np.minimum((values * bins).astype(int), bins - 1)
    gaps = np.bincount(number, weights=labels - values, minlength=bins)
    return float(np.abs(gaps).sum() / len(values))


def rate_per_hours(events: int, hours: float, per: float = 1.0) -> Interval:
    """Events in ``per`` hours where ``events`` were counted in ``hours``, and its 95 % interval.

    The interval is exact for a Poisson process: Garwood, "Fiducial Limits for the Poisson
    Distribution" (1936). Without hours nothing is known: NaN, 0 and infinity.
    """
    if hours <= 0:
        return Interval(math.nan, 0.0, math.inf)
    # Half a quantile of chi-square with 2k degrees of freedom is one of gamma with shape k.
    low = float(gammaincinv(events, _TAIL)) if events else 0.0
    high = float(gammaincinv(events + 1, 1 - _TAIL))
    scale = per / hours
    return Interval(events * scale, low * scale, high * scale)


def _scores(values: ArrayLike) -> Scores:
    return np.asarray(values, np.float64).ravel()


def _area(ups: NDArray[np.int64], downs: NDArray[np.int64]) -> float:
    """From counts ``[levels]`` of positives and negatives by ascending score (Mann-Whitney)."""
    below = np.cumsum(downs) - downs
    return float((ups * (below + downs / 2)).sum() / (ups.sum() * downs.sum()))


def _threshold(ascending: Scores, fpr: float) -> float:
    """The lowest that no more than the share ``fpr`` of ``ascending`` reaches."""
    # The tiny share keeps 0.005 * 1000 from being 4.999….
    allowed = int(fpr * len(ascending) * (1 + 1e-12))
    if allowed >= len(ascending):
        return float(ascending[0])
    return float(np.nextafter(ascending[-1 - allowed], np.inf))


def _reaching(ascending: Scores, threshold: float) -> int:
    return int(len(ascending) - np.searchsorted(ascending, threshold))
