"""Whether a recording shows play, or something that waits: a menu, a loading screen, nobody."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT = 64, 48
_CHANGED = 3.0
"""Mean difference of luma, of 0 to 255, between pictures a second apart in which a player moved;
a menu's animation and bots far off in a fixed view stay below it, play lies between 10 and 60."""
_MOVING_SHARE = 0.5


def is_still(video: Path) -> bool:
    """Whether less than half of the seconds of ``video`` bring a changed picture."""
    pictures = _a_second_apart(video)
    changes = [np.abs(after - before).mean() for before, after in pairwise(pictures)]
    return not changes or float(np.mean(np.array(changes) > _CHANGED)) < _MOVING_SHARE


def _a_second_apart(video: Path) -> list[NDArray[np.float32]]:
    """Luma ``[48, 64]`` of one picture a second."""
    pictures: list[NDArray[np.float32]] = []
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= len(pictures):
                small = frame.reformat(width=_WIDTH, height=_HEIGHT, format="gray")
                pictures.append(small.to_ndarray().astype(np.float32))
    return pictures
