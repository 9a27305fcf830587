"""Whether anything grew, and whether every frame was judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .accounting import Account
from .watching import Sample, drift, growth

WARM_UP = 0.25
MOST_DRIFT = 0.05
MOST_WAITING_SECONDS = 10.0
"""Of frames, at the rate they come at, at any time after warming up."""
MOST_GROWTH_SECONDS = 1.0
"""What waits may be so much more in the end than it was at first, at the rate frames come at."""
_FLAT = ("rss_mb", "descriptors", "threads", "files", "in_windows", "remembered")
_WAITING = ("waiting", "undecided")


def judge(
    samples: Sequence[Sample],
    accounted: Account,
    acknowledged: int,
    rate: float,
    broken_off: Sequence[str] = (),
) -> dict[str, Any]:
    """What is told of ``samples`` under ``rate`` frames a second, and whether it ``holds``: nothing
    grew after warming up, and each frame that was ``acknowledged`` was judged, none left out."""
    all_judged = (
        accounted.frames_in == acknowledged
        and not accounted.unjudged
        and not accounted.shed
        and not accounted.dead_lettered
    )
    told: dict[str, Any] = {**asdict(accounted), "holds": False}
    if broken_off:
        told["broken_off"] = "; then ".join(broken_off)
    steady = samples[int(len(samples) * WARM_UP) :]
    if not steady:
        return told
    drifts = {name: drift([getattr(it, name) for it in steady]) for name in _FLAT}
    grown = {name: growth([getattr(it, name) for it in steady]) for name in _WAITING}
    most_waiting = max(it.waiting for it in steady)
    return {
        **told,
        "drift": {name: round(value, 4) for name, value in drifts.items()},
        "lag_growth": grown,
        "most_waiting": most_waiting,
        "most_undecided": max(it.undecided for it in steady),
        "holds": not broken_off
        and all_judged
        and all(value <= MOST_DRIFT for value in drifts.values())
        and all(value <= rate * MOST_GROWTH_SECONDS for value in grown.values())
        and most_waiting <= rate * MOST_WAITING_SECONDS,
        "first": asdict(steady[0]),
        "last": asdict(steady[-1]),
    }
