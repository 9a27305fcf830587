"""What the slots of the longest window say of a signal together: a sequential test. Pure.

Each observed slot speaks for or against with the log-odds of its mean score, bounded so that none
decides alone. Their cumulative sum never falls below 0 (CUSUM: E. S. Page, "Continuous inspection
schemes", Biometrika 41, 1954): S = max(0, S + l). It is what Wald's sequential probability ratio
test becomes when it begins anew each time it would decide for "nothing", so a threshold on S is
that test's upper one: S >= log((1 - miss rate) / false-alarm rate), as far as scores are
calibrated. Slots of half a second are not independent, which the bound on each makes up for in
part.

``fictional`` weighs against ``firearm`` with half its own log-odds: only what surely is a game or a
film outweighs a firearm that is surely seen.

The sum goes over the ring and not over all time, so that it can be computed from the log anew. A
slot without a frame says nothing.
"""

from __future__ import annotations

from math import log

from schemas import SignalEvidence

from .windows import SCALE, SLOT, SLOTS, SessionWindows

BOUND = 2.0
"""Most that one slot speaks for or against, in log-odds."""
FICTION_WEIGHT = 0.5
_SURE = 0.99
"""Scores nearer to 0 and 1 than this are taken as no surer."""


def log_odds(score: float) -> float:
    """Of a probability, which is taken within 0.01 and 0.99."""
    sure = min(max(score, 1 - _SURE), _SURE)
    return log(sure / (1 - sure))


def speaks(score: float, fictional: float = 0.0) -> float:
    """How far a slot with these mean scores speaks for a signal, within ``BOUND``."""
    firm = min(max(log_odds(score), -BOUND), BOUND)
    against = FICTION_WEIGHT * max(log_odds(fictional), 0.0)
    return max(firm - against, -BOUND)


def signal_evidence(windows: SessionWindows) -> list[SignalEvidence]:
    """The evidence for each signal of the session."""
    return [_evidence(windows, number) for number in range(len(windows.signals))]


def log_odds_of(evidence: list[SignalEvidence], signal: str) -> float:
    """Of one signal; 0 where the model does not say it."""
    return next((it.log_odds for it in evidence if it.signal == signal), 0.0)


def _evidence(windows: SessionWindows, number: int) -> SignalEvidence:
    slots = windows.spec.lengths[-1] // SLOT
    fiction = None
    if number == 0 and "fictional" in windows.signals:
        fiction = windows.sums[windows.signals.index("fictional")]
    frames, sums = windows.frames, windows.sums[number]
    total, since = 0.0, 0
    for slot in range(windows.newest - slots + 1, windows.newest + 1):
        at = slot % SLOTS
        count = frames[at]
        if not count:
            continue
        against = fiction[at] / count / SCALE if fiction is not None else 0.0
        before = total
        total = max(0.0, total + speaks(sums[at] / count / SCALE, against))
        if total > 0.0 and before == 0.0:
            since = slot * SLOT
    if total == 0.0:
        since = 0
    return SignalEvidence(windows.signals[number], round(total, 6), since)
