"""A session's windows as bytes and back: a snapshot that goes on as the original would. Pure."""

from __future__ import annotations

from array import array
from itertools import chain
from struct import Struct

from .windows import KNOWN_SIGNALS, SessionWindows, WindowSpec

_HEAD = Struct("<qqQqqqB")
_NUMBERS_BYTES = 32


def pack(windows: SessionWindows) -> bytes:
    """At most 2 KB, whatever the stream. Of this machine's byte order."""
    signals = sum(1 << KNOWN_SIGNALS.index(signal) for signal in windows.signals)
    head = _HEAD.pack(
        windows.watermark,
        windows.newest,
        windows.observed,
        windows.number,
        windows.last_hit,
        windows.last_real,
        signals,
    )
    numbers = windows.numbers.to_bytes(_NUMBERS_BYTES, "little")
    return b"".join([head, numbers, *(ring.tobytes() for ring in _rings(windows))])


def unpack(packed: bytes, spec: WindowSpec) -> SessionWindows:
    """What ``pack`` was given. Raises ``ValueError`` where it was something else."""
    head = _HEAD.unpack_from(packed)
    windows = SessionWindows(
        spec,
        tuple(signal for number, signal in enumerate(KNOWN_SIGNALS) if head[-1] >> number & 1),
    )
    windows.watermark, windows.newest, windows.observed, windows.number = head[:4]
    windows.last_hit, windows.last_real = head[4:6]
    start = _HEAD.size + _NUMBERS_BYTES
    windows.numbers = int.from_bytes(packed[_HEAD.size : start], "little")
    for ring in _rings(windows):
        size = len(ring) * ring.itemsize
        ring[:] = array(ring.typecode, packed[start : start + size])
        start += size
    if start != len(packed):
        raise ValueError(f"{len(packed)} bytes, of which {start} are a session's windows")
    return windows


def _rings(windows: SessionWindows) -> chain[array[int]]:
    best = (windows.frames, windows.best, windows.best_offset, windows.best_at)
    return chain(best, windows.sums, windows.hits)
