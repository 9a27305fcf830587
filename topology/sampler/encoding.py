"""From a picture or a packet to the payload of a frame sample."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.bitstream import BitStreamFilterContext
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from .options import Mode, SourceFailed

_QUARTER_TURN = 90
_ANNEX_B_FILTERS = {
    "h264": "h264_mp4toannexb,dump_extra=freq=keyframe",
    "hevc": "hevc_mp4toannexb,dump_extra=freq=keyframe",
}


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """A payload and what it is; ``width`` and ``height`` in pixels, as encoded."""

    codec: str
    width: int
    height: int
    payload: bytes


class JpegEncoder:
    """Encodes frames as JPEG (4:2:0, full range), upright and at most ``width`` pixels wide.

    ``quality`` is the quantiser, 2 to 31. The encoder is kept from frame to frame and made anew
    where the size changes.
    """

    def __init__(self, width: int, quality: int) -> None:
        self._width = width
        self._quality = quality
        self._reformatter = VideoReformatter()
        self._context: VideoCodecContext | None = None
        self._number = 0

    def encode(self, frame: av.VideoFrame) -> EncodedFrame:
        """``frame`` as JPEG. Raises ``av.FFmpegError`` for a frame that can't be converted."""
        picture = self._upright(frame)
        context = self._context_for(picture.width, picture.height)
        # The encoder refuses pts that don't rise, and picture types it would have to honour.
        self._number += 1
        picture.pts, picture.time_base, picture.pict_type = self._number, Fraction(1), 0
        payload = b"".join(bytes(packet) for packet in context.encode(picture))
        return EncodedFrame("jpeg", picture.width, picture.height, payload)

    def _upright(self, frame: av.VideoFrame) -> av.VideoFrame:
        turns, rest = divmod(frame.rotation, _QUARTER_TURN)
        sideways = rest == 0 and turns % 2 == 1
        displayed = frame.height if sideways else frame.width
        scale = min(Fraction(1), Fraction(self._width, displayed))
        width, height = (max(1, round(side * scale)) for side in (frame.width, frame.height))
        if rest or turns % 4 == 0:
            return self._convert(frame, width, height, "yuvj420p")
        upright = np.rot90(self._convert(frame, width, height, "rgb24").to_ndarray(), turns)
        turned = av.VideoFrame.from_ndarray(
            np.ascontiguousarray(upright, dtype=np.uint8), format="rgb24"
        )
        return self._convert(turned, turned.width, turned.height, "yuvj420p")

    def _convert(self, frame: av.VideoFrame, width: int, height: int, pixels: str) -> av.VideoFrame:
        return self._reformatter.reformat(
            frame, width, height, pixels, interpolation=Interpolation.AREA
        )

    def _context_for(self, width: int, height: int) -> VideoCodecContext:
        context = self._context
        if context is None or (context.width, context.height) != (width, height):
            context = av.CodecContext.create("mjpeg", "w")
            context.width, context.height, context.pix_fmt = width, height, "yuvj420p"
            context.time_base = Fraction(1)
            context.thread_count = 1  # more would hold frames back
            context.qmin = context.qmax = self._quality
            self._context = context
        return context


class KeyFrameCutter:
    """Makes each key packet of an H.264, HEVC or AV1 stream decodable by itself.

    H.264 and HEVC become Annex B with the parameter sets in front, AV1 keeps its low-overhead
    OBUs with the sequence header in front. ``width`` and ``height`` are the container's, which
    is all that is known without decoding. A stream that is refreshed gradually marks key packets
    that are no pictures by themselves; no filter mends those.

    Raises ``SourceFailed`` for any other codec.
    """

    def __init__(self, stream: VideoStream) -> None:
        # PyAV names the decoder, such as libdav1d; the canonical name is the codec's.
        self._codec = stream.codec.canonical_name
        self._size = (stream.codec_context.width, stream.codec_context.height)
        self._filter: BitStreamFilterContext | None = None
        self._sequence_header = b""
        if self._codec in _ANNEX_B_FILTERS:
            try:
                self._filter = BitStreamFilterContext(_ANNEX_B_FILTERS[self._codec], stream)
            except av.FFmpegError as error:
                raise SourceFailed(f"its {self._codec} is malformed: {error.strerror}") from None
        elif self._codec == "av1":
            self._sequence_header = _av1_configuration(stream.codec_context.extradata or b"")
        else:
            raise SourceFailed(
                f"{self._codec} has no key-frame mode (h264, hevc and av1 have): "
                f"use --mode {Mode.JPEG}"
            )

    def cut(self, packet: av.Packet[VideoStream]) -> EncodedFrame:
        """``packet``, which must be a key packet; its data is used up."""
        if self._filter is not None:
            payload = b"".join(bytes(part) for part in self._filter.filter(packet))
        else:
            payload = bytes(packet)
            if not _has_sequence_header(payload):
                payload = self._sequence_header + payload
        return EncodedFrame(self._codec, *self._size, payload)


_AV1C_MARKER = 0x81
_AV1C_HEADER = 4
_OBU_SEQUENCE_HEADER = 1
_LEB128_BYTES = 8


def _av1_configuration(extradata: bytes) -> bytes:
    """The OBUs of ``extradata``, which in an ``av1C`` box (AV1 in ISOBMFF, 2.3) follow 4 bytes."""
    return extradata[_AV1C_HEADER:] if extradata[:1] == bytes([_AV1C_MARKER]) else extradata


def _has_sequence_header(data: bytes) -> bool:
    """Whether an OBU of the temporal unit ``data`` is a sequence header (AV1, 5.3)."""
    position = 0
    while position < len(data):
        header = data[position]
        if (header >> 3) & 0xF == _OBU_SEQUENCE_HEADER:
            return True
        extended, sized = header & 4, header & 2
        if not sized:
            return False  # it reaches to the end
        position += 2 if extended else 1
        size = 0
        for index, byte in enumerate(data[position : position + _LEB128_BYTES]):
            size |= (byte & 0x7F) << (7 * index)
            position += 1
            if not byte & 0x80:
                break
        position += size
    return False
