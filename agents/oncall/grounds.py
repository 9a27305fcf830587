"""What a stream's risk rests on, in few words and little space. Pure."""

from __future__ import annotations

import sys
from typing import NamedTuple

from schemas import RiskAssessed

_MOST = 3
_SECONDS = 0.5
"""Windows count observed half seconds (``WindowSummary.observed``)."""


class Ground(NamedTuple):
    """A signal in the window in which it was on for the greatest share."""

    signal: str
    on: int
    """Half seconds in which it was."""
    observed: int
    """Half seconds with a frame."""
    seconds: float
    """The window's length."""


def grounds_of(risk: RiskAssessed) -> tuple[Ground, ...]:
    """The signals of ``risk`` that are on, the one that is on for the greatest share first."""
    strongest: dict[str, Ground] = {}
    for window in risk.windows:
        for it in window.signals:
            ground = Ground(sys.intern(it.signal), it.on, window.observed, window.seconds)
            known = strongest.get(it.signal)
            if it.on and (known is None or _share(ground) > _share(known)):
                strongest[it.signal] = ground
    return tuple(sorted(strongest.values(), key=_share, reverse=True)[:_MOST])


def in_words(grounds: tuple[Ground, ...]) -> str:
    """``firearm 4.5 of 5 s``: for how long each was seen, of the time that frames tell of."""
    return ", ".join(
        f"{it.signal.replace('_', ' ')} {it.on * _SECONDS:g} of {it.observed * _SECONDS:g} s"
        for it in grounds
    )


def _share(ground: Ground) -> tuple[float, float, str]:
    return ground.on / max(ground.observed, 1), ground.seconds, ground.signal
