"""The plots of an evaluation, as PNG: one file a signal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve, roc_curve

from .evaluation import FPR, Judged

_BINS = 10


def draw(judged: Judged, folder: Path) -> list[Path]:
    """PR and ROC by source of positives, and calibration, of each signal with both classes."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for signal in judged.signals:
        if {0, 1} <= set(judged.truths_of(signal).tolist()):
            path = folder / f"{signal}.png"
            _draw_signal(judged, signal, path)
            drawn.append(path)
    return drawn


def _draw_signal(judged: Judged, signal: str, path: Path) -> None:
    figure = Figure(figsize=(18, 5.5), layout="constrained")
    FigureCanvasAgg(figure)
    roc, pr, reliability = figure.subplots(1, 3)
    truths, scores, sources = judged.truths_of(signal), judged.scores_of(signal), judged.sources()
    negatives = scores[truths == 0]
    for source in sorted(set(sources[truths == 1].tolist())):
        positives = scores[(truths == 1) & (sources == source)]
        truth = np.r_[np.ones(len(positives)), np.zeros(len(negatives))]
        values = np.r_[positives, negatives]
        fpr, tpr, _ = roc_curve(truth, values)
        precision, recall, _ = precision_recall_curve(truth, values)
        roc.step(fpr, tpr, where="post", label=f"{source} ({len(positives)})")
        pr.step(recall, precision, where="post")
    roc.axvline(FPR, color="grey", linestyle=":")
    roc.set(xlabel="false-positive rate a frame", ylabel="recall", title="ROC", xlim=(0, 1))
    pr.set(xlabel="recall", ylabel="precision", title="precision at the proportions of each source")
    known = truths >= 0
    _draw_calibration(reliability, truths[known], scores[known])
    for axes in (roc, pr, reliability):
        axes.set_ylim(0, 1.02)
        axes.grid(alpha=0.3)
    figure.suptitle(f"{signal}: each source's positives against {len(negatives)} negatives")
    figure.legend(loc="outside lower center", ncols=4, fontsize=8)
    # Without the version of what drew it, the same figures give the same bytes.
    figure.savefig(path, dpi=100, metadata={"Software": None})


def _draw_calibration(
    axes: Axes,
    truths: np.ndarray[tuple[int], np.dtype[np.int64]],
    scores: np.ndarray[tuple[int], np.dtype[np.float32]],
) -> None:
    """How often it is so, by what the signal says; each point with its number of frames."""
    number = np.minimum((scores * _BINS).astype(int), _BINS - 1)
    filled = sorted(set(number.tolist()))
    means = [float(scores[number == one].mean()) for one in filled]
    shares = [float(truths[number == one].mean()) for one in filled]
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
    axes.plot(means, shares, "o-")
    for mean, share, one in zip(means, shares, filled, strict=True):
        axes.annotate(str((number == one).sum()), (mean, share), fontsize=7)
    axes.set(xlabel="signal", ylabel="share of positives", title="calibration", xlim=(0, 1))
