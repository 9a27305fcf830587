"""Which pictures look the same, however they were scaled or encoded."""

from __future__ import annotations

import io
from collections.abc import Iterable

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

ALIKE = 4
"""Bits of 64 in which the hashes of near-identical pictures may differ; re-encoding moves 0 to 4,
and unrelated pictures differ in 32 or so."""


def perceptual_hash(picture: bytes) -> int:
    """64 bits of an encoded picture's coarse structure: DCT phash, as ImageHash computes it."""
    with Image.open(io.BytesIO(picture)) as image:
        return int(str(imagehash.phash(image)), 16)


class Seen:
    """Hashes of pictures already kept, each with the name of its source."""

    def __init__(self, kept: Iterable[tuple[int, str]]) -> None:
        pairs = list(kept)
        self._sources = [source for _, source in pairs]
        self._hashes: NDArray[np.uint64] = np.array([value for value, _ in pairs], np.uint64)

    def sources_alike(self, value: int) -> set[str]:
        """Sources that have a picture near-identical to the one hashed to ``value``."""
        bits = np.bitwise_count(self._hashes ^ np.uint64(value))
        return {self._sources[index] for index in np.flatnonzero(bits <= ALIKE).tolist()}

    def add(self, value: int, source: str) -> None:
        self._sources.append(source)
        self._hashes = np.append(self._hashes, np.uint64(value))
