"""Sessions of realistic length, made of recorded detections by re-sampling. Pure.

A session strings clips together in a random order, each entered at a random moment and played
round to it, and takes frames from that at a rate and a phase of its own, in one of the encodings
that the clips were judged in. No detection is invented: every score in a session is one that the
model gave a frame of a clip. Sessions of the same clips are therefore not independent of each
other, which is why what is counted over them is told beside the distinct minutes behind them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Seconds = NDArray[np.float64]
Scores = NDArray[np.float32]
Numbers = NDArray[np.int64]

RATES = (1.0, 2.0, 3.0, 4.0, 5.0)
"""Frames a second that a session may be sampled at."""
SHORTEST, LONGEST = 10 * 60.0, 120 * 60.0
"""Seconds of a session, both inclusive."""
_TOLERANCE = 1e-6  # of a period: recorded times are whole microseconds


@dataclass(frozen=True, slots=True)
class RecordedClip:
    """The detections of one clip. ``times`` ``[n]`` are seconds from its start, ascending;
    ``scores`` has ``[n, signals]`` for each encoding by name."""

    id: str
    seconds: float
    times: Seconds
    scores: Mapping[str, Scores]


@dataclass(frozen=True, slots=True)
class Session:
    """The detections of one session, in event time.

    ``times`` ``[n]`` are seconds from its start, ``scores`` ``[n, signals]``; ``clips`` ``[n]``
    and ``places`` ``[n]`` say which clip, by number, and which second of it a frame comes from.
    """

    seconds: float
    times: Seconds
    scores: Scores
    clips: Numbers
    places: Seconds
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class Attack:
    """A drill spliced after ordinary footage; ``onset`` is the second of its first firearm."""

    session: Session
    onset: float


@dataclass(frozen=True, slots=True)
class Drill:
    """A clip whose firearm is first seen ``onset`` seconds from its start."""

    clip: RecordedClip
    onset: float


def cadence(times: Seconds, fps: float, phase: float) -> Numbers:
    """Indices of the first of ``times`` in each period ``[n/fps + phase, (n+1)/fps + phase)``."""
    if not len(times):
        return np.empty(0, np.int64)
    periods = np.floor((times - phase) * fps + _TOLERANCE)
    return np.flatnonzero(np.diff(periods, prepend=periods[0] - 1)).astype(np.int64)


def session_lengths(rng: np.random.Generator, hours: float) -> list[float]:
    """Seconds of sessions that make ``hours`` in all; the last is cut to fit."""
    left, lengths = hours * 3600, []
    while left > 0:
        lengths.append(min(float(rng.uniform(SHORTEST, LONGEST)), left))
        left -= lengths[-1]
    return lengths


def compose_session(
    rng: np.random.Generator, clips: Sequence[RecordedClip], seconds: float
) -> Session:
    """A session of ``seconds`` from ``clips``, all of them before any comes again."""
    parts: list[Session] = []
    encoding = _encoding(rng, clips)
    length = 0.0
    while length < seconds:
        for number in rng.permutation(len(clips)):
            parts.append(_turned(rng, clips[number], int(number), encoding))
            length += clips[number].seconds
            if length >= seconds:
                break
    return _resampled(rng, _cut(_joined(parts), 0, seconds), encoding)


def compose_attack(
    rng: np.random.Generator, ordinary: Sequence[RecordedClip], drill: Drill
) -> Attack:
    """``drill`` after half a minute to two minutes of ``ordinary``, entered before its onset.

    The drill's frames carry the number ``len(ordinary)``. Without ordinary footage the drill
    stands alone.
    """
    encoding = _encoding(rng, [*ordinary, drill.clip])
    before = float(rng.uniform(30, 120)) if ordinary else 0.0
    entered = float(rng.uniform(0, drill.onset))
    parts: list[Session] = []
    left = before
    while left > 0:
        number = int(rng.integers(len(ordinary)))
        parts.append(_cut(_turned(rng, ordinary[number], number, encoding), 0, left))
        left -= parts[-1].seconds
    whole = _whole(drill.clip, len(ordinary), encoding)
    parts.append(_cut(whole, entered, drill.clip.seconds))
    return Attack(_resampled(rng, _joined(parts), encoding), before + drill.onset - entered)


def _encoding(rng: np.random.Generator, clips: Sequence[RecordedClip]) -> str:
    shared = sorted(set.intersection(*(set(clip.scores) for clip in clips)))
    return shared[int(rng.integers(len(shared)))]


def _whole(clip: RecordedClip, number: int, encoding: str) -> Session:
    clips = np.full(len(clip.times), number, np.int64)
    return Session(clip.seconds, clip.times, clip.scores[encoding], clips, clip.times)


def _turned(rng: np.random.Generator, clip: RecordedClip, number: int, encoding: str) -> Session:
    """``clip`` from a random moment to its end, and from its start to that moment."""
    entered = float(rng.uniform(0, clip.seconds))
    times = (clip.times - entered) % clip.seconds
    order = np.argsort(times, kind="stable")
    whole = _whole(clip, number, encoding)
    return Session(
        clip.seconds, times[order], whole.scores[order], whole.clips, whole.places[order]
    )


def _cut(session: Session, start: float, end: float) -> Session:
    """``[start, end)`` of ``session``, timed from ``start``."""
    first, last = np.searchsorted(session.times, [start, end])
    return Session(
        min(end, session.seconds) - start,
        session.times[first:last] - start,
        session.scores[first:last],
        session.clips[first:last],
        session.places[first:last],
    )


def _joined(parts: Sequence[Session]) -> Session:
    starts = np.cumsum([0.0, *(part.seconds for part in parts)])
    return Session(
        float(starts[-1]),
        np.concatenate([part.times + start for part, start in zip(parts, starts, strict=False)]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.clips for part in parts]),
        np.concatenate([part.places for part in parts]),
    )


def _resampled(rng: np.random.Generator, session: Session, encoding: str) -> Session:
    """``session`` at a rate and a phase drawn for it."""
    fps = RATES[int(rng.integers(len(RATES)))]
    taken = cadence(session.times, fps, float(rng.uniform(0, 1 / fps)))
    return Session(
        session.seconds,
        session.times[taken],
        session.scores[taken],
        session.clips[taken],
        session.places[taken],
        encoding,
    )
