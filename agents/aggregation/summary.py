"""What the windows of a session say: summaries, and the frames that people can look at. Pure."""

from __future__ import annotations

from array import array
from typing import TypeVar

from schemas import MICROSECONDS, FrameRef, SignalSummary, WindowSummary

from .windows import KNOWN_RANK, SCALE, SLOT, SLOTS, SessionWindows

Ring = TypeVar("Ring", bytearray, "array[int]")

_MARKS = bytes([ord("0"), *[ord("1")] * 255])
"""Makes digits of counts: 1 where there is any."""


def unrolled(ring: Ring, windows: SessionWindows, number: int = 0) -> Ring:
    """The slots of the longest window, oldest first, of the ring of the signal ``number``."""
    slots = windows.spec.lengths[-1] // SLOT
    start = number * SLOTS
    end = start + windows.newest % SLOTS + 1
    if end - slots >= start:
        return ring[end - slots : end]
    return ring[end - slots + SLOTS : start + SLOTS] + ring[start:end]


def summaries(windows: SessionWindows) -> list[WindowSummary]:
    """One summary a length, shortest first."""
    frames, peak = unrolled(windows.frames, windows), unrolled(windows.peak, windows)
    rings = [
        (signal, unrolled(windows.hits, windows, number), unrolled(windows.sums, windows, number))
        for number, signal in enumerate(windows.signals)
    ]
    # Bit ``i``: the slot ``i`` before the newest has a frame. A frame vouches for the slot before.
    observed = int(frames.translate(_MARKS), 2)
    covered = observed | observed << 1
    told = []
    for length in windows.spec.lengths:
        slots = length // SLOT
        window = (1 << slots) - 1
        count = sum(frames[-slots:])
        signals = [
            _signal(signal, hits[-slots:], sums[-slots:], count) for signal, hits, sums in rings
        ]
        told.append(
            WindowSummary(
                length / MICROSECONDS,
                count,
                signals[0].hits,
                (covered & window).bit_count() / slots,
                signals[0].mean,
                max(peak[-slots:]) / SCALE,
                next((it.mean for it in signals if it.signal == "fictional"), 0.0),
                (observed & window).bit_count(),
                signals,
            )
        )
    return told


def best_frames(
    windows: SessionWindows, topic: str, partition: int, most: int = 3
) -> list[FrameRef]:
    """The best evidence of the longest window, one frame a slot at most.

    Frames of known content first, then by how surely a firearm was seen; of equals the earlier.
    """
    best = windows.best
    if best is None:
        return []
    ranks = unrolled(best.rank, windows)
    first = windows.newest - len(ranks) + 1
    found: list[FrameRef] = []
    while len(found) < most and (rank := max(ranks)):
        at = ranks.index(rank)
        ranks[at] = 0
        slot = first + at
        captured_at = slot * SLOT + best.within[slot % SLOTS]
        score = (rank - 1) % KNOWN_RANK / SCALE
        found.append(FrameRef(topic, partition, best.offset[slot % SLOTS], captured_at, score))
    return found


def _signal(signal: str, hits: bytearray, sums: array[int], frames: int) -> SignalSummary:
    # There is a frame: the watermark's.
    return SignalSummary(signal, sum(hits), len(hits) - hits.count(0), sum(sums) / (SCALE * frames))
