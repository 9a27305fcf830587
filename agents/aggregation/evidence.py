"""What the slots of the longest window say of a signal together: a sequential test. Pure.

Each observed slot speaks for or against with the log-odds of its mean score, bounded so that none
decides alone. Their cumulative sum never falls below 0 (CUSUM: E. S. Page, "Continuous inspection
schemes", Biometrika 41, 1954): S = max(0, S + l). It is what Wald's sequential probability ratio
test becomes when it begins anew each time it would decide for "nothing", so a threshold on S is
that test's upper one: S >= log((1 - miss rate) / false-alarm rate), as far as scores are
calibrated. Slots of half a second are not independent, which the bound on each makes up for in
part.

``fictional`` weighs against ``firearm`` with its own log-odds, as evidence that is independent adds
up: what is as surely a game or a film as a firearm is surely seen says nothing, and up to even odds
fiction says nothing against.

The sum goes over the ring and not over all time, so that it can be computed from the log anew. A
slot without a frame says nothing.
"""

from __future__ import annotations

from array import array
from math import log

from schemas import SignalEvidence

from .summary import unrolled
from .windows import SCALE, SLOT, SessionWindows

BOUND = 2.0
"""Most that one slot speaks for or against, in log-odds."""
_SURE = 0.99
"""Scores nearer to 0 and 1 than this are taken as no surer."""


def log_odds(score: float) -> float:
    """Of a probability, which is taken within 0.01 and 0.99."""
    sure = min(max(score, 1 - _SURE), _SURE)
    return log(sure / (1 - sure))


def _bounded(value: float) -> float:
    return min(max(value, -BOUND), BOUND)


# By a slot's mean score, in thousandths.
_FOR = [_bounded(log_odds(thousandths / SCALE)) for thousandths in range(SCALE + 1)]
_AGAINST = [max(log_odds(thousandths / SCALE), 0.0) for thousandths in range(SCALE + 1)]
_EVEN = SCALE // 2
"""Slots whose scores add up to no more speak neither for a signal nor of fiction."""


def signal_evidence(windows: SessionWindows) -> list[SignalEvidence]:
    """The evidence for each signal of the session."""
    signals = windows.signals
    frames = unrolled(windows.frames, windows)
    sums = {name: unrolled(windows.sums, windows, number) for number, name in enumerate(signals)}
    oldest = windows.newest - len(frames) + 1
    evidence = []
    for name in signals:
        against = sums.get("fictional") if name == "firearm" else None
        total, since = _cumulate(frames, sums[name], against)
        at = (oldest + since) * SLOT if total else 0
        evidence.append(SignalEvidence(name, round(total, 6), at))
    return evidence


def log_odds_of(evidence: list[SignalEvidence], signal: str) -> float:
    """Of one signal; 0 where the model does not say it."""
    return next((it.log_odds for it in evidence if it.signal == signal), 0.0)


def _cumulate(frames: bytearray, sums: array[int], fiction: array[int] | None) -> tuple[float, int]:
    """The cumulative sum at the last slot, and at which slot it last left 0."""
    total, since = 0.0, 0
    if max(sums) <= _EVEN:
        return total, since
    speaking = [
        _FOR[score // count] if count else 0.0 for count, score in zip(frames, sums, strict=True)
    ]
    if fiction is not None and max(fiction) > _EVEN:
        for slot, (count, score) in enumerate(zip(frames, fiction, strict=True)):
            if score > _EVEN:
                speaking[slot] = max(speaking[slot] - _AGAINST[score // count], -BOUND)
    for slot, odds in enumerate(speaking):
        if odds > 0.0:
            if total == 0.0:
                since = slot
            total += odds
        elif total > 0.0:
            total = max(total + odds, 0.0)
    return total, since
