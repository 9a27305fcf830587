"""What the windows of a session say: summaries, and the frames that people can look at. Pure."""

from __future__ import annotations

from schemas import MICROSECONDS, FrameRef, SignalSummary, WindowSummary

from .windows import SCALE, SLOT, SLOTS, SessionWindows


def summaries(windows: SessionWindows) -> list[WindowSummary]:
    """One summary a length, shortest first."""
    return [_summary(windows, length) for length in windows.spec.lengths]


def best_frames(
    windows: SessionWindows, topic: str, partition: int, most: int = 3
) -> list[FrameRef]:
    """The highest-scoring hits of the longest window, highest first, one a slot at most.

    Where known content was seen and no firearm, the newest of those frames.
    """
    hits = windows.hits[0]
    slots = [slot for slot in _slots(windows, windows.spec.lengths[-1]) if hits[slot % SLOTS]]
    if not slots and "known_content" in windows.signals:
        known = windows.hits[windows.signals.index("known_content")]
        slots = [slot for slot in _slots(windows, windows.spec.lengths[-1]) if known[slot % SLOTS]]
    slots.sort(key=lambda slot: (-windows.best[slot % SLOTS], slot))
    return [_best_of(windows, slot, topic, partition) for slot in slots[:most]]


def _best_of(windows: SessionWindows, slot: int, topic: str, partition: int) -> FrameRef:
    at = slot % SLOTS
    captured_at = slot * SLOT + windows.best_at[at]
    score = windows.best[at] / SCALE
    return FrameRef(topic, partition, windows.best_offset[at], captured_at, score)


def _slots(windows: SessionWindows, length: int) -> range:
    return range(windows.newest - length // SLOT + 1, windows.newest + 1)


def _summary(windows: SessionWindows, length: int) -> WindowSummary:
    slots = length // SLOT
    window = (1 << slots) - 1
    frames = sum(windows.last(windows.frames, slots))
    # A frame vouches for its own slot and the one before.
    covered = (windows.observed | windows.observed << 1) & window
    signals = [
        _signal(windows, signal, number, slots, frames)
        for number, signal in enumerate(windows.signals)
    ]
    fictional = next((it.mean for it in signals if it.signal == "fictional"), 0.0)
    return WindowSummary(
        seconds=length / MICROSECONDS,
        frames=frames,
        hits=signals[0].hits,
        coverage=covered.bit_count() / slots,
        mean=signals[0].mean,
        peak=max(windows.last(windows.best, slots)) / SCALE,
        fictional=fictional,
        observed=(windows.observed & window).bit_count(),
        signals=signals,
    )


def _signal(
    windows: SessionWindows, signal: str, number: int, slots: int, frames: int
) -> SignalSummary:
    hits = windows.last(windows.hits[number], slots)
    total = sum(windows.last(windows.sums[number], slots))
    return SignalSummary(signal, sum(hits), slots - hits.count(0), total / SCALE / frames)
