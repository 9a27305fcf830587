"""One encoded frame to pixels, within bounds.

Decoders are FFmpeg's through PyAV, named by the record and never guessed from the bytes, so that
a payload can't choose one. FFmpeg's ``max_pixels`` refuses a picture before memory for it is
taken, which is what stops a decompression bomb.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import cast

import av
import numpy as np
from av.codec.context import CodecContext
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from schemas import FrameSampled

from ..dead_letters import DeadLetterCause, Rejection

Pixels = NDArray[np.uint8]
"""``[height, width, 3]``, RGB."""

_DECODERS = {
    "jpeg": "mjpeg",
    "png": "png",
    "webp": "webp",
    "h264": "h264",
    "hevc": "hevc",
    "av1": "libdav1d",
}


@dataclass(frozen=True, slots=True)
class DecodeBounds:
    """What one frame may cost: encoded bytes, decoded pixels."""

    payload_bytes: int
    pixels: int


class Decoder:
    """Decodes frame samples and scales them to one size. Safe to call from several threads."""

    def __init__(self, width: int, height: int, bounds: DecodeBounds) -> None:
        self._width = width
        self._height = height
        self._bounds = bounds
        self._threads = threading.local()

    def decode(self, frame: FrameSampled) -> Pixels | Rejection:
        """The frame squashed to ``[height, width, 3]`` RGB, or why it can't be had."""
        if rejection := self._out_of_bounds(frame):
            return rejection
        try:
            context = self._context(frame.codec)
            picture = _first_picture(context, frame.payload)
        except FFmpegError as error:
            self._threads.__dict__.pop(frame.codec, None)
            return Rejection(
                DeadLetterCause.UNDECODABLE_PAYLOAD,
                f"{frame.codec}: {error.strerror}",
                frame.stream_id,
            )
        if picture is None:
            return Rejection(
                DeadLetterCause.UNDECODABLE_PAYLOAD, f"{frame.codec}: no picture", frame.stream_id
            )
        if picture.width * picture.height > self._bounds.pixels:
            return _too_many_pixels(frame, picture.width, picture.height)
        scaled = picture.reformat(
            width=self._width,
            height=self._height,
            format="rgb24",
            interpolation=Interpolation.BILINEAR,
        )
        return cast(Pixels, scaled.to_ndarray())

    def _out_of_bounds(self, frame: FrameSampled) -> Rejection | None:
        if not frame.payload:
            return Rejection(DeadLetterCause.EMPTY_PAYLOAD, "no payload", frame.stream_id)
        if len(frame.payload) > self._bounds.payload_bytes:
            detail = f"{len(frame.payload)} bytes, at most {self._bounds.payload_bytes}"
            return Rejection(DeadLetterCause.PAYLOAD_TOO_LARGE, detail, frame.stream_id)
        if frame.codec not in _DECODERS:
            detail = f"{frame.codec[:40]!r}, known are {', '.join(_DECODERS)}"
            return Rejection(DeadLetterCause.UNKNOWN_CODEC, detail, frame.stream_id)
        if frame.width * frame.height > self._bounds.pixels:
            return _too_many_pixels(frame, frame.width, frame.height)
        return None

    def _context(self, codec: str) -> VideoCodecContext:
        """This thread's decoder for ``codec``; a failed one is not used again."""
        contexts = self._threads.__dict__
        if codec not in contexts:
            context = cast(VideoCodecContext, CodecContext.create(_DECODERS[codec], "r"))
            context.options = {"max_pixels": str(self._bounds.pixels)}
            # Frame threads would hold the only picture back; the parallelism is across frames.
            context.thread_count = 1
            contexts[codec] = context
        return cast(VideoCodecContext, contexts[codec])


def _first_picture(context: VideoCodecContext, payload: bytes) -> VideoFrame | None:
    pictures = [*context.decode(av.Packet(payload)), *context.decode(None)]
    context.flush_buffers()
    return pictures[0] if pictures else None


def _too_many_pixels(frame: FrameSampled, width: int, height: int) -> Rejection:
    return Rejection(DeadLetterCause.TOO_MANY_PIXELS, f"{width}x{height}", frame.stream_id)
