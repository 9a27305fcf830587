"""Which sources are trained on and which are held out. Pure.

Frames of one source resemble each other, so a source is on one side as a whole; otherwise what is
measured is how well the source was learned by heart.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from .corpus import Frame
from .errors import LearningFailed

HELD_OUT_SHARE = 0.25
"""Of the sources of each label."""
_FEWEST = 2
"""Sources of a class: one to learn from and one to see whether it was learned."""


@dataclass(frozen=True, slots=True)
class Split:
    """Names of sources; none is in both."""

    training: frozenset[str]
    held_out: frozenset[str]


def split_sources(frames: Iterable[Frame], signals: Sequence[str], seed: int) -> Split:
    """Holds out a quarter of the sources of each label, in an order that follows from ``seed``.

    Then, for each of ``signals`` that has nothing of a class held out, one source more, where that
    leaves one to learn from. Raises ``LearningFailed`` where a class has fewer than two sources.
    """
    known = list(frames)
    classes = _classes(known, signals)
    held_out: set[str] = set()
    for sources in _by_label(known).values():
        chosen = round(HELD_OUT_SHARE * len(sources)) or int(len(sources) >= _FEWEST)
        held_out |= set(in_order(sources, seed)[:chosen])

    def can_go(source: str) -> bool:
        return all(members - held_out - {source} for members in classes.values())

    for members in classes.values():
        candidates = [source for source in in_order(members, seed) if can_go(source)]
        if not members & held_out and candidates:
            held_out.add(candidates[0])
    # What is held out of one label may be all that a class has.
    for members in classes.values():
        if members <= held_out:
            held_out.remove(in_order(members, seed)[-1])
    return Split(frozenset(_sources(known) - held_out), frozenset(held_out))


def hold_out(frames: Iterable[Frame], signals: Sequence[str], names: Collection[str]) -> Split:
    """Holds out the sources ``names``. Raises ``LearningFailed`` where that leaves no class."""
    known = list(frames)
    sources = _sources(known)
    for name in names:
        if name not in sources:
            raise LearningFailed(f"no frame is of the source {name!r} that is to be held out")
    for (signal, truth), members in _classes(known, signals).items():
        if members <= set(names):
            raise LearningFailed(
                f"signal {signal}: nothing is left to learn {signal}={truth} from: "
                f"all of {', '.join(sorted(members))} would be held out"
            )
    return Split(frozenset(sources - set(names)), frozenset(names))


def folds(
    positive: Collection[str], negative: Collection[str], seed: int, most: int
) -> list[frozenset[str]]:
    """Sources in up to ``most`` parts, each with both classes, as are all parts but one together.

    ``positive`` are the sources that have frames with the signal, ``negative`` those that have
    frames without. Empty where a class has one source. Leaving out one source alone would not do:
    what is left is then shifted away from it, so that a head scores it too low if it is positive
    and too high if it is negative, down to an AUC of 0.
    """
    if min(len(positive), len(negative)) < _FEWEST:
        return []
    both = set(positive) & set(negative)
    row = [
        *in_order(set(positive) - both, seed),
        *in_order(both, seed),
        *in_order(set(negative) - both, seed),
    ]
    # Each class stands together in the row, so that dealing it out in turn gives each part some.
    count = min(most, len(positive), len(negative))
    return [frozenset(row[first::count]) for first in range(count)]


def in_order(sources: Iterable[str], seed: int) -> list[str]:
    """``sources`` in an order that follows from their names and ``seed`` alone."""
    return sorted(sources, key=lambda source: sha256(f"{seed}:{source}".encode()).digest())


def _sources(frames: Iterable[Frame]) -> set[str]:
    return {frame.source for frame in frames}


def _by_label(frames: Iterable[Frame]) -> dict[str, set[str]]:
    """Sources by label; one with several labels goes by the one that most of its frames have."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for frame in frames:
        counts[frame.source][frame.label] += 1
    sources: dict[str, set[str]] = defaultdict(set)
    for source in sorted(counts):
        label = max(sorted(counts[source]), key=lambda name: counts[source][name])
        sources[label].add(source)
    return sources


def _classes(frames: Iterable[Frame], signals: Sequence[str]) -> Mapping[tuple[str, int], set[str]]:
    """Sources that have frames of each class of each signal."""
    known = list(frames)
    classes: dict[tuple[str, int], set[str]] = {
        (signal, truth): {f.source for f in known if f.signals.get(signal) == truth}
        for signal in signals
        for truth in (1, 0)
    }
    for (signal, truth), members in classes.items():
        if len(members) < _FEWEST:
            found = f"there is {', '.join(members)}" if members else "there is none"
            raise LearningFailed(
                f"signal {signal}: at least {_FEWEST} sources with frames of {signal}={truth} "
                f"are wanted, one to learn from and one to hold out; {found}"
            )
    return classes
