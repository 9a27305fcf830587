"""One encoded frame to pixels, within bounds.

Decoders are FFmpeg's through PyAV, named by the record and never guessed from the bytes, so that
a payload can't choose one. What is bounded:

- **Memory.** The payload's bytes; the picture's pixels, which FFmpeg checks before it takes memory
  for them; one picture is decoded out of a payload however many it holds; and what a PNG carries
  besides its pixels is not unpacked. A decoder may hold up to 16 reference pictures of that size
  where a payload is a run of video frames.
- **Time.** A video payload is cut into pictures first and decoded one at a time, and a clock is
  looked at after each. How often a picture can make the decoder go over it is bounded too (see
  ``payload``), since that is what makes few bytes take long.
- **Not bounded here**: a single call of a decoder. It is C and can't be interrupted, and a fault in
  one ends the process. A worker decodes in processes that it can do without (see ``decoders``).

A frame is decoded with nothing left over from another: a decoder that has seen the parameter sets
of one stream would decode another's frame with them, and the same record must always give the
same pixels. A new one costs 0.05 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import av
from av.codec.context import CodecContext
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from schemas import FrameSampled

from ..dead_letters import DeadLetterCause, Rejection
from .manifest import InputSpec
from .payload import too_many_parts, without_ancillary_chunks
from .resize import Pixels, Scalers, resize, scaled_size

_DECODERS = {
    "jpeg": "mjpeg",
    "png": "png",
    "webp": "webp",
    "h264": "h264",
    "hevc": "hevc",
    "av1": "libdav1d",
}
_CUT_INTO_PICTURES = {"h264", "hevc"}
"""The other decoders stop after the first picture of a packet by themselves."""
_PIECE = 64 * 1024
_PADDING = 64


@dataclass(frozen=True, slots=True)
class DecodeBounds:
    """What one frame may cost: encoded bytes, decoded pixels, seconds."""

    payload_bytes: int
    pixels: int
    seconds: float = 2.0
    """Of work. An 8K key frame of 13 MB in H.264 takes 0.3 s of a core."""


def out_of_bounds(frame: FrameSampled, bounds: DecodeBounds) -> Rejection | None:
    """Why ``frame`` is not to be decoded, as far as it can be told without."""
    if not frame.payload and frame.payload_uri:
        detail = "a payload_uri, and no origins are allowed: FIREBREAK_PAYLOAD_ORIGINS"
        return Rejection(DeadLetterCause.PAYLOAD_REFUSED, detail, frame.stream_id)
    if not frame.payload:
        return Rejection(DeadLetterCause.EMPTY_PAYLOAD, "no payload", frame.stream_id)
    if len(frame.payload) > bounds.payload_bytes:
        detail = f"{len(frame.payload)} bytes, at most {bounds.payload_bytes}"
        return Rejection(DeadLetterCause.PAYLOAD_TOO_LARGE, detail, frame.stream_id)
    if frame.codec not in _DECODERS:
        detail = f"{frame.codec[:40]!r}, known are {', '.join(_DECODERS)}"
        return Rejection(DeadLetterCause.UNKNOWN_CODEC, detail, frame.stream_id)
    if frame.width * frame.height > bounds.pixels:
        return _too_many_pixels(frame, frame.width, frame.height)
    return None


class _TooSlow(Exception):
    """Decoding was given up, or should not be begun."""


class Decoder:
    """Decodes frame samples to a model's size. Safe to call from several threads.

    ``clock`` counts seconds. A worker passes ``time.thread_time``, so that a frame pays for its
    own work and not for a busy machine. Without one time is not bounded, as is right where footage
    is measured: there the outcome must not depend on the machine.
    """

    def __init__(
        self, spec: InputSpec, bounds: DecodeBounds, clock: Callable[[], float] | None = None
    ) -> None:
        self._spec = spec
        self._bounds = bounds
        self._clock = clock or (lambda: 0.0)
        self._scalers = Scalers()

    def decode(self, frame: FrameSampled) -> Pixels | Rejection:
        """The frame's first picture, ``[height, width, 3]`` RGB, or why it can't be had."""
        if rejection := out_of_bounds(frame, self._bounds):
            return rejection
        try:
            picture = self._first_picture(frame.codec, frame.payload)
            if picture is None:
                return _rejected(frame, DeadLetterCause.UNDECODABLE_PAYLOAD, "no picture")
            if excess := self._excess(picture.width, picture.height):
                return _too_many_pixels(frame, *excess)
            return resize(picture, self._spec, self._scalers)
        except FFmpegError as error:
            return _rejected(frame, DeadLetterCause.UNDECODABLE_PAYLOAD, str(error.strerror))
        except _TooSlow as error:
            return _rejected(frame, DeadLetterCause.DECODE_TOO_SLOW, str(error))

    def decode_all(self, frames: Sequence[FrameSampled]) -> list[Pixels | Rejection]:
        """One outcome a frame, in order."""
        return [self.decode(frame) for frame in frames]

    def _excess(self, width: int, height: int) -> tuple[int, int] | None:
        """The size that is out of bounds, if any: of the picture, or of what it is scaled to.

        A crop scales a thin strip up before it cuts.
        """
        scaled = scaled_size(width, height, self._spec)
        most = max(self._bounds.pixels, self._spec.width * self._spec.height)
        if width * height > self._bounds.pixels:
            return width, height
        return scaled if scaled[0] * scaled[1] > most else None

    def _first_picture(self, codec: str, payload: bytes) -> VideoFrame | None:
        """Raises ``FFmpegError``, ``_TooSlow``."""
        began = self._clock()
        context = cast(VideoCodecContext, CodecContext.create(_DECODERS[codec], "r"))
        context.options = {"max_pixels": str(self._bounds.pixels)}
        # Frame threads would hold the only picture back; the parallelism is across frames.
        context.thread_count = 1
        for packet in _packets(context, codec, payload):
            if packet is not None and (parts := too_many_parts(codec, bytes(packet))):
                raise _TooSlow(parts)
            pictures = context.decode(packet)
            if (taken := self._clock() - began) > self._bounds.seconds:
                raise _TooSlow(f"{taken:.1f} s, at most {self._bounds.seconds:g} s")
            if pictures:
                return pictures[0]
        return None


def _packets(
    context: VideoCodecContext, codec: str, payload: bytes
) -> Iterator[av.Packet[Any] | None]:
    """``payload`` cut up; last ``None``, at which a decoder gives out what it has held back.

    Cut as it is asked for: 4 MB of the smallest units would be a million packets.
    """
    if codec == "png":
        yield av.Packet(without_ancillary_chunks(payload))
    elif codec in _CUT_INTO_PICTURES:
        # Parsers read a little ahead of what they are given.
        padded = memoryview(payload + bytes(_PADDING))
        for start in range(0, len(payload), _PIECE):
            yield from context.parse(padded[start : min(start + _PIECE, len(payload))])
        yield from context.parse(None)
    else:
        yield av.Packet(payload)
    yield None


def _rejected(frame: FrameSampled, cause: DeadLetterCause, detail: str) -> Rejection:
    return Rejection(cause, f"{frame.codec}: {detail}", frame.stream_id)


def _too_many_pixels(frame: FrameSampled, width: int, height: int) -> Rejection:
    return Rejection(DeadLetterCause.TOO_MANY_PIXELS, f"{width}x{height}", frame.stream_id)
