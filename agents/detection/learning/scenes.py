"""Where a video cuts from one scene to the next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scenedetect import ContentDetector, FrameTimecode
from scenedetect.detector import FlashFilter

SHORTEST = 0.6
"""Seconds between two cuts at least: flashes, of a muzzle say, are no cuts."""


class SceneCuts:
    """Tells cuts as the frames of one video come by, ``fps`` of them a second."""

    def __init__(self, fps: float) -> None:
        self._fps = float(fps)  # the library takes a whole number for a count of frames
        self._number = 0
        # Suppressing and not merging, which would tell a cut only after it is past.
        self._detector = ContentDetector(
            min_scene_len=SHORTEST, filter_mode=FlashFilter.Mode.SUPPRESS
        )

    def begins(self, frame: NDArray[np.uint8]) -> bool:
        """Whether the next frame, ``[height, width, 3]`` BGR, is the first of a scene."""
        timecode = FrameTimecode(self._number, self._fps)
        self._number += 1
        return bool(self._detector.process_frame(timecode, frame)) or self._number == 1
