"""A decoded picture to the model's size, by the rule that the bundle was trained with. Pure."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import cast

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from .manifest import InputSpec

_SIZES = 16
"""Sizes of pictures that a thread has scalers for."""

Pixels = NDArray[np.uint8]
"""``[height, width, 3]``, RGB."""


def scaled_size(width: int, height: int, spec: InputSpec) -> tuple[int, int]:
    """What a picture of ``width`` x ``height`` is scaled to before bars are added or edges cut.

    For ``crop`` one side of it may be very long, where the picture is a thin strip.
    """
    across, down = spec.width / width, spec.height / height
    match spec.resize:
        case "squash":
            return spec.width, spec.height
        case "letterbox":
            factor = min(across, down)
        case "crop":
            factor = max(across, down)
    return max(round(width * factor), 1), max(round(height * factor), 1)


class Scalers(threading.local):
    """What libswscale has made ready on this thread to scale pictures of the sizes seen last.

    Making it takes as long as scaling a small picture three times. It says how to scale and holds
    nothing of a picture.
    """

    def __init__(self) -> None:
        self._ready: OrderedDict[tuple[int, int, str], VideoReformatter] = OrderedDict()

    def of(self, picture: VideoFrame) -> VideoReformatter:
        kind = (picture.width, picture.height, picture.format.name)
        scaler = self._ready.pop(kind, None) or VideoReformatter()
        self._ready[kind] = scaler
        if len(self._ready) > _SIZES:
            self._ready.popitem(last=False)
        return scaler


def resize(picture: VideoFrame, spec: InputSpec, scalers: Scalers) -> Pixels:
    """``picture`` as RGB pixels ``[spec.height, spec.width, 3]``."""
    width, height = scaled_size(picture.width, picture.height, spec)
    scaled = scalers.of(picture).reformat(
        picture, width, height, "rgb24", interpolation=Interpolation.BILINEAR
    )
    pixels = cast(Pixels, scaled.to_ndarray())
    match spec.resize:
        case "squash":
            return pixels
        case "letterbox":
            bars = np.zeros((spec.height, spec.width, 3), np.uint8)
            top, left = (spec.height - height) // 2, (spec.width - width) // 2
            bars[top : top + height, left : left + width] = pixels
            return bars
        case "crop":
            top, left = (height - spec.height) // 2, (width - spec.width) // 2
            centre = pixels[top : top + spec.height, left : left + spec.width]
            # Copied, so that a strip cut away isn't kept in memory by what is left of it.
            return np.ascontiguousarray(centre)
