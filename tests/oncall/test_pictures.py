"""Frames as people are shown them: veiled until asked for, and of pixels alone."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from agents.oncall.pictures import PLAIN_SIDE, VEILED_DETAIL, VEILED_SIDE, fitted, plain, veiled
from agents.oncall.ports import Pixels
from schemas import FrameSampled
from tests.builders import frame_sampled


class Decoding:
    """A decoder that notes for how many pixels it is asked, and draws stripes a pixel wide."""

    def __init__(self) -> None:
        self.asked: tuple[int, int] = (0, 0)

    def __call__(self, frame: FrameSampled, width: int, height: int) -> Pixels:
        self.asked = width, height
        pixels = np.zeros((height, width, 3), np.uint8)
        pixels[:, ::2] = (255, 0, 0)
        return pixels


def opened(jpeg: bytes) -> Image.Image:
    return Image.open(io.BytesIO(jpeg))


def test_a_plain_picture_keeps_its_colours_and_proportions() -> None:
    picture = plain(
        frame_sampled(width=3840, height=2160), lambda frame, width, height: red(width, height)
    )

    image = opened(picture.jpeg)
    assert image.size == (picture.width, picture.height) == (PLAIN_SIDE, PLAIN_SIDE * 9 // 16)
    red_, green, blue = np.asarray(image.convert("RGB")).reshape(-1, 3).mean(axis=0)
    assert red_ > 245
    assert max(green, blue) < 10


def red(width: int, height: int) -> Pixels:
    return np.full((height, width, 3), (255, 0, 0), np.uint8)


def test_a_veiled_picture_is_grey_and_made_of_few_pixels() -> None:
    """Detail that was never decoded can't be brought back from it."""
    decode = Decoding()

    picture = veiled(frame_sampled(width=1920, height=1080), decode)

    assert max(decode.asked) == VEILED_DETAIL
    pixels = np.asarray(opened(picture.jpeg).convert("RGB")).astype(int)
    assert max(pixels.shape) == VEILED_SIDE
    assert np.abs(pixels[..., 0] - pixels[..., 2]).max() <= 2


def test_a_veiled_picture_still_tells_light_from_dark() -> None:
    """Two frames can be told apart without seeing what is on them."""

    def half_lit(frame: FrameSampled, width: int, height: int) -> Pixels:
        pixels = np.zeros((height, width, 3), np.uint8)
        pixels[:, width // 2 :] = 255
        return pixels

    pixels = np.asarray(opened(veiled(frame_sampled(), half_lit).jpeg).convert("L"))

    assert pixels[:, :40].mean() < 20
    assert pixels[:, -40:].mean() > 235


@pytest.mark.parametrize("make", [plain, veiled])
def test_nothing_is_in_a_picture_besides_its_pixels(make: object) -> None:
    """No place, camera, thumbnail or comment: the bytes are as few as an encoder needs."""
    assert callable(make)
    image = opened(make(frame_sampled(), Decoding()).jpeg)

    assert image.format == "JPEG"
    assert dict(image.getexif()) == {}
    assert "comment" not in image.info


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (1920, 1080, (960, 540)),
        (1080, 1920, (540, 960)),
        (64, 48, (960, 720)),
        (100_000, 1, (960, 2)),
        (0, 0, (960, 540)),
        (-5, 7, (960, 540)),
        (1, 2**31 - 1, (2, 960)),
    ],
)
def test_whatever_a_shard_says_of_the_size_a_picture_is_small(
    width: int, height: int, expected: tuple[int, int]
) -> None:
    assert fitted(frame_sampled(width=width, height=height), PLAIN_SIDE) == expected
