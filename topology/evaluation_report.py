"""An evaluation as tables on a terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from agents.detection.learning.evaluation import Evaluation

_TRUTHS = {1: "1", 0: "0", None: "?"}


def show(evaluation: Evaluation) -> None:
    """Rates by source, then how well positives and negatives are told apart, on stdout."""
    console, figures = Console(), evaluation.figures
    rates = Table(title=evaluation.bundle, box=box.SIMPLE, pad_edge=False)
    rates.add_column("source", overflow="fold", min_width=12)
    for heading in ("label", "signal", "truth", "frames", "fired", "rate", "95 %"):
        rates.add_column(heading, no_wrap=True, justify="left")
    for rate in figures.rates:
        rates.add_row(
            rate.source,
            rate.label,
            rate.signal,
            _TRUTHS[rate.truth],
            str(rate.frames),
            str(rate.fired),
            f"{rate.rate:.3f}",
            _interval(rate.ci95),
        )
    console.print(rates)
    at = ", ".join(f"{name} {value:g}" for name, value in figures.thresholds.items())
    console.print(f"fired: at or above {at}; truth: 1 has the signal, 0 has it not, ? not known")
    if not figures.separations:
        return
    table = Table("signal", "positives of", "1 / 0", "AUC", "recall at FPR 0.005", box=box.SIMPLE)
    for one in figures.separations:
        table.add_row(
            one.signal,
            one.source or "all of them",
            f"{one.positives} / {one.negatives}",
            f"{one.auc:.3f} ({_interval(one.auc_ci95)})",
            f"{one.recall:.3f} ({_interval(one.recall_ci95)})",
        )
    console.print(table)
    for calibration in figures.calibrations:
        console.print(
            f"{calibration.signal}: expected calibration error {calibration.expected_error:.3f} "
            f"on {calibration.frames} frames"
        )


def _interval(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:.3f}–{bounds[1]:.3f}"
