"""Frames as pictures for people: veiled, or as they are. Pure but for the decoder passed in.

Veiled is a picture of which nothing fine is left: the decoder itself is asked for few pixels, so
that no detail is in what comes out of it, whatever is done to that. It shows where in the picture
it is light and dark, which is enough to tell frames apart. Both kinds are encoded anew, from pixels
alone: nothing that a payload held besides is passed on.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.codec.context import Flags
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation

from schemas import FrameSampled

from .ports import Decode, NotDecodable, Pixels

CONTENT_TYPE = "image/jpeg"
PLAIN_SIDE = 960
"""Pixels of the longer side, of a plain picture, at most."""
VEILED_SIDE = 320
VEILED_DETAIL = 24
"""Pixels of the longer side that a veiled picture is made from."""
_QUALITY = 4
"""Of JPEG by FFmpeg's scale, 2 (best) to 31."""
_LUMA = np.array([0.299, 0.587, 0.114])
"""ITU-R BT.601, as JPEG has it."""
_USUAL = (16, 9)


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG."""

    jpeg: bytes
    width: int
    height: int


def plain(frame: FrameSampled, decode: Decode) -> Picture:
    """``frame`` as it is. Blocks. Raises what ``decode`` raises."""
    pixels = decode(frame, *fitted(frame, PLAIN_SIDE))
    return _encoded(VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24"))


def veiled(frame: FrameSampled, decode: Decode) -> Picture:
    """``frame`` in greyscale, with nothing fine left. Blocks. Raises what ``decode`` raises."""
    grey = _grey(decode(frame, *fitted(frame, VEILED_DETAIL)))
    width, height = fitted(frame, VEILED_SIDE)
    small = VideoFrame.from_ndarray(grey, "gray")
    # Smoothly: hard edges between squares would look like a censor's mosaic.
    return _encoded(small.reformat(width, height, interpolation=Interpolation.BICUBIC))


def fitted(frame: FrameSampled, side: int) -> tuple[int, int]:
    """Width and height with the proportions of ``frame``, the longer side of ``side``.

    By what the shard says of its size: where that is wrong the picture has bars, and where it is
    no size, the usual proportions are taken.
    """
    width, height = frame.width, frame.height
    if min(width, height) < 1:
        width, height = _USUAL
    factor = Fraction(side, max(width, height))
    # Even, as JPEG halves the resolution of colours.
    return _even(width * factor), _even(height * factor)


def _even(length: Fraction) -> int:
    return max(2 * round(length / 2), 2)


def _grey(pixels: Pixels) -> Pixels:
    return cast(Pixels, np.ascontiguousarray((pixels @ _LUMA).round().astype(np.uint8)))


def _encoded(picture: VideoFrame) -> Picture:
    context = av.CodecContext.create("mjpeg", "w")
    context.width, context.height = picture.width, picture.height
    context.pix_fmt = "yuvj420p"
    context.time_base = Fraction(1, 1)
    # Or it would sign each picture with its name and version.
    context.flags |= Flags.bitexact
    context.options = {"qmin": str(_QUALITY), "qmax": str(_QUALITY)}
    coded = picture.reformat(format="yuvj420p", dst_color_range=ColorRange.JPEG)
    coded.pts = 0
    packets = [*context.encode(coded), *context.encode(None)]
    if not packets:
        raise NotDecodable("no picture came of it")
    return Picture(b"".join(map(bytes, packets)), picture.width, picture.height)
