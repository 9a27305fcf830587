"""Where in a picture the firearm signal comes from, and whether that is where the firearm is.

The default bundle is a classifier and draws no boxes. Its evidence can still be pointed at: cover
one part of the picture after another and see where the signal falls most (occlusion: Zeiler and
Fergus, "Visualizing and Understanding Convolutional Networks", 2014). The pointing game (Zhang et
al., "Top-down Neural Attention by Excitation Backprop", 2016) asks how often that point is inside
a labelled box, beside how often a random point and the picture's centre are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.detection.bundle import ModelBundle
from agents.detection.resize import Pixels

CELLS = 7
"""Along each side of the picture; a patch covers two by two of them."""
_GREY = 127

Box = tuple[float, float, float, float]
"""Left, top, right, bottom as shares of the picture's width and height, 0 to 1."""
Points = NDArray[np.float64]
"""``[n, 2]``: x and y as shares of the picture's width and height, 0 to 1."""


@dataclass(frozen=True, slots=True)
class PointingGame:
    """``[n]`` each: whether the point was inside a box, whether the centre was, and the chance
    that a random point is."""

    hit: NDArray[np.bool_]
    centre: NDArray[np.bool_]
    chance: NDArray[np.float64]


def point(bundle: ModelBundle, pixels: Pixels) -> tuple[float, float]:
    """The middle of the cell of ``pixels`` that ``firearm`` rests on most: it falls furthest, on
    average, when a patch covers that cell."""
    height, width, _ = pixels.shape
    rows, columns = np.arange(CELLS + 1) * height // CELLS, np.arange(CELLS + 1) * width // CELLS
    places = [(top, left) for top in range(CELLS - 1) for left in range(CELLS - 1)]
    pictures = np.repeat(pixels[None], len(places), axis=0)
    for picture, (top, left) in zip(pictures, places, strict=True):
        picture[rows[top] : rows[top + 2], columns[left] : columns[left + 2]] = _GREY
    firearm = bundle.judge(list(pictures))[:, bundle.signal_names.index("firearm")]
    sums, counts = np.zeros((CELLS, CELLS)), np.zeros((CELLS, CELLS))
    for score, (top, left) in zip(firearm, places, strict=True):
        sums[top : top + 2, left : left + 2] += score
        counts[top : top + 2, left : left + 2] += 1
    row, column = divmod(int(np.argmin(sums / counts)), CELLS)
    return (column + 0.5) / CELLS, (row + 0.5) / CELLS


def pointing_game(points: Points, boxes: Sequence[Sequence[Box]]) -> PointingGame:
    """How ``points`` do, one a picture, against the ``boxes`` of each picture."""
    centre = np.full((len(boxes), 2), 0.5)
    return PointingGame(
        hit=np.array([_inside(at, of) for at, of in zip(points, boxes, strict=True)], bool),
        centre=np.array([_inside(at, of) for at, of in zip(centre, boxes, strict=True)], bool),
        chance=np.array([_coverage(of) for of in boxes], float),
    )


def _inside(at: NDArray[np.float64], boxes: Sequence[Box]) -> bool:
    x, y = at
    return any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in boxes)


def _coverage(boxes: Sequence[Box], cells: int = 200) -> float:
    """Share of the picture inside any box, on a grid of ``cells`` squared."""
    middles = (np.arange(cells) + 0.5) / cells
    covered = np.zeros((cells, cells), bool)
    for left, top, right, bottom in boxes:
        rows = (middles >= top) & (middles <= bottom)
        covered |= rows[:, None] & ((middles >= left) & (middles <= right))[None]
    return float(covered.mean())
