"""From recorded footage to everything that ``eval.json`` says. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from .frames import (
    Frames,
    Signals,
    list_aims,
    measure_calibration,
    measure_fictional,
    measure_firearm,
    measure_localisation,
    measure_sources,
    real_firearm,
)
from .hours import (
    play_attacks,
    play_hours,
    seconds_from_onset,
    summarise_hours,
    summarise_seconds,
)
from .recorded import RATE, Recorded
from .sessions import LONGEST, SHORTEST
from .simulation import Cores

T = TypeVar("T")


class Progress(Protocol):
    """Passes steps on and shows how far they are."""

    def __call__(self, steps: Iterable[T], /, description: str, total: float) -> Iterable[T]: ...


@dataclass(frozen=True, slots=True)
class Options:
    """How much is evaluated."""

    encodings: Sequence[str]
    """By name; rates over frames are told in the first."""
    hours: float
    """Of sessions of each kind."""
    attacks: int
    """Re-samplings of each drill."""
    seed: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was found, and what the plots show besides: test sources, frames with firearms, and
    seconds from onset by effect."""

    found: dict[str, Any]
    sources: list[Frames]
    firearms: list[Frames]
    times: Mapping[str, Sequence[float]]


def evaluate(
    recorded: Recorded, cores: Cores, signals: Signals, options: Options, progress: Progress
) -> Evaluation:
    """Everything there is to find in ``recorded``."""
    first = options.encodings[0]
    sources, firearms = recorded.sources(first), recorded.firearms(first)
    times, seconds = _seconds(recorded, cores, options, progress)
    found: dict[str, Any] = {
        "bundle": {"label": cores.bundle, "digest": cores.bundle_digest},
        "policy": {"label": cores.policy.label, "digest": cores.policy.digest},
        "windows": dataclasses.asdict(cores.windows),
        "seed": options.seed,
        "frames_per_second": RATE,
        "encodings": list(options.encodings),
        "firearm": _firearm(recorded, signals, options),
        **_rates(recorded, signals, first),
        "by_encoding": {one: _rates(recorded, signals, one) for one in options.encodings},
        **_localisation(recorded, signals, first),
        "stream_hours": _stream_hours(recorded, cores, options, progress),
        **seconds,
        "calibration": _calibration(recorded, signals, first),
    }
    return Evaluation({**found, "aims": list_aims(found)}, sources, firearms, times)


def _firearm(recorded: Recorded, signals: Signals, options: Options) -> dict[str, Any]:
    reason = recorded.photographs
    if not recorded.ordinary(options.encodings[0]):
        reason = "no ordinary test footage"
    if isinstance(reason, str):
        return {"auc": None, "recall_at_fpr_0.005": None, "reason": reason}
    found = {}
    for encoding in options.encodings:
        positives = recorded.firearms(encoding)[0].scores
        found[encoding] = measure_firearm(positives, recorded.ordinary(encoding), signals)
    return {**found[options.encodings[0]], "by_encoding": found}


def _rates(recorded: Recorded, signals: Signals, encoding: str) -> dict[str, Any]:
    sources, firearms = recorded.sources(encoding), recorded.firearms(encoding)
    fictions = [one for one in sources if one.kind in ("game", "film")]
    others = [*recorded.ordinary(encoding), *firearms]
    return {
        "recall": {one.name: real_firearm(one.scores, signals) for one in firearms},
        "sources": measure_sources(sources, signals),
        "fictional": measure_fictional(fictions, others, signals),
    }


def _localisation(recorded: Recorded, signals: Signals, encoding: str) -> dict[str, Any]:
    if isinstance(recorded.photographs, str):
        return {"localisation": None, "localisation_reason": recorded.photographs}
    fired = signals.on(recorded.photographs.scores[encoding], "firearm")
    return {"localisation": measure_localisation(recorded.photographs.pointing, fired)}


def _stream_hours(
    recorded: Recorded, cores: Cores, options: Options, progress: Progress
) -> dict[str, Any]:
    sessions = options.hours * 3600 / ((SHORTEST + LONGEST) / 2)
    return {
        kind: summarise_hours(
            list(
                progress(
                    play_hours(kind, groups, options.hours, cores, options.seed),
                    f"playing {kind}",
                    sessions,
                )
            ),
            groups,
        )
        for kind, groups in sorted(recorded.groups().items())
    }


def _seconds(
    recorded: Recorded, cores: Cores, options: Options, progress: Progress
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Seconds from onset by effect, and what is said of them."""
    drills = recorded.attacks()
    ordinary = [clip for group in recorded.groups().get("ordinary", {}).values() for clip in group]
    steps = play_attacks(drills, ordinary, options.attacks, cores, options.seed)
    played = list(progress(steps, "playing drills", options.attacks * len(drills)))
    times = {
        "escalation": seconds_from_onset((onset, one.escalated) for onset, one in played),
        "takedown": seconds_from_onset((onset, one.taken_down) for onset, one in played),
    }
    return times, {
        f"seconds_to_{effect}": summarise_seconds(seconds, len(played), len(drills))
        for effect, seconds in times.items()
    }


def _calibration(recorded: Recorded, signals: Signals, encoding: str) -> dict[str, Any]:
    """Of each signal that both classes were tested of: firearms in photographs only, since a drill
    is one scene many times over."""
    sources = recorded.sources(encoding)
    positives = {
        "firearm": [one for one in recorded.firearms(encoding) if one.kind == "photographs"],
        "fictional": [one for one in sources if one.kind in ("game", "film")],
    }
    ordinary = recorded.ordinary(encoding)
    return {
        name: measure_calibration(signals.joined(of, name), signals.joined(ordinary, name))
        for name, of in positives.items()
        if name in signals.names and of and ordinary
    }
