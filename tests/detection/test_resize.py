"""A picture is fitted to the model's input by the bundle's rule."""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from agents.dead_letters import DeadLetterCause, Rejection
from agents.detection.decode import DecodeBounds, Decoder
from tests.builders import frame_sampled
from tests.detection.test_decode import BOUNDS, input_spec, letter, picture, pixels_of


@pytest.mark.parametrize(
    ("resize", "across", "down"),
    [
        # 64 x 48, red on the left and blue on the right: what is at these places of 224 x 224.
        ("squash", "rrbb", "rrrr"),
        ("letterbox", "rrbb", ".rr."),
        ("crop", "rrbb", "rrrr"),
    ],
)
def test_a_picture_is_fitted_by_the_rule_of_the_input(
    resize: Literal["squash", "letterbox", "crop"], across: str, down: str
) -> None:
    decoder = Decoder(input_spec(resize), BOUNDS)
    frame = frame_sampled(codec="png", payload=picture(file_format="PNG"))
    pixels = pixels_of(decoder.decode(frame))
    assert pixels.shape == (224, 224, 3)
    places = [10, 80, 140, 214]
    assert "".join(letter(pixels[112, x]) for x in places) == across
    assert "".join(letter(pixels[y, 80]) for y in places) == down


def test_a_letterbox_keeps_the_whole_picture_and_a_crop_its_centre() -> None:
    pixels = np.zeros((100, 300, 3), np.uint8)
    pixels[:, :40] = pixels[:, 260:] = (255, 0, 0)  # both ends red, outside the centre square
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    frame = frame_sampled(codec="png", payload=buffer.getvalue())
    letterbox = pixels_of(Decoder(input_spec("letterbox"), BOUNDS).decode(frame))
    crop = pixels_of(Decoder(input_spec("crop"), BOUNDS).decode(frame))
    assert letter(letterbox[112, 2]) == letter(letterbox[112, 221]) == "r"
    assert not crop.any()


def test_a_strip_that_a_crop_would_blow_up_is_rejected() -> None:
    frame = frame_sampled(codec="png", payload=picture(4000, 2, "PNG"))
    rejection = Decoder(input_spec("crop"), BOUNDS).decode(frame)
    assert isinstance(rejection, Rejection)
    assert rejection.cause is DeadLetterCause.TOO_MANY_PIXELS
    assert pixels_of(Decoder(input_spec("letterbox"), BOUNDS).decode(frame)).shape == (224, 224, 3)


def test_a_bound_below_the_models_own_size_still_lets_small_pictures_in() -> None:
    decoder = Decoder(input_spec("crop"), DecodeBounds(payload_bytes=200_000, pixels=64 * 48))
    assert pixels_of(decoder.decode(frame_sampled(payload=picture(48, 48)))).shape[0] == 224


def test_what_a_picture_becomes_does_not_depend_on_those_before_it() -> None:
    """Scalers are kept: many sizes, more than are kept, by turns, on a thread that has seen all."""
    sizes = [(64 + 8 * n, 48 + 4 * n) for n in range(20)]
    frames = [frame_sampled(codec="jpeg", payload=picture(*size)) for size in sizes]
    seasoned = Decoder(input_spec("squash"), BOUNDS)
    for _ in range(2):
        for frame in frames:
            fresh = pixels_of(Decoder(input_spec("squash"), BOUNDS).decode(frame))
            assert (pixels_of(seasoned.decode(frame)) == fresh).all()
