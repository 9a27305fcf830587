"""What a worker and a decoder process share: the messages, and memory for payloads and pixels.

Payloads and pixels don't go through the channel. The memory begins with where the decoder stands,
which can be read when it says nothing any more.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import msgspec
import numpy as np

from .manifest import InputSpec
from .resize import Pixels

MOST_FRAMES = 64
"""Of one request."""
_PIXEL_BYTES = 64 * 1024 * 1024
"""A page of it is taken when it is first used; a picture of the largest model is 48 MiB."""
_PAYLOAD_BYTES = 8 * 1024 * 1024
_STANDING = struct.Struct("<QQQ")
_HEAD = mmap.PAGESIZE
CHANNELS = 3


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """One frame to decode: its payload lies in the memory at ``start``, with ``length`` bytes."""

    codec: str
    width: int
    height: int
    start: int
    length: int


class Request(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Decode ``pieces`` for models that want ``spec``; picture n goes to the n-th place."""

    number: int
    spec: InputSpec
    pieces: list[Piece]


class Refusal(msgspec.Struct, frozen=True, array_like=True):
    """Why a frame has no picture: a ``DeadLetterCause`` and the rest in words."""

    cause: str
    detail: str


class Answer(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """``None`` for each picture that is in its place."""

    number: int
    refusals: list[Refusal | None]


class Crash(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The decoder ended, by ``signal`` or else with ``code``, and there is a new one."""

    signal: int
    code: int
    standing: Standing


class Standing(msgspec.Struct, frozen=True, array_like=True):
    """Where a decoder stands: its process, the request in work, and the frame of it."""

    pid: int
    request: int
    index: int


def room(spec: InputSpec, lengths: Sequence[int], payload_bytes: int) -> int:
    """How many payloads of these ``lengths``, from the first on, go into one request; at least one.

    ``payload_bytes`` is the size of the largest payload.
    """
    most = min(MOST_FRAMES, _PIXEL_BYTES // _picture_bytes(spec), len(lengths))
    sizes = accumulate(lengths[:most])
    return max(sum(size <= _payload_area(payload_bytes) for size in sizes), 1)


class Memory:
    """The memory behind a file descriptor, which whoever is to share it opens again."""

    def __init__(self, descriptor: int, payload_bytes: int) -> None:
        """``payload_bytes`` is the size of the largest payload."""
        self.descriptor = descriptor
        self._map = mmap.mmap(descriptor, _size(payload_bytes))

    @classmethod
    def create(cls, payload_bytes: int) -> Memory:
        """Fresh memory, of no name that others could find it by."""
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("firebreak-frames", os.MFD_CLOEXEC)
        else:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        os.ftruncate(descriptor, _size(payload_bytes))
        return cls(descriptor, payload_bytes)

    def close(self) -> None:
        self._map.close()
        os.close(self.descriptor)

    @property
    def standing(self) -> Standing:
        return Standing(*_STANDING.unpack_from(self._map))

    @standing.setter
    def standing(self, standing: Standing) -> None:
        _STANDING.pack_into(self._map, 0, standing.pid, standing.request, standing.index)

    def put(self, start: int, payload: bytes) -> None:
        """``payload``, ``start`` bytes after the beginning of the payloads."""
        at = _HEAD + _PIXEL_BYTES + start
        self._map[at : at + len(payload)] = payload

    def payload(self, start: int, length: int) -> bytes:
        at = _HEAD + _PIXEL_BYTES + start
        return self._map[at : at + length]

    def picture(self, index: int, spec: InputSpec) -> Pixels:
        """The place of picture ``index``: what is written to it is shared."""
        array: Any = np.frombuffer(
            self._map, np.uint8, _picture_bytes(spec), _HEAD + index * _picture_bytes(spec)
        )
        return array.reshape(spec.height, spec.width, CHANNELS)  # type: ignore[no-any-return]


def _payload_area(payload_bytes: int) -> int:
    return max(_PAYLOAD_BYTES, payload_bytes)


def _size(payload_bytes: int) -> int:
    return _HEAD + _PIXEL_BYTES + _payload_area(payload_bytes)


def _picture_bytes(spec: InputSpec) -> int:
    return spec.height * spec.width * CHANNELS
