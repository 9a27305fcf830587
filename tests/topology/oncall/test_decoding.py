"""Pictures for people go through the decoders' own process, whatever is in them."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from agents.oncall.pictures import plain, veiled
from agents.oncall.ports import NotDecodable
from tests.builders import frame_sampled
from tests.detection.test_decode import key_frame, picture
from topology.oncall.decoding import PictureDecoder
from topology.settings import Settings


@pytest.fixture(scope="module")
def decoder() -> Iterator[PictureDecoder]:
    decoder = PictureDecoder(Settings(max_payload_bytes=64 * 1024, max_pixels=640 * 480))
    yield decoder
    decoder.close()


@pytest.mark.parametrize(
    ("codec", "payload"),
    [
        ("jpeg", picture(320, 240)),
        ("png", picture(320, 240, "PNG")),
        ("webp", picture(320, 240, "WEBP")),
    ],
)
def test_a_real_picture_is_shown_as_it_is_and_veiled(
    decoder: PictureDecoder, codec: str, payload: bytes
) -> None:
    """Left half red, right half blue; veiled, two greys."""
    frame = frame_sampled(codec=codec, payload=payload, width=320, height=240)

    seen = np.asarray(Image.open(io.BytesIO(plain(frame, decoder).jpeg)).convert("RGB"))
    grey = np.asarray(Image.open(io.BytesIO(veiled(frame, decoder).jpeg)).convert("RGB"))

    assert seen.shape == (720, 960, 3)
    left, right = seen[:, 200].mean(axis=0), seen[:, -200].mean(axis=0)
    assert min(left[0], right[2]) > 200
    assert max(left[2], right[0]) < 60
    assert grey.shape == (240, 320, 3)
    assert np.ptp(grey.astype(int), axis=2).max() <= 2


def test_a_key_frame_of_a_video_is_a_picture_too(decoder: PictureDecoder) -> None:
    frame = frame_sampled(codec="h264", payload=key_frame("libx264"), width=320, height=240)

    assert plain(frame, decoder).width == 960


def test_a_size_that_is_not_the_pictures_brings_bars_and_no_distortion(
    decoder: PictureDecoder,
) -> None:
    """What a shard says of the size is not believed further than that."""
    frame = frame_sampled(payload=picture(320, 240), width=240, height=240)

    seen = np.asarray(Image.open(io.BytesIO(plain(frame, decoder).jpeg)).convert("L"))

    assert seen.shape == (960, 960)
    assert seen[:100].max() < 20
    assert seen[400:500].mean() > 20


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"payload": b"nonsense"}, "undecodable-payload"),
        ({"payload": b""}, "empty-payload"),
        ({"payload": bytes(70_000)}, "payload-too-large"),
        ({"payload": picture(1600, 1200)}, "undecodable-payload"),
        ({"payload": picture(), "width": 100_000, "height": 100_000}, "too-many-pixels"),
        ({"payload": picture(), "codec": "../../etc/passwd"}, "unknown-codec"),
        ({"payload": b"<svg onload='alert(1)'/>", "codec": "png"}, "undecodable-payload"),
    ],
)
def test_what_is_no_picture_or_too_large_a_one_is_refused_with_its_cause(
    decoder: PictureDecoder, given: dict[str, object], cause: str
) -> None:
    with pytest.raises(NotDecodable, match=cause):
        plain(frame_sampled(**given), decoder)
