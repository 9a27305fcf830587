"""A stream's past as one plot: series over one axis of time, bounds, and marks. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from schemas import MICROSECONDS, RiskAssessed, WindowSummary

from .ports import History, Moment, PolicyNow, Sample, Threshold

_DECISIONS = frozenset(
    {
        "SamplingBoostRequested",
        "EscalationRaised",
        "TakedownRequested",
        "TakedownAcknowledged",
        "CommandAnswered",
        "DecisionReversed",
        "IncidentClosed",
    }
)
_MARKS = 60
"""The newest; more could not be told apart."""
FIREARM = "firearm"
FICTIONAL = "fictional"


@dataclass(frozen=True, slots=True)
class Series:
    """Values between 0 and 1, one for each of the plot's times; ``None`` where there is none."""

    label: str
    measure: str
    """As policies name it; a signal's own name for the scores of single frames."""
    values: list[float | None]
    at_first: bool = True
    """Whether it is drawn before somebody asks for it."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened."""

    at: float
    label: str
    event: str


@dataclass(frozen=True, slots=True)
class Bound:
    """A threshold of a rule."""

    value: float
    label: str
    rule: str
    measure: str
    """Of the series that it bounds."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Times are seconds since the epoch, in order."""

    times: list[float]
    series: list[Series]
    bounds: list[Bound]
    marks: list[Mark]
    omitted: list[str]


def _share(window: WindowSummary) -> float:
    on = next((it.on for it in window.signals if it.signal == FIREARM), 0)
    return on / window.observed if window.observed else 0.0


_ALWAYS = f"{FIREARM}.mean"
_WINDOWED: dict[str, tuple[str, Callable[[WindowSummary], float]]] = {
    _ALWAYS: ("firearm, mean of {} s", lambda window: window.mean),
    f"{FICTIONAL}.mean": ("fictional, mean of {} s", lambda window: window.fictional),
    f"{FIREARM}.share": ("firearm, share of {} s", _share),
    "coverage": ("watched share of {} s", lambda window: window.coverage),
}
"""What of a window lies between 0 and 1, in the order in which it is told; see
``decision.measures``."""
_AT_FIRST = frozenset({_ALWAYS, f"{FICTIONAL}.mean"})


def plot_of(history: History, policy: PolicyNow) -> Plot:
    """All of ``history`` on one axis, in event time."""
    times = sorted(
        {it.captured_at for it in history.samples} | {it.assessed_at for it in history.risks}
    )
    place = {at: number for number, at in enumerate(times)}
    bounded = {_measure(it) for rule in policy.rules for it in rule.thresholds}
    series = [*_signals(history.samples, place), *_risks(history.risks, place, bounded)]
    return Plot(
        times=[at / MICROSECONDS for at in times],
        series=series,
        bounds=_bounds(policy, series),
        marks=_marks(history.moments),
        omitted=list(history.omitted),
    )


def _signals(samples: Sequence[Sample], place: dict[int, int]) -> list[Series]:
    names = sorted(
        {name for it in samples for name in it.scores}, key=lambda it: (it != FIREARM, it)
    )
    found = {name: Series(_plain(name), name, [None] * len(place)) for name in names}
    for sample in samples:
        for name, score in sample.scores.items():
            found[name].values[place[sample.captured_at]] = round(score, 4)
    return list(found.values())


def _risks(risks: Sequence[RiskAssessed], place: dict[int, int], bounded: set[str]) -> list[Series]:
    """The risk, over each window the mean of its firearm signal, and what else is ``bounded``."""
    if not risks:
        return []
    told = Series("risk", "risk", [None] * len(place))
    found: dict[str, Series] = {}
    for risk in risks:
        at = place[risk.assessed_at]
        told.values[at] = round(risk.risk, 4)
        for window in risk.windows:
            for name, (words, read) in _WINDOWED.items():
                measure = f"{name}/{window.seconds:g}"
                if measure not in bounded and name != _ALWAYS:
                    continue
                if measure not in found:
                    label = words.format(f"{window.seconds:g}")
                    found[measure] = Series(label, measure, [None] * len(place), name in _AT_FIRST)
                found[measure].values[at] = round(read(window), 4)
    return [told, *(found[name] for name in sorted(found, key=_order))]


def _order(measure: str) -> tuple[int, float]:
    name, _, seconds = measure.partition("/")
    return list(_WINDOWED).index(name), float(seconds)


def _bounds(policy: PolicyNow, series: Sequence[Series]) -> list[Bound]:
    """Those of what is drawn, each once, with all the rules that it is of."""
    labels = {it.measure: it.label for it in series}
    rules: dict[tuple[str, float], list[str]] = {}
    for rule in policy.rules:
        for it in rule.thresholds:
            if (name := _measure(it)) in labels:
                rules.setdefault((name, it.value), []).append(rule.name)
    return [
        Bound(value, labels[name], ", ".join(dict.fromkeys(names)), name)
        for (name, value), names in sorted(rules.items())
    ]


def _measure(threshold: Threshold) -> str:
    if threshold.window:
        return f"{threshold.measure}/{threshold.window:g}"
    return threshold.measure


def _marks(moments: Iterable[Moment]) -> list[Mark]:
    told = [
        Mark(it.at / MICROSECONDS, it.what, it.event) for it in moments if it.event in _DECISIONS
    ]
    return told[-_MARKS:]


def _plain(signal: str) -> str:
    return signal.replace("_", " ")
