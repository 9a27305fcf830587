"""What a policy can measure: how it is read, in which range it lies, and how it is said. Pure.

A measure that is not known reads ``None``. A signal that the model does not have reads 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from math import inf

from schemas import RiskAssessed, SignalSummary, WindowSummary

from .facts import Facts

FICTION = "fictional"
KNOWN_CONTENT = "known_content"
_NOUNS = {
    "firearm": "a firearm",
    FICTION: "a game or film",
    "first_person": "first-person footage",
    KNOWN_CONTENT: "known content",
}
SIGNALS = tuple(_NOUNS)


@dataclass(slots=True)
class Circumstances:
    """All that a rule may look at: the newest risk, if there is one, and the facts."""

    risk: RiskAssessed | None
    facts: Facts
    windows: dict[float, WindowSummary] = field(init=False)
    """By length, in seconds."""

    def __post_init__(self) -> None:
        self.windows = {it.seconds: it for it in self.risk.windows} if self.risk else {}


class Kind(StrEnum):
    """What a measure's values are, from which follows how a condition bounds them."""

    NUMBER = "number"
    WORD = "word"
    TRUTH = "truth"


Value = float | str | bool
Read = Callable[[Circumstances, float], Value | None]
"""Its second argument is the window's length in seconds, 0 for a measure without one."""
Say = Callable[[Circumstances, float, Value], str]


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure; numbers lie within ``lowest`` and ``highest``, both inclusive."""

    read: Read
    say: Say
    """The value in words."""
    windowed: bool = False
    longest: bool = False
    """Whether it goes by all frames of the longest window that there is."""
    kind: Kind = Kind.NUMBER
    lowest: float = 0.0
    highest: float = inf
    percent: bool = False
    """Whether people read it as a percentage."""
    signal: str = ""
    """Empty where it is not a signal's."""


def _over(take: Callable[[WindowSummary], float]) -> Read:
    def read(at: Circumstances, seconds: float) -> float | None:
        window = at.windows.get(seconds)
        return None if window is None else take(window)

    return read


_NOT_SEEN = SignalSummary(signal="", hits=0, on=0, mean=0.0)


def _summary(signal: str, window: WindowSummary) -> SignalSummary:
    for summary in window.signals:
        if summary.signal == signal:
            return summary
    return _NOT_SEEN


def _hits(signal: str, window: WindowSummary) -> int:
    return window.hits if signal == "firearm" else _summary(signal, window).hits


def _on(signal: str, window: WindowSummary) -> int:
    # A summary that was made before half seconds were counted has frames alone.
    return _summary(signal, window).on if window.observed else _hits(signal, window)


def _share(signal: str, window: WindowSummary) -> float:
    # Of time and not of frames: a boost must not make the latest seconds count for more.
    watched = window.observed or window.frames
    return _on(signal, window) / watched if watched else 0.0


def _mean(signal: str, window: WindowSummary) -> float:
    # These two are in the summary itself, also where one was made before signals were listed.
    if signal == "firearm":
        return window.mean
    return window.fictional if signal == FICTION else _summary(signal, window).mean


def _evidence(signal: str, at: Circumstances, _: float) -> float | None:
    if at.risk is None:
        return None
    for evidence in at.risk.signals:
        if evidence.signal == signal:
            return evidence.log_odds
    return 0.0


def _say_hits(signal: str, at: Circumstances, seconds: float, value: Value) -> str:
    frames = at.windows[seconds].frames
    return f"{value} of {frames} frames of the last {seconds:g} s show {_NOUNS[signal]}"


def _say_on(signal: str, at: Circumstances, seconds: float, value: Value) -> str:
    window = at.windows[seconds]
    watched = window.observed or window.frames
    return (
        f"{value} of {watched} watched half seconds of the last {seconds:g} s show {_NOUNS[signal]}"
    )


def _say_share(signal: str, at: Circumstances, seconds: float, value: Value) -> str:
    return (
        f"{value:.0%} of the watched half seconds of the last {seconds:g} s show {_NOUNS[signal]}"
    )


def _say_mean(signal: str, at: Circumstances, seconds: float, value: Value) -> str:
    return f"mean score for {_NOUNS[signal]} over the last {seconds:g} s {value:.2f}"


def _say_evidence(signal: str, at: Circumstances, seconds: float, value: Value) -> str:
    return f"evidence for {_NOUNS[signal]} {value:.2f} (log-odds)"


def _measures_of(signal: str) -> dict[str, Measure]:
    def over(
        take: Callable[[str, WindowSummary], float],
        say: Callable[[str, Circumstances, float, Value], str],
        highest: float = inf,
        percent: bool = False,
    ) -> Measure:
        read = _over(partial(take, signal))
        return Measure(
            read,
            partial(say, signal),
            windowed=True,
            highest=highest,
            percent=percent,
            signal=signal,
        )

    return {
        f"{signal}.hits": over(_hits, _say_hits),
        f"{signal}.on": over(_on, _say_on),
        f"{signal}.share": over(_share, _say_share, highest=1.0, percent=True),
        f"{signal}.mean": over(_mean, _say_mean, highest=1.0),
        f"{signal}.evidence": Measure(
            partial(_evidence, signal),
            partial(_say_evidence, signal),
            longest=True,
            signal=signal,
        ),
    }


def _known(number: int) -> int | None:
    return None if number < 0 else number


def _first_stream(at: Circumstances, _: float) -> bool | None:
    previous = at.facts.previous_streams
    return None if previous < 0 else previous == 0


def _say_first_stream(at: Circumstances, seconds: float, value: Value) -> str:
    return f"the account's first stream: {str(value).lower()}"


MEASURES: dict[str, Measure] = {
    **{name: it for signal in SIGNALS for name, it in _measures_of(signal).items()},
    "coverage": Measure(
        _over(lambda window: window.coverage),
        lambda at, seconds, value: f"watched {value:.0%} of the last {seconds:g} s",
        windowed=True,
        highest=1.0,
        percent=True,
    ),
    "frames": Measure(
        _over(lambda window: window.frames),
        lambda at, seconds, value: f"{value} frames judged of the last {seconds:g} s",
        windowed=True,
    ),
    "risk": Measure(
        lambda at, _: None if at.risk is None else at.risk.risk,
        lambda at, seconds, value: f"risk {value:.2f}",
        longest=True,
        highest=1.0,
    ),
    "viewers": Measure(
        lambda at, _: _known(at.facts.viewers), lambda at, seconds, value: f"viewers: {value}"
    ),
    "reports": Measure(
        lambda at, _: at.facts.reports, lambda at, seconds, value: f"reports by viewers: {value}"
    ),
    "account_age_days": Measure(
        lambda at, _: _known(at.facts.account_age_days),
        lambda at, seconds, value: f"age of the account in days: {value}",
    ),
    "first_stream": Measure(_first_stream, _say_first_stream, kind=Kind.TRUTH),
    "region": Measure(
        lambda at, _: at.facts.region or None,
        lambda at, seconds, value: f"region {value}",
        kind=Kind.WORD,
    ),
    "category": Measure(
        lambda at, _: at.facts.category or None,
        lambda at, seconds, value: f"category {value}",
        kind=Kind.WORD,
    ),
}
