"""A bundle measured on the frames of a corpus: source by source, never one pooled rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..bundle import ModelBundle
from . import metrics
from .backbone import OnProgress, decode_frames
from .corpus import Corpus, Frame

FPR = 0.005
"""The false-positive rate at which recall is told."""
_BATCH = 16


class Rate(msgspec.Struct, frozen=True):
    """How many frames of one source reached one signal's threshold.

    ``truth`` is 1 or 0 for the frames that are known to have the signal or not to have it, and
    ``None`` for those of which it is not known: the same rate is recall in the first, false
    positives in the second.
    """

    source: str
    label: str
    signal: str
    truth: int | None
    frames: int
    fired: int
    rate: float
    ci95: tuple[float, float]


class Separation(msgspec.Struct, frozen=True):
    """How well a signal tells positives from negatives. ``source`` is whose positives, or all's.

    Recall is at the false-positive rate 0.005, on this footage.
    """

    signal: str
    source: str | None
    positives: int
    negatives: int
    auc: float
    auc_ci95: tuple[float, float]
    recall: float
    recall_ci95: tuple[float, float]
    recall_threshold: float


class Calibration(msgspec.Struct, frozen=True):
    """How far a signal's scores are from what is so, in the proportions of this footage."""

    signal: str
    frames: int
    expected_error: float


class Figures(msgspec.Struct, frozen=True):
    """What was measured; a signal is on at or above its threshold."""

    thresholds: dict[str, float]
    rates: tuple[Rate, ...]
    separations: tuple[Separation, ...]
    calibrations: tuple[Calibration, ...]


class Evaluation(msgspec.Struct, frozen=True):
    """What was measured of a bundle."""

    bundle: str
    bundle_digest: str
    execution: str
    corpus_digest: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Judged:
    """Frames with a bundle's scores ``[frames, signals]`` of them."""

    frames: Sequence[Frame]
    signals: Sequence[str]
    scores: NDArray[np.floating[Any]]

    def scores_of(self, signal: str) -> NDArray[np.floating[Any]]:
        """``[frames]``."""
        return self.scores[:, list(self.signals).index(signal)]

    def truths_of(self, signal: str) -> NDArray[np.int64]:
        """``[frames]``: 1, 0, or -1 where it is not known."""
        return np.array([frame.signals.get(signal, -1) for frame in self.frames], np.int64)

    def sources(self) -> NDArray[np.str_]:
        """``[frames]``."""
        return np.array([frame.source for frame in self.frames])


def judge_frames(
    bundle: ModelBundle, corpus: Corpus, frames: Sequence[Frame], on_progress: OnProgress
) -> Judged:
    """Raises ``LearningFailed`` for a frame that can't be read, ``InferenceFailed``."""
    scores = [np.empty((0, len(bundle.signal_names)), np.float32)]
    for first in range(0, len(frames), _BATCH):
        batch = frames[first : first + _BATCH]
        scores.append(bundle.judge(decode_frames(bundle, corpus, batch)))
        on_progress("judging", first + len(batch), len(frames))
    return Judged(frames, bundle.signal_names, np.concatenate(scores))


def evaluate(bundle: ModelBundle, corpus: Corpus, judged: Judged, seed: int = 0) -> Evaluation:
    """``judged`` by ``bundle``, measured; ``seed`` is that of the intervals' resampling."""
    thresholds = {signal.name: signal.threshold for signal in bundle.manifest.signals}
    return Evaluation(
        bundle=bundle.label,
        bundle_digest=bundle.digest,
        execution=str(bundle.execution),
        corpus_digest=corpus.digest,
        figures=measure(judged, thresholds, seed),
    )


def measure(judged: Judged, thresholds: Mapping[str, float], seed: int = 0) -> Figures:
    """Rates of every signal, and the rest of those with positives and negatives."""
    separations: list[Separation] = []
    calibrations: list[Calibration] = []
    for signal in judged.signals:
        truths, scores = judged.truths_of(signal), judged.scores_of(signal)
        if {0, 1} <= set(truths.tolist()):
            separations.extend(_separations(signal, judged, seed))
            known = truths >= 0
            error = metrics.expected_calibration_error(truths[known], scores[known])
            calibrations.append(Calibration(signal, int(known.sum()), error))
    return Figures(
        dict(thresholds), tuple(_rates(judged, thresholds)), tuple(separations), tuple(calibrations)
    )


def _rates(judged: Judged, thresholds: Mapping[str, float]) -> list[Rate]:
    rates = []
    labels = np.array([frame.label for frame in judged.frames])
    sources = judged.sources()
    for signal in judged.signals:
        truths = judged.truths_of(signal)
        fired = judged.scores_of(signal) >= thresholds[signal]
        kinds = {(str(s), str(k), int(t)) for s, k, t in zip(sources, labels, truths, strict=True)}
        for source, label, truth in sorted(kinds):
            members = (sources == source) & (labels == label) & (truths == truth)
            count, frames = int(fired[members].sum()), int(members.sum())
            rates.append(
                Rate(
                    source=source,
                    label=label,
                    signal=signal,
                    truth=truth if truth >= 0 else None,
                    frames=frames,
                    fired=count,
                    rate=count / frames,
                    ci95=metrics.wilson(count, frames),
                )
            )
    return rates


def _separations(signal: str, judged: Judged, seed: int) -> list[Separation]:
    """Of each source's positives from all negatives, and of all positives from them."""
    truths, scores, sources = judged.truths_of(signal), judged.scores_of(signal), judged.sources()
    negatives = scores[truths == 0]

    def separation(source: str | None, positives: NDArray[np.floating[Any]]) -> Separation:
        area = metrics.auc(positives, negatives, seed)
        recall = metrics.recall_at_fpr(positives, negatives, FPR, seed)
        return Separation(
            signal=signal,
            source=source,
            positives=len(positives),
            negatives=len(negatives),
            auc=area.value,
            auc_ci95=(area.low, area.high),
            recall=recall.value,
            recall_ci95=(recall.low, recall.high),
            recall_threshold=recall.threshold,
        )

    with_positives = sorted(set(sources[truths == 1].tolist()))
    return [
        *(
            separation(source, scores[(truths == 1) & (sources == source)])
            for source in with_positives
        ),
        separation(None, scores[truths == 1]),
    ]
