"""The figures of a benchmark as plots for people: cost against streams, latency against load."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

Figures = Mapping[str, Any]
_BROKERS = {"embedded": "embedded broker", "kafka": "Apache Kafka"}


def draw(told: Figures, folder: Path) -> list[Path]:
    """What of ``build/bench.json`` can be drawn, as PNG in ``folder``; which files were written."""
    plots: dict[str, tuple[str, Callable[[Axes, Figures], None]]] = {
        "bench-cost.png": ("scale", _draw_cost),
        "bench-latency.png": ("latency", _draw_latency),
    }
    drawn = []
    for name, (section, draw_on) in plots.items():
        measured = dict(_measured(told.get(section, {})))
        if measured:
            _save(folder / name, measured, draw_on)
            drawn.append(folder / name)
    return drawn


def _measured(section: Figures) -> Iterator[tuple[str, Figures]]:
    """By broker, what was not skipped."""
    for kind, title in _BROKERS.items():
        if kind in section and "skipped" not in section[kind]:
            yield title, section[kind]


def _save(
    path: Path, measured: Mapping[str, Figures], draw_on: Callable[[Axes, Figures], None]
) -> None:
    """One plot a broker, side by side on one scale."""
    figure = Figure(figsize=(7 * len(measured), 5), layout="constrained")
    FigureCanvasAgg(figure)
    row = figure.subplots(1, len(measured), squeeze=False, sharey=True)[0]
    for axes, (title, figures) in zip(row, measured.items(), strict=True):
        draw_on(axes, figures)
        axes.set_title(title)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _draw_cost(axes: Axes, figures: Figures) -> None:
    costs: Mapping[str, Mapping[str, float]] = figures["cpu_us"]
    streams = [int(number) for number in costs]
    medians = [cost["median"] for cost in costs.values()]
    beyond = [
        [cost["median"] - cost["least"] for cost in costs.values()],
        [cost["most"] - cost["median"] for cost in costs.values()],
    ]
    axes.errorbar(streams, medians, beyond, fmt="o-", capsize=4, label="median, least and most")
    axes.set(xscale="log", xlabel="streams", ylabel="CPU of both workers, µs a frame")
    axes.set_ylim(bottom=0)


def _draw_latency(axes: Axes, figures: Figures) -> None:
    for number, (name, run) in enumerate(figures.items()):
        if not isinstance(run, Mapping):
            continue
        loads = {it: at for it, at in run.items() if it.endswith("%") and "p50" in at}
        shares = [int(load.removesuffix("%")) for load in loads]
        for percentile, line in (("p50", "-"), ("p99", "--")):
            heights = [at[percentile] for at in loads.values()]
            axes.plot(
                shares, heights, f"o{line}", color=f"C{number}", label=f"{name}: {percentile}"
            )
    axes.set(yscale="log", xlabel="load, % of the capacity", ylabel="frame to takedown, ms")


if __name__ == "__main__":
    source = Path(sys.argv[1] if sys.argv[1:] else "build/bench.json")
    for path in draw(json.loads(source.read_text()), source.parent):
        print(path)
