"""Which pictures are the same, and where one scene ends."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from agents.detection.learning.likeness import ALIKE, Seen, perceptual_hash
from agents.detection.learning.scenes import SceneCuts
from agents.detection.learning.variants import COUNT, variants

from .footage import BLUE, RED, picture


def differing_bits(one: bytes, other: bytes) -> int:
    return (perceptual_hash(one) ^ perceptual_hash(other)).bit_count()


def test_encoding_and_scaling_leave_a_picture_alike() -> None:
    with Image.open(io.BytesIO(picture(1))) as image:
        half = io.BytesIO()
        image.resize((32, 32)).save(half, "JPEG", quality=40)
    assert differing_bits(picture(1), half.getvalue()) <= ALIKE
    assert differing_bits(picture(1), picture(1, quality=20)) <= ALIKE


def test_other_pictures_are_not_alike() -> None:
    seen = Seen((perceptual_hash(picture(number)), "a") for number in range(50))
    assert not any(seen.sources_alike(perceptual_hash(picture(n))) for n in range(50, 100))
    seen.add(perceptual_hash(picture(70)), "b")
    assert seen.sources_alike(perceptual_hash(picture(70))) == {"b"}


def test_a_scene_begins_with_the_video_and_at_each_cut() -> None:
    """Frames, ten a second:  0 red … 10 blue … 20."""
    cuts = SceneCuts(10)
    frames = [np.full((90, 160, 3), RED if n < 10 else BLUE, np.uint8) for n in range(20)]
    assert [number for number, frame in enumerate(frames) if cuts.begins(frame)] == [0, 10]


def test_a_flash_soon_after_a_cut_is_no_scene() -> None:
    """Frames, ten a second:  0 red … 10 blue, 12 white, 13 blue … 20."""
    cuts = SceneCuts(10)
    colours = [RED] * 10 + [BLUE] * 2 + [(255, 255, 255)] + [BLUE] * 7
    frames = [np.full((90, 160, 3), colour, np.uint8) for colour in colours]
    assert [number for number, frame in enumerate(frames) if cuts.begins(frame)] == [0, 10]


def test_variants_are_the_picture_itself_and_always_the_same_others() -> None:
    made = variants(picture(3))
    assert len(made) == COUNT
    assert made[0] == picture(3)
    assert len(set(made)) == COUNT
    assert made == variants(picture(3))
