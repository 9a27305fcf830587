"""The photographs with firearms that recall and localisation are measured on.

They are for measuring only and are no part of the project: where they are absent, what rests on
them is left out, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
from av.error import FFmpegError

from .localisation import Box

_EDGES = 4


class PhotographsMissing(Exception):
    """There are no photographs to measure on; the message says where they were looked for."""


@dataclass(frozen=True, slots=True)
class Photographs:
    """The pictures in ``images`` and the boxes of each, in numerical order."""

    images: Path
    boxes: tuple[tuple[Box, ...], ...]


def find_photographs(folder: Path) -> Photographs:
    """The photographs in ``folder``, in numerical order. Raises ``PhotographsMissing``."""
    images = folder / "images"
    found = list(images.iterdir()) if images.is_dir() else []
    if not found:
        raise PhotographsMissing(
            f"no photographs at {folder}; --photos or FIREBREAK_EVAL_PHOTOS names a folder of "
            "images/N.jpeg and boxes/N.txt"
        )
    if strays := [path.name for path in found if not path.stem.isdecimal()]:
        raise PhotographsMissing(f"{images}: {strays[0]} is not named by a number")
    paths = sorted(found, key=lambda path: int(path.stem))
    boxes = (_boxes(path, folder / "boxes" / f"{path.stem}.txt") for path in paths)
    return Photographs(images, tuple(boxes))


def _boxes(image: Path, label: Path) -> tuple[Box, ...]:
    """A label is the number of boxes and then ``left top right bottom`` in pixels, one a line."""
    try:
        with av.open(str(image)) as opened:
            size = opened.streams.video[0].codec_context
            width, height = size.width, size.height
        rows = [[float(edge) for edge in line.split()] for line in label.read_text().splitlines()]
    except (FFmpegError, OSError, ValueError) as error:
        raise PhotographsMissing(f"{image} with {label}: {error}") from error
    return tuple(
        (left / width, top / height, right / width, bottom / height)
        for left, top, right, bottom in (row for row in rows if len(row) == _EDGES)
    )
