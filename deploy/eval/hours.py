"""False escalations and takedowns over stream-hours, and times from onset over drills. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np

from agents.detection.learning.metrics import rate_per_hours

from .sessions import Drill, RecordedClip, compose_attack, compose_session, session_lengths
from .simulation import Cores, Moment, Outcome, play

THOUSAND = 1000.0
"""Hours that rates are told for."""
_PLACE = 30.0
"""Seconds of a clip within which effects count as one: the longest window."""

Groups = Mapping[str, Sequence[RecordedClip]]
"""Clips by what one session keeps to: the game that it shows, say."""


@dataclass(frozen=True, slots=True)
class Played:
    """The outcome of one session of a group; its moments number the group's clips."""

    group: str
    encoding: str
    outcome: Outcome


def play_hours(
    kind: str, groups: Groups, hours: float, cores: Cores, seed: int
) -> Iterator[Played]:
    """``hours`` of sessions of ``kind``, each of one group.

    A session depends on its kind, its number and ``seed`` alone.
    """
    names = sorted(groups)
    lengths = session_lengths(np.random.default_rng([seed, crc32(kind.encode())]), hours)
    for number, seconds in enumerate(lengths):
        rng = np.random.default_rng([seed, crc32(kind.encode()), number])
        group = names[int(rng.integers(len(names)))]
        session = compose_session(rng, groups[group], seconds)
        yield Played(group, session.encoding, play(session, cores))


def summarise_hours(played: Sequence[Played], groups: Groups) -> dict[str, Any]:
    """What ``eval.json`` says of the hours of one kind.

    A session is escalated once. Rates are over the hours before that, or before the takedown:
    what a session would have done afterwards was not to be seen. Beside the interval over all
    hours stands one over the distinct footage, in which effects in one place count once.
    """
    escalated = Counter(_places(played, groups, taken_down=False))
    taken_down = Counter(_places(played, groups, taken_down=True))
    clips = [clip for group in groups.values() for clip in group]
    distinct_hours = sum(clip.seconds for clip in clips) / 3600
    return {
        **_count([one.outcome for one in played]),
        "distinct": {
            "minutes": distinct_hours * 60,
            "clips": len(clips),
            "places_escalated": len(escalated),
            "places_taken_down": len(taken_down),
            **_rates("escalations", len(escalated), distinct_hours),
            **_rates("takedowns", len(taken_down), distinct_hours),
        },
        "by_source": _count_by([one.group for one in played], played),
        "by_encoding": _count_by([one.encoding for one in played], played),
        "escalated_in": _by_clip(escalated),
        "taken_down_in": _by_clip(taken_down),
    }


def play_attacks(
    drills: Sequence[Drill],
    ordinary: Sequence[RecordedClip],
    count: int,
    cores: Cores,
    seed: int,
) -> Iterator[tuple[float, Outcome]]:
    """Onset, seconds from the session's start, and outcome of ``count`` attacks on each drill."""
    for drill in drills:
        for number in range(count):
            rng = np.random.default_rng([seed, crc32(drill.clip.id.encode()), number])
            attack = compose_attack(rng, ordinary, drill)
            yield attack.onset, play(attack.session, cores)


def seconds_from_onset(attacks: Iterable[tuple[float, Moment | None]]) -> list[float]:
    """Seconds from onset to effect, infinite where there was none.

    An effect before the onset is a false one and gives no time; whoever counts sees fewer times
    than attacks.
    """
    times = (moment.at - onset if moment else math.inf for onset, moment in attacks)
    return sorted(seconds for seconds in times if seconds >= 0)


def summarise_seconds(times: Sequence[float], attacks: int, sequences: int) -> dict[str, Any]:
    """What ``eval.json`` says of times from onset; a percentile that falls on a miss is null."""
    percentiles = {"median": 50, "p95": 95}
    found = {
        name: float(np.percentile(times, share, method="higher")) if times else math.inf
        for name, share in percentiles.items()
    }
    return {
        **{name: seconds if math.isfinite(seconds) else None for name, seconds in found.items()},
        "n": len(times),
        "missed": sum(map(math.isinf, times)),
        "before_onset": attacks - len(times),
        "distinct_sequences": sequences,
    }


def _count_by(names: Sequence[str], played: Sequence[Played]) -> dict[str, Any]:
    """Counts of the sessions of each of ``names``, which go with ``played`` one to one."""
    named = list(zip(names, played, strict=True))
    return {
        name: _count([one.outcome for of, one in named if of == name])
        for name in sorted(set(names))
    }


def _count(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    escalations = sum(outcome.escalated is not None for outcome in outcomes)
    takedowns = sum(outcome.taken_down is not None for outcome in outcomes)
    before_escalation = sum(outcome.seconds_to_escalation for outcome in outcomes) / 3600
    hours = sum(outcome.seconds_to_takedown for outcome in outcomes) / 3600
    return {
        "hours": hours,
        "sessions": len(outcomes),
        "escalations": escalations,
        "takedowns": takedowns,
        **_rates("escalations", escalations, before_escalation),
        **_rates("takedowns", takedowns, hours),
    }


def _rates(what: str, events: int, hours: float) -> dict[str, Any]:
    rate, low, high = rate_per_hours(events, hours, THOUSAND)
    return {
        f"{what}_per_1000_hours": rate,
        f"{what}_per_1000_hours_ci95": [low, high],
    }


def _places(
    played: Sequence[Played], groups: Groups, *, taken_down: bool
) -> Iterator[tuple[str, int]]:
    """Clip and place in it, in windows, of each first escalation or takedown."""
    for one in played:
        moment = one.outcome.taken_down if taken_down else one.outcome.escalated
        if moment is not None:
            yield groups[one.group][moment.clip].id, int(moment.place // _PLACE)


def _by_clip(places: Mapping[tuple[str, int], int]) -> dict[str, int]:
    clips: Counter[str] = Counter()
    for (clip, _), effects in places.items():
        clips[clip] += effects
    return dict(clips.most_common())
