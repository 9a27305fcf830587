"""Bytes that were something once: what somebody sends who means harm, or whose disk is broken."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

_INTERESTING = (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF)
_MOST_CHANGES = 8
_LONGEST_PIECE = 64


def mutated(chance: random.Random, valid: Sequence[bytes]) -> bytes:
    """One of ``valid``, changed in a few places, cut, or put together with another one."""
    data = bytearray(chance.choice(valid))
    for _ in range(chance.randint(1, _MOST_CHANGES)):
        chance.choice(_WAYS)(chance, data, valid)
    return bytes(data)


def _flip(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _set(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.choice(_INTERESTING)


def _fill(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    """As a number that is too large looks, wherever it is."""
    at, length = chance.randrange(len(data) + 1), chance.choice((2, 4, 8, 10))
    data[at : at + length] = bytes([chance.choice(_INTERESTING)]) * length


def _cut(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    del data[chance.randrange(len(data) + 1) :]


def _remove(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = chance.randrange(len(data) + 1)
    del data[at : at + chance.randint(1, _LONGEST_PIECE)]


def _repeat(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = chance.randrange(len(data) + 1)
    piece = data[at : at + chance.randint(1, _LONGEST_PIECE)]
    data[at:at] = piece * chance.randint(1, 50)


def _splice(chance: random.Random, data: bytearray, valid: Sequence[bytes]) -> None:
    other = chance.choice(valid)
    data[chance.randrange(len(data) + 1) :] = other[chance.randrange(len(other) + 1) :]


_WAYS: tuple[Callable[[random.Random, bytearray, Sequence[bytes]], None], ...] = (
    _flip,
    _set,
    _fill,
    _cut,
    _remove,
    _repeat,
    _splice,
)
