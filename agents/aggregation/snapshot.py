"""A session's windows as bytes and back: a snapshot that goes on as the original would. Pure."""

from __future__ import annotations

from array import array
from itertools import chain
from struct import Struct

from .windows import KNOWN_SIGNALS, BestFrames, SessionWindows, WindowSpec

_HEAD = Struct("<4q2B")


def pack(windows: SessionWindows) -> bytes:
    """At most 2 KB, whatever the stream. Of this machine's byte order."""
    head = _HEAD.pack(
        windows.watermark,
        windows.newest,
        windows.last_hit,
        windows.last_real,
        windows.best is not None,
        sum(1 << KNOWN_SIGNALS.index(signal) for signal in windows.signals),
    )
    return b"".join([head, *(memoryview(ring).cast("B") for ring in _rings(windows))])


def unpack(packed: bytes, spec: WindowSpec) -> SessionWindows:
    """What ``pack`` was given. Raises ``ValueError`` where it was something else."""
    if len(packed) < _HEAD.size:
        raise ValueError(f"{len(packed)} bytes are no session's windows")
    *times, has_best, kept = _HEAD.unpack_from(packed)
    signals = tuple(name for number, name in enumerate(KNOWN_SIGNALS) if kept >> number & 1)
    windows = SessionWindows(spec, signals)
    windows.watermark, windows.newest, windows.last_hit, windows.last_real = times
    windows.best = BestFrames() if has_best else None
    rings = [memoryview(ring).cast("B") for ring in _rings(windows)]
    if len(packed) != _HEAD.size + sum(map(len, rings)):
        raise ValueError(f"{len(packed)} bytes are no session's windows")
    start = _HEAD.size
    for ring in rings:
        ring[:] = packed[start : start + len(ring)]
        start += len(ring)
    return windows


def _rings(windows: SessionWindows) -> chain[array[int] | bytearray]:
    best = windows.best
    return chain(
        (windows.frames, windows.hits, windows.numbers, windows.peak, windows.sums),
        (best.rank, best.offset, best.within) if best is not None else (),
    )
