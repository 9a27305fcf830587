"""Pictures made on the spot, and a corpus of them: fictional is red, real is blue."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image

from agents.detection.learning.adding import Added, Clip, Sampled, open_for_adding
from agents.detection.learning.corpus import Corpus, Original, open_corpus
from agents.detection.learning.labels import Label, Labelling

RED, BLUE = (200, 60, 60), (60, 60, 200)
BLOCKS, BLOCK = 8, 8


def picture(number: int, colour: tuple[int, int, int] = BLUE, quality: int = 90) -> bytes:
    """A JPEG of 64 x 64 pixels around ``colour``; each ``number`` is a pattern of its own."""
    rng = np.random.default_rng(number)
    shades = rng.uniform(0.4, 1.2, (BLOCKS, BLOCKS, 1)) * np.array(colour)
    pixels = shades.clip(0, 255).astype(np.uint8).repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality)
    return out.getvalue()


def clip_of(
    source: str, label: Label = Label.ORDINARY, *, file: str | None = None, licence: str = "CC0-1.0"
) -> Clip:
    name = file or f"{source}.mp4"
    original = Original(name, sha256(name.encode()).hexdigest())
    return Clip(source, licence, None, original, Labelling(label))


def sampled(pictures: Iterable[bytes]) -> Iterator[Sampled]:
    """Half a second apart, in one scene."""
    for number, one in enumerate(pictures):
        yield Sampled(number / 2, 0, one)


def add(folder: Path, clip: Clip, pictures: Iterable[bytes]) -> Added:
    with open_for_adding(folder) as adding:
        return adding.add(clip, sampled(pictures))


def coloured_corpus(folder: Path, sources: Mapping[str, Label], frames: int = 12) -> Corpus:
    """Red games and films, blue drills and ordinary footage, a shade apart by source."""
    with open_for_adding(folder) as adding:
        for place, (source, label) in enumerate(sorted(sources.items())):
            fictional = label in (Label.GAME, Label.FILM)
            red, green, blue = RED if fictional else BLUE
            colour = (red + 3 * place, green, blue - 3 * place)
            pictures = (picture(1000 * place + number, colour) for number in range(frames))
            adding.add(clip_of(source, label), sampled(pictures))
    return open_corpus(folder)


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file under ``folder`` but the cache and the lock, by name."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock" and "embeddings" not in path.parts
    }
