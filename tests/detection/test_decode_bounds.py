"""What one frame may cost in time and memory."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from agents.dead_letters import DeadLetterCause, Rejection
from agents.detection.decode import DecodeBounds, Decoder
from agents.detection.payload import without_ancillary_chunks
from tests.builders import frame_sampled
from tests.detection.test_decode import (
    BOUNDS,
    DECODER,
    input_spec,
    letter,
    picture,
    pixels_of,
    video,
)


@pytest.mark.parametrize(
    ("codec", "encoder"), [("h264", "libx264"), ("hevc", "libx265"), ("av1", "libsvtav1")]
)
def test_of_a_payload_of_many_frames_the_first_is_taken(codec: str, encoder: str) -> None:
    many = pixels_of(DECODER.decode(frame_sampled(codec=codec, payload=video(encoder, 60))))
    assert letter(many[112, 112]) == "r"
    assert int(many[112, 112, 2]) < 40


def ticking(*readings: float) -> Callable[[], float]:
    """A clock that reads so; it reads the last for ever after."""
    left: Iterator[float] = iter(readings)
    return lambda: next(left, readings[-1])


@pytest.mark.parametrize(("taken", "given_up"), [(2.0, False), (2.001, True)])
def test_a_frame_may_take_the_seconds_it_is_allowed_and_no_more(
    taken: float, given_up: bool
) -> None:
    decoder = Decoder(input_spec(), DecodeBounds(200_000, 640 * 480, 2.0), ticking(5.0, 5 + taken))
    outcome = decoder.decode(frame_sampled(payload=picture()))
    assert isinstance(outcome, Rejection) is given_up
    if isinstance(outcome, Rejection):
        assert outcome.cause is DeadLetterCause.DECODE_TOO_SLOW
        assert outcome.detail == "jpeg: 2.0 s, at most 2 s"


def test_a_video_payload_is_given_up_between_its_pictures() -> None:
    payload = video("libx264", 60)
    looks = 0

    def clock() -> float:
        nonlocal looks
        looks += 1
        return float(looks)

    decoder = Decoder(input_spec(), DecodeBounds(200_000, 640 * 480, 0.5), clock)
    outcome = decoder.decode(frame_sampled(codec="h264", payload=payload))
    assert isinstance(outcome, Rejection)
    assert outcome.cause is DeadLetterCause.DECODE_TOO_SLOW
    assert looks == 2  # when it began, and after the first of sixty pictures


def test_a_real_frame_is_well_within_the_time_it_is_allowed() -> None:
    decoder = Decoder(input_spec(), BOUNDS, time.thread_time)
    assert isinstance(decoder.decode(frame_sampled(payload=picture(640, 480))), np.ndarray)


def test_a_jpeg_of_very_many_scans_is_not_begun() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (640, 480), (128, 128, 128)).save(buffer, "JPEG", progressive=True)
    jpeg = buffer.getvalue()
    last = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    assert isinstance(DECODER.decode(frame_sampled(payload=jpeg)), np.ndarray)
    outcome = DECODER.decode(frame_sampled(payload=jpeg[:-2] + last * 200 + jpeg[-2:]))
    assert isinstance(outcome, Rejection)
    assert outcome.cause is DeadLetterCause.DECODE_TOO_SLOW
    assert outcome.detail == "jpeg: 210 scans in one picture, at most 100"


_KINDS = [b"IDAT", b"IEND", b"tRNS", b"zTXt", b"iCCP", b"acTL"]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


_PEAK = """
import resource, sys
from tests.builders import frame_sampled
from tests.detection.test_decode import DECODER
DECODER.decode(frame_sampled(codec="png", payload=sys.stdin.buffer.read()))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_text_packed_into_a_png_is_not_unpacked() -> None:
    png = picture(file_format="PNG")
    packed = zlib.compress(bytes(150_000_000))
    bomb = png[:33] + _chunk(b"zTXt", b"t\0\0" + packed) + png[33:]
    # The most memory that a process ever had is its own only in a process of its own.
    plain, bombed = (
        int(
            subprocess.run(
                [sys.executable, "-c", _PEAK], input=given, stdout=subprocess.PIPE, check=True
            ).stdout
        )
        for given in (png, bomb)
    )
    assert bombed - plain < 20  # MB


def test_what_the_pixels_of_a_png_need_is_kept() -> None:
    buffer = io.BytesIO()
    palette = Image.new("P", (64, 48))
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.save(buffer, "PNG", transparency=1, dpi=(72, 72))
    slim = without_ancillary_chunks(buffer.getvalue())
    assert all(kind in slim for kind in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
    assert b"pHYs" in buffer.getvalue()
    assert b"pHYs" not in slim


@given(st.lists(st.tuples(st.sampled_from(_KINDS), st.binary(max_size=9))), st.binary(max_size=30))
def test_chunks_that_go_leave_the_others_as_they_were(
    chunks: list[tuple[bytes, bytes]], tail: bytes
) -> None:
    start = picture(file_format="PNG")[:33]
    slim = without_ancillary_chunks(start + b"".join(_chunk(*chunk) for chunk in chunks) + tail)
    kept = [_chunk(*chunk) for chunk in chunks if chunk[0] in _KINDS[:3]]
    assert slim.startswith(start + b"".join(kept))
    assert without_ancillary_chunks(slim) == slim
