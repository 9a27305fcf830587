"""Footage for a corpus: frames of recordings, by scene and by time, sized as frame samples are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import file_digest
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Interpolation

from agents.detection.learning.adding import Sampled
from agents.detection.learning.labels import Span, parse_sidecar
from agents.detection.learning.scenes import SceneCuts

from .errors import OperatorError
from .sampler import JpegEncoder, SampleOptions, SourceFailed, open_source
from .sampler.cadence import Cadence, Timeline

WIDTH = 640
"""Pixels that a frame of the corpus is wide at most, as frame samples are."""
QUALITY = 2
"""The encoder's best: what streams make of it is for training to vary."""
_GLANCE = (160, 90)
"""Size, in pixels, at which scenes are told apart."""
_PICTURES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})
_VIDEOS = frozenset(
    {".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ts", ".webm"}
)


def list_footage(paths: Iterable[Path]) -> list[Path]:
    """``paths`` themselves, and the videos and pictures in those that are folders, by name.

    Raises ``OperatorError`` for what is not there and for a folder without any.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            suffixes = _PICTURES | _VIDEOS
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in suffixes)
            if not inside:
                raise OperatorError(f"{path}: no video or picture in it")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise OperatorError(f"{path}: no such file or folder")
    return found


def sample_footage(path: Path, fps: float) -> Iterator[Sampled]:
    """The first frame of each scene, and one every 1/``fps`` seconds; of a picture the picture.

    Raises ``OperatorError`` if it can't be read, or not to its end.
    """
    options = SampleOptions(fps=fps, width=WIDTH, quality=QUALITY)
    scene = -1
    try:
        with open_source(str(path), options) as source:
            timeline, cadence = Timeline(source.step), Cadence(options.rate)
            scenes = SceneCuts(float(1 / source.step))
            encoder = JpegEncoder(options.width, options.quality)
            for pts, frame in source.frames():
                at = timeline.place(pts)
                glance = frame.reformat(*_GLANCE, format="bgr24", interpolation=Interpolation.AREA)
                begins = scenes.begins(np.asarray(glance.to_ndarray(), np.uint8))
                scene += begins
                # Asked even where a scene begins: that frame counts for its period too.
                if cadence.takes(at) or begins:
                    yield Sampled(float(at), scene, encoder.encode(frame).payload)
    except (SourceFailed, av.FFmpegError) as error:
        raise OperatorError(f"{path}: {error}") from error
    if scene < 0:
        raise OperatorError(f"{path}: has no frame that can be decoded")


def sha256_of(path: Path) -> str:
    """Hex digest of the file's content."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def sidecar_of(path: Path, digest: str) -> tuple[Span, ...] | None:
    """When ``path`` shows a firearm, by the TOML file of its name beside it; ``None`` without one.

    Raises ``LearningFailed`` if that can't be read.
    """
    sidecar = path.with_suffix(".toml")
    if not sidecar.is_file():
        return None
    return parse_sidecar(str(sidecar), sidecar.read_bytes(), digest)
