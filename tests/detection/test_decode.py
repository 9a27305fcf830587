"""Decoding one frame within bounds."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import Literal

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from agents.dead_letters import DeadLetterCause, Rejection
from agents.detection.decode import DecodeBounds, Decoder
from agents.detection.manifest import InputSpec
from agents.detection.resize import Pixels
from tests.builders import frame_sampled

BOUNDS = DecodeBounds(payload_bytes=200_000, pixels=640 * 480)


def input_spec(resize: Literal["squash", "letterbox", "crop"] = "squash") -> InputSpec:
    return InputSpec("x", "float32", "NCHW", 224, 224, "RGB", 1.0, 0.0, resize)


DECODER = Decoder(input_spec(), BOUNDS)


def picture(width: int = 64, height: int = 48, file_format: str = "JPEG") -> bytes:
    """Left half red, right half blue."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2] = (255, 0, 0)
    pixels[:, width // 2 :] = (0, 0, 255)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, file_format)
    return buffer.getvalue()


def video(encoder: str, frames: int) -> bytes:
    """That many frames in one payload: red first, and bluer from one to the next."""
    context = av.CodecContext.create(encoder, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = 320, 240, "yuv420p"
    context.framerate = Fraction(2)
    payload = b""
    for number in range(frames):
        pixels = np.full((240, 320, 3), (255, 0, 255 * number // frames), np.uint8)
        frame = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format="yuv420p")
        frame.pts = number
        payload += b"".join(bytes(packet) for packet in context.encode(frame))
    return payload + b"".join(bytes(packet) for packet in context.encode(None))


def key_frame(encoder: str) -> bytes:
    """One key frame of a red picture, with its parameter sets."""
    return video(encoder, 1)


@pytest.mark.parametrize(
    ("codec", "payload"),
    [
        ("jpeg", picture(file_format="JPEG")),
        ("png", picture(file_format="PNG")),
        ("webp", picture(file_format="WEBP")),
    ],
)
def test_a_picture_is_squashed_to_the_models_size_in_rgb(codec: str, payload: bytes) -> None:
    pixels = DECODER.decode(frame_sampled(codec=codec, payload=payload))
    assert isinstance(pixels, np.ndarray)
    assert pixels.shape == (224, 224, 3)
    assert pixels.dtype == np.uint8
    red, blue = pixels[112, 50].tolist(), pixels[112, 170].tolist()
    assert red[0] > 200
    assert red[2] < 60
    assert blue[0] < 60
    assert blue[2] > 200


@pytest.mark.parametrize(
    ("codec", "encoder"), [("h264", "libx264"), ("hevc", "libx265"), ("av1", "libsvtav1")]
)
def test_a_key_frame_decodes_by_itself(codec: str, encoder: str) -> None:
    pixels = DECODER.decode(frame_sampled(codec=codec, payload=key_frame(encoder)))
    assert isinstance(pixels, np.ndarray)
    assert pixels[100, 100, 0] > 200


def _bomb() -> bytes:
    """A PNG of few bytes and very many pixels."""
    buffer = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"payload": b""}, DeadLetterCause.EMPTY_PAYLOAD),
        ({"payload": b"x" * 200_001}, DeadLetterCause.PAYLOAD_TOO_LARGE),
        ({"codec": "gif", "payload": b"GIF89a"}, DeadLetterCause.UNKNOWN_CODEC),
        ({"payload": b"not a picture"}, DeadLetterCause.UNDECODABLE_PAYLOAD),
        ({"payload": picture()[:40]}, DeadLetterCause.UNDECODABLE_PAYLOAD),
        ({"codec": "png", "payload": picture()}, DeadLetterCause.UNDECODABLE_PAYLOAD),
        ({"codec": "h264", "payload": picture()}, DeadLetterCause.UNDECODABLE_PAYLOAD),
        ({"width": 10_000, "height": 10_000}, DeadLetterCause.TOO_MANY_PIXELS),
        ({"payload": picture(1000, 1000)}, DeadLetterCause.UNDECODABLE_PAYLOAD),
        ({"codec": "png", "payload": _bomb()}, DeadLetterCause.UNDECODABLE_PAYLOAD),
    ],
)
def test_what_can_not_be_decoded_is_rejected_with_its_cause(
    given: dict[str, object], cause: DeadLetterCause
) -> None:
    rejection = DECODER.decode(frame_sampled(**{"payload": picture(), **given}))
    assert isinstance(rejection, Rejection)
    assert rejection.cause is cause
    assert rejection.stream_id == "stream-1"


@pytest.mark.parametrize("spoiler", [b"junk", picture()[:60], picture(1000, 1000)])
def test_a_bad_frame_leaves_the_next_one_as_it_is(spoiler: bytes) -> None:
    expected = DECODER.decode(frame_sampled(payload=picture()))
    DECODER.decode(frame_sampled(payload=spoiler))
    after = DECODER.decode(frame_sampled(payload=picture()))
    assert np.array_equal(pixels_of(expected), pixels_of(after))


def test_frames_of_different_sizes_on_many_threads_do_not_mix() -> None:
    frames = [frame_sampled(payload=picture(32 + 16 * (n % 5), 48)) for n in range(100)]
    alone = [pixels_of(DECODER.decode(frame)) for frame in frames]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(_decode(), frames))
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one, pixels_of(other))


def _decode() -> Callable[..., Pixels | Rejection]:
    return DECODER.decode


def letter(pixel: Pixels) -> str:
    red, _, blue = (int(channel) for channel in pixel)
    return "r" if red > 200 else "b" if blue > 200 else "."


def pixels_of(outcome: Pixels | Rejection) -> Pixels:
    assert isinstance(outcome, np.ndarray)
    return outcome


def test_a_frame_is_not_decoded_with_what_another_left_behind() -> None:
    frame = key_frame("libx264")
    slice_only = frame[frame.rindex(b"\0\0\1") :]  # without the parameter sets before it
    assert isinstance(DECODER.decode(frame_sampled(codec="h264", payload=frame)), np.ndarray)
    outcome = DECODER.decode(frame_sampled(codec="h264", payload=slice_only))
    assert isinstance(outcome, Rejection)


@settings(max_examples=300)
@given(
    codec=st.sampled_from(["jpeg", "png", "webp", "h264", "hevc", "av1"]),
    start=st.integers(0, 400),
    noise=st.binary(min_size=1, max_size=40),
)
def test_a_mutated_payload_is_decoded_or_rejected_and_nothing_else(
    codec: str, start: int, noise: bytes
) -> None:
    payload = bytearray(_SAMPLES[codec])
    payload[start : start + len(noise)] = noise
    outcome = DECODER.decode(frame_sampled(codec=codec, payload=bytes(payload)))
    assert isinstance(outcome, Rejection | np.ndarray)


_SAMPLES = {
    "jpeg": picture(),
    "png": picture(file_format="PNG"),
    "webp": picture(file_format="WEBP"),
    "h264": key_frame("libx264"),
    "hevc": key_frame("libx265"),
    "av1": key_frame("libsvtav1"),
}
