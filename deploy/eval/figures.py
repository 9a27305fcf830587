"""The plots of an evaluation, as PNG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .evaluation import Evaluation
from .frames import Signals
from .sessions import Scores

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_AIM_FPR, _AIM_RECALL = 0.005, 0.8
_LEAST_FPR = 1e-4


def draw_figures(folder: Path, evaluation: Evaluation, signals: Signals) -> list[tuple[str, str]]:
    """Draws what there is to see into ``folder``; file names and captions."""
    drawn: list[tuple[str, str]] = []

    def draw(name: str, caption: str) -> Path:
        drawn.append((name, caption))
        return folder / name

    firearm = {
        one.name: signals.column(one.scores, "firearm")
        for one in [*evaluation.firearms, *evaluation.sources]
    }
    photographs = [one for one in evaluation.firearms if one.kind == "photographs"]
    sources = {one.name: firearm[one.name] for one in evaluation.sources}
    if photographs and sources:
        path = draw("curves.png", "Firearm: ROC and precision-recall of the photographs by source")
        draw_curves(path, firearm[photographs[0].name], sources)
    if firearm:
        path = draw("scores.png", "Firearm signal by source")
        draw_scores(path, signals.threshold("firearm"), firearm)
    if any(evaluation.times.values()):
        draw_times(draw("times.png", "Time from the first firearm to effect"), evaluation.times)
    if calibration := evaluation.found["calibration"]:
        draw_calibration(draw("calibration.png", "Calibration, with frames a bin"), calibration)
    return drawn


def draw_curves(path: Path, positives: Scores, negatives: Mapping[str, Scores]) -> None:
    """ROC and precision-recall of ``positives`` ``[n]`` against each source of ``negatives``."""
    from sklearn.metrics import precision_recall_curve, roc_curve

    figure, (roc, pr) = _figure(2)
    for name, scores in negatives.items():
        truth = np.r_[np.ones(len(positives)), np.zeros(len(scores))]
        values = np.r_[positives, scores]
        fpr, tpr, _ = roc_curve(truth, values)
        precision, recall, _ = precision_recall_curve(truth, values)
        label = f"{name} ({len(scores)})"
        roc.step(np.maximum(fpr, _LEAST_FPR), tpr, where="post", label=label)
        pr.step(recall, precision, where="post", label=label)
    roc.plot(_AIM_FPR, _AIM_RECALL, "k*", markersize=12, label="aim, on ordinary footage")
    roc.set(xscale="log", xlim=(_LEAST_FPR, 1), ylim=(0, 1.02))
    roc.set(xlabel="false-positive rate a frame", ylabel="recall on the photographs", title="ROC")
    pr.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
    pr.set(title="precision and recall, at the proportions tested")
    _legend_below(figure, roc)
    _save(figure, path)


def draw_scores(path: Path, threshold: float, sources: Mapping[str, Scores]) -> None:
    """How high ``firearm`` goes in each source: the share of frames at or above each score."""
    figure, (axes,) = _figure(1)
    for name, scores in sources.items():
        ordered = np.sort(scores)[::-1]
        share = np.arange(1, len(ordered) + 1) / len(ordered)
        axes.step(np.maximum(ordered, 1e-5), share, label=f"{name} ({len(scores)})")
    axes.axvline(threshold, color="black", linestyle=":", label=f"threshold {threshold:g}")
    axes.set(xscale="log", yscale="log", xlim=(1e-5, 1), xlabel="firearm signal")
    axes.set(ylabel="share of frames at or above it", title="firearm signal by source")
    _legend_below(figure, axes)
    _save(figure, path)


def draw_times(path: Path, times: Mapping[str, Sequence[float]]) -> None:
    """For each effect the share of attacks that it had come to, by seconds from the onset."""
    figure, (axes,) = _figure(1)
    for effect, seconds in times.items():
        finite = [one for one in seconds if math.isfinite(one)]
        share = np.arange(1, len(finite) + 1) / max(len(seconds), 1)
        axes.step([0, *finite], [0, *share], where="post", label=f"{effect} (n={len(seconds)})")
    axes.set(xlim=(0, None), ylim=(0, 1.02), xlabel="seconds from the first firearm, event time")
    axes.set(ylabel="share of re-sampled drills", title="time to detection")
    axes.legend()
    _save(figure, path)


def draw_calibration(path: Path, calibration: Mapping[str, Mapping[str, Any]]) -> None:
    """Reliability of each signal: how often it was so, by what the signal said."""
    figure, all_axes = _figure(max(len(calibration), 1))
    for axes, (signal, measured) in zip(all_axes, calibration.items(), strict=False):
        bins = measured["bins"]
        axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
        axes.plot([one["mean"] for one in bins], [one["rate"] for one in bins], "o-")
        for one in bins:
            axes.annotate(str(one["n"]), (one["mean"], one["rate"]), fontsize=7)
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="signal", ylabel="share of positives")
        axes.set(title=f"{signal}: expected calibration error {measured['ece']:.3f}")
    _save(figure, path)


def _figure(columns: int) -> tuple[Figure, list[Axes]]:
    from cycler import cycler
    from matplotlib import rcParams
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.5 * columns, 5), layout="constrained")
    FigureCanvasAgg(figure)
    all_axes = list(figure.subplots(1, columns, squeeze=False)[0])
    for axes in all_axes:
        # Every colour once solid and once dashed: there may be many sources.
        axes.set_prop_cycle(cycler(linestyle=["-", "--"]) * rcParams["axes.prop_cycle"])
    return figure, all_axes


def _legend_below(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    columns = 1 if len(figure.axes) == 1 else 3
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, fontsize=8)


def _save(figure: Figure, path: Path) -> None:
    for axes in figure.axes:
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110, metadata={"Software": None})
