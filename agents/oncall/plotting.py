"""A stream's past as one plot: series over one axis of time, bounds, and marks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas import MICROSECONDS, RiskAssessed

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


@dataclass(frozen=True, slots=True)
class Series:
    """Values between 0 and 1, one for each of the plot's times; ``None`` where there is none."""

    label: str
    measure: str
    """As policies name it; a signal's own name for the scores of single frames."""
    values: list[float | None]


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


@dataclass(frozen=True, slots=True)
class Plot:
    """Times are seconds since the epoch, in order."""

    times: list[float]
    series: list[Series]
    bounds: list[Bound]
    marks: list[Mark]
    omitted: list[str]


def plot_of(history: History, policy: PolicyNow) -> Plot:
    """All of ``history`` on one axis, in event time."""
    times = sorted(
        {it.captured_at for it in history.samples} | {it.assessed_at for it in history.risks}
    )
    place = {at: number for number, at in enumerate(times)}
    series = [*_signals(history.samples, place), *_risks(history.risks, place)]
    return Plot(
        times=[at / MICROSECONDS for at in times],
        series=series,
        bounds=_bounds(policy, {it.measure for it in series}),
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


def _risks(risks: Sequence[RiskAssessed], place: dict[int, int]) -> list[Series]:
    """The risk, and over each window the mean of its firearm signal."""
    if not risks:
        return []
    found = {0.0: Series("risk", "risk", [None] * len(place))}
    for seconds in sorted({window.seconds for risk in risks for window in risk.windows}):
        measure = f"{FIREARM}.mean/{seconds:g}"
        found[seconds] = Series(_said(measure), measure, [None] * len(place))
    for risk in risks:
        at = place[risk.assessed_at]
        found[0.0].values[at] = round(risk.risk, 4)
        for window in risk.windows:
            found[window.seconds].values[at] = round(window.mean, 4)
    return list(found.values())


def _bounds(policy: PolicyNow, drawn: set[str]) -> list[Bound]:
    """Those of what is drawn, each once, with all the rules that it is of."""
    rules: dict[tuple[str, float], list[str]] = {}
    for rule in policy.rules:
        for it in rule.thresholds:
            if (name := _measure(it)) in drawn:
                rules.setdefault((name, it.value), []).append(rule.name)
    return [
        Bound(value, _said(name), ", ".join(dict.fromkeys(names)))
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


def _said(measure: str) -> str:
    signal, _, seconds = measure.partition(".mean/")
    return f"{_plain(signal)}, mean of {seconds} s" if seconds else _plain(signal)


def _plain(signal: str) -> str:
    return signal.replace("_", " ")
