"""How judging went on, by when frames came and when each was judged. Times are in seconds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from schemas import FrameSampled, TakedownRequested

from .reading import CODEC, Place, Read

T = TypeVar("T")

JudgedAt = Mapping[Place, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Stall:
    """So long frames waited in a partition while none of it was judged."""

    partition: int
    seconds: float


def resumed(frames: Iterable[Read], judged: JudgedAt, over: float) -> float | None:
    """Seconds from ``over`` until frames that came after it have been judged in all partitions;
    ``None`` where none was."""
    first = _first(
        (frame.partition, min(judged[frame.place]))
        for frame in frames
        if frame.at >= over and frame.place in judged
    )
    return max(first.values()) - over if first else None


def taken_down_after(frames: Iterable[Read], takedowns: Iterable[Read]) -> list[float]:
    """Seconds from the first frame of each stream that was taken down to its first takedown."""
    began = _first((CODEC.decode(it.value, FrameSampled).stream_id, it.at) for it in frames)
    ended = _first((CODEC.decode(it.value, TakedownRequested).stream_id, it.at) for it in takedowns)
    return [at - began[stream] for stream, at in ended.items()]


def longest_stalls(
    frames: Iterable[Read],
    judged: JudgedAt,
    left_out: Collection[Place],
    within: tuple[float, float],
) -> list[Stall]:
    """The longest stall of each partition, the longest of all first, as far as it lay ``within``.

    Frames that were ``left_out`` by rule wait for nothing, and one that is judged again is no
    progress. Frames that were never judged wait to the end.
    """
    begin, end = within
    waits: dict[int, list[tuple[float, float]]] = {}
    for frame in frames:
        if frame.place not in left_out:
            until = min(judged[frame.place]) if frame.place in judged else end
            waits.setdefault(frame.partition, []).append((until, frame.at))
    found = [
        Stall(partition, _longest(sorted(of_partition), begin, end))
        for partition, of_partition in waits.items()
    ]
    return sorted(found, key=lambda it: it.seconds, reverse=True)


def _first(came: Iterable[tuple[T, float]]) -> dict[T, float]:
    """When each first came."""
    first: dict[T, float] = {}
    for what, at in came:
        first[what] = min(first.get(what, at), at)
    return first


def _longest(waits: Sequence[tuple[float, float]], begin: float, end: float) -> float:
    """``waits`` are when each frame was judged and when it came, in order of the former."""
    # Of the frames judged from each place on, when the first came.
    came, earliest = float("inf"), []
    for _, at in reversed(waits):
        came = min(came, at)
        earliest.append(came)
    longest, before = 0.0, begin
    for (until, _), since in zip(waits, reversed(earliest), strict=True):
        longest = max(longest, min(until, end) - max(before, since, begin))
        before = until
    return longest
