"""What a stream may do to a frame before the model sees it. Pure, and always the same.

Footage is clean and streams are not: they are scaled down, encoded again and again, filmed off a
screen. A head that is to last learns from frames that were treated so.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from hashlib import sha256

from PIL import Image, ImageEnhance

NAME = "v1"
"""To be changed with whatever changes a variant, since embeddings are cached by it."""


@dataclass(frozen=True, slots=True)
class _Treatment:
    width: int
    """Pixels; smaller pictures are left as they are."""
    quality: int
    """Of the JPEG encoder, 1 to 100."""
    crop: float = 1.0
    """Share of each side that is kept; which part follows from the picture."""
    brightness: tuple[float, ...] = (1.0,)
    """Factors, of which one follows from the picture."""


_TREATMENTS = (
    _Treatment(width=320, quality=30),
    _Treatment(width=480, quality=60, crop=0.8),
    _Treatment(width=240, quality=45, crop=0.9, brightness=(0.6, 0.8, 1.25, 1.5)),
)
COUNT = 1 + len(_TREATMENTS)


def variants(picture: bytes) -> list[bytes]:
    """The encoded ``picture`` itself and variants of it as JPEG, always ``COUNT`` in all."""
    with Image.open(io.BytesIO(picture)) as image:
        pixels = image.convert("RGB")
    dice = sha256(picture).digest()
    return [picture, *(_treated(pixels, treatment, dice) for treatment in _TREATMENTS)]


def _treated(image: Image.Image, treatment: _Treatment, dice: bytes) -> bytes:
    width, height = (max(1, round(side * treatment.crop)) for side in image.size)
    left = (image.width - width) * dice[0] // 255
    top = (image.height - height) * dice[1] // 255
    image = image.crop((left, top, left + width, top + height))
    scale = min(1.0, treatment.width / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    image = image.resize(size, Image.Resampling.BILINEAR)
    factor = treatment.brightness[dice[2] % len(treatment.brightness)]
    out = io.BytesIO()
    ImageEnhance.Brightness(image).enhance(factor).save(out, "JPEG", quality=treatment.quality)
    return out.getvalue()
