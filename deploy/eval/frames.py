"""Rates over frames: what is measured of each source by itself, in ``eval.json``'s terms. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.detection.learning import metrics

from .localisation import PointingGame
from .sessions import Scores

FALSE_POSITIVES = 0.005
BINS = 10


@dataclass(frozen=True, slots=True)
class Frames:
    """Judged frames of one source: ``scores`` ``[n, signals]``, from ``clips`` clips."""

    name: str
    kind: str
    role: str
    clips: int
    scores: Scores


@dataclass(frozen=True, slots=True)
class Signals:
    """The bundle's signals in the order of the scores, with their operating thresholds."""

    names: tuple[str, ...]
    thresholds: tuple[float, ...]

    def column(self, scores: Scores, name: str) -> Scores:
        """``[n]``, the scores of signal ``name``."""
        return scores[:, self.names.index(name)]

    def joined(self, sources: Sequence[Frames], name: str) -> Scores:
        """``[n]``, the scores of signal ``name`` of all frames of ``sources``."""
        return np.concatenate([self.column(one.scores, name) for one in sources])

    def threshold(self, name: str) -> float:
        return self.thresholds[self.names.index(name)]

    def on(self, scores: Scores, name: str) -> NDArray[np.bool_]:
        """``[n]``, whether ``name`` is at or above its threshold; never, where there is none."""
        if name not in self.names:
            return np.zeros(len(scores), bool)
        return self.column(scores, name) >= self.threshold(name)


def share(fired: NDArray[np.bool_], suffix: str = "") -> dict[str, Any]:
    """How many of ``fired`` are true, as a count, a rate and an interval."""
    count = int(fired.sum())
    return {
        f"fired{suffix}": count,
        f"rate{suffix}": count / len(fired),
        f"ci95{suffix}": list(metrics.wilson(count, len(fired))),
    }


def real_firearm(scores: Scores, signals: Signals) -> dict[str, Any]:
    """How many frames are judged a real firearm, and how many before fiction is considered."""
    firearm = signals.on(scores, "firearm")
    fictional = signals.on(scores, "fictional")
    return {
        "frames": len(scores),
        **share(firearm & ~fictional),
        **share(firearm, "_firearm_alone"),
    }


def measure_sources(sources: Sequence[Frames], signals: Signals) -> dict[str, Any]:
    return {
        one.name: {
            "kind": one.kind,
            "role": one.role,
            "clips": one.clips,
            **real_firearm(one.scores, signals),
        }
        for one in sources
    }


def separate(positives: Scores, negatives: Scores) -> dict[str, Any]:
    """How well ``positives`` ``[n]`` stand above ``negatives`` ``[m]``."""
    area = metrics.auc(positives, negatives)
    recall = metrics.recall_at_fpr(positives, negatives, FALSE_POSITIVES)
    return {
        "auc": area.value,
        "auc_ci95": [area.low, area.high],
        "recall_at_fpr_0.005": recall.value,
        "recall_at_fpr_0.005_ci95": [recall.low, recall.high],
        "threshold_at_fpr_0.005": recall.threshold,
        "positives": len(positives),
        "negatives": len(negatives),
    }


def measure_firearm(
    photographs: Scores, ordinary: Sequence[Frames], signals: Signals
) -> dict[str, Any]:
    """The photographs' firearm signal against each ordinary source and against all of them."""
    positives = signals.column(photographs, "firearm")

    def against(sources: Sequence[Frames]) -> dict[str, Any]:
        negatives = signals.joined(sources, "firearm")
        return {**separate(positives, negatives), "clips": sum(one.clips for one in sources)}

    return {
        **against(ordinary),
        "threshold": signals.threshold("firearm"),
        "by_source": {one.name: against([one]) for one in ordinary},
    }


def measure_fictional(
    fictions: Sequence[Frames], others: Sequence[Frames], signals: Signals
) -> dict[str, Any] | None:
    """The fictional signal of each game and film against ordinary footage, and how often it is on,
    on everything real too: there it would keep a real attack from being taken down."""
    if "fictional" not in signals.names:
        return None
    ordinary = [one for one in others if one.kind == "ordinary"]
    by_source: dict[str, Any] = {}
    for one in [*fictions, *others]:
        by_source[one.name] = {
            "kind": one.kind,
            "frames": len(one.scores),
            **share(signals.on(one.scores, "fictional")),
        }
    if ordinary:
        negatives = signals.joined(ordinary, "fictional")
        for one in fictions:
            area = metrics.auc(signals.column(one.scores, "fictional"), negatives)
            by_source[one.name] |= {"auc": area.value, "auc_ci95": [area.low, area.high]}
    return {"threshold": signals.threshold("fictional"), "by_source": by_source}


def measure_calibration(positives: Scores, negatives: Scores) -> dict[str, Any]:
    """Expected calibration error over equal bins, and the bins that have frames."""
    scores = np.r_[positives, negatives]
    truth = np.r_[np.ones(len(positives)), np.zeros(len(negatives))]
    numbers = np.minimum((scores * BINS).astype(int), BINS - 1)
    chosen = [numbers == number for number in range(BINS)]
    return {
        "ece": metrics.expected_calibration_error(truth, scores, BINS),
        "positives": len(positives),
        "negatives": len(negatives),
        "bins": [
            {
                "mean": float(scores[inside].mean()),
                "rate": float(truth[inside].mean()),
                "n": int(inside.sum()),
            }
            for inside in chosen
            if inside.any()
        ],
    }


def measure_localisation(game: PointingGame, fired: NDArray[np.bool_]) -> dict[str, Any]:
    """The pointing game over all photographs and over those that the signal fired on."""
    chosen = {"all": np.ones(len(fired), bool), "judged a firearm": fired}
    return {
        name: {
            "n": int(which.sum()),
            **share(game.hit[which]),
            "centre": float(game.centre[which].mean()),
            "chance": float(game.chance[which].mean()),
        }
        for name, which in chosen.items()
        if which.any()
    }


def list_aims(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The aims of the issue beside what was measured; ``met`` is null where nothing was."""
    firearm, hours = found["firearm"], found["stream_hours"]
    games = [one for one in found["sources"].values() if one["kind"] == "game"]
    worst = max((one["rate"] for one in games), default=None)
    play, ordinary = hours.get("game"), hours.get("ordinary")
    lines = [
        ("firearm AUC", "≥ 0.975", firearm["auc"], 0.975, 1),
        (
            "recall at a false-positive rate of 0.5 %",
            "≥ 0.80",
            firearm["recall_at_fpr_0.005"],
            0.8,
            1,
        ),
        ("frames of the worst test game judged a real firearm", "≤ 1 %", worst, 0.01, -1),
        ("takedowns per 100 h of play", "0", _per_hundred(play, "takedowns"), 0.0, -1),
        (
            "takedowns per 100 h of ordinary video",
            "0",
            _per_hundred(ordinary, "takedowns"),
            0.0,
            -1,
        ),
        (
            "escalations per 100 h of ordinary video",
            "≤ 1",
            _per_hundred(ordinary, "escalations"),
            1.0,
            -1,
        ),
    ]
    return [
        {
            "what": what,
            "aim": aim,
            "reached": reached,
            "met": None if reached is None else sign * reached >= sign * bound,
        }
        for what, aim, reached, bound, sign in lines
    ]


def _per_hundred(hours: Mapping[str, Any] | None, what: str) -> float | None:
    return None if hours is None else float(hours[f"{what}_per_1000_hours"]) / 10
