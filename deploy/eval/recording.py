"""What a bundle says of clips, judged once for each encoding and kept on disk.

Frames take the way they take in the topology: the sampler opens the source and encodes, the
detection agent's decoder decodes, the bundle judges.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from agents.dead_letters import Rejection
from agents.detection.bundle import ModelBundle
from agents.detection.decode import Decoder
from agents.detection.resize import Pixels
from schemas import MICROSECONDS, FrameSampled
from topology.errors import OperatorError
from topology.sampler import (
    Pace,
    SampleOptions,
    SourceFailed,
    SourceSpec,
    WallClock,
    sample_source,
)

from .cache import Arrays, content_digest, kept
from .localisation import Points, point
from .recorded import DENSE, Judged
from .sessions import Scores

_FORMAT = "1"
"""Of the files kept; changed with anything that changes what is in them."""
_BATCH = 32


class RecordingFailed(OperatorError):
    """A clip can't be judged."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the sampler encodes: at most ``width`` pixels wide, JPEG quantiser ``quality``."""

    name: str
    width: int
    quality: int


AS_SAMPLED = Encoding("as-sampled", 640, 4)
"""The sampler's defaults."""
ENCODINGS = (AS_SAMPLED, Encoding("coarse", 640, 16), Encoding("small", 256, 8))


class Recorder:
    """Judges sources with one bundle; what it has judged before it reads from ``folder``."""

    def __init__(self, bundle: ModelBundle, decoder: Decoder, folder: Path) -> None:
        self._bundle = bundle
        self._decoder = decoder
        self._folder = folder

    def record(self, source: Path, encoding: Encoding, fps: float = DENSE) -> Judged:
        """Frames of ``source``, a video or a folder of pictures, at ``fps`` a second.

        Pictures of a folder are ``1/fps`` apart. Raises ``RecordingFailed``.
        """
        key = (_FORMAT, content_digest(source), self._bundle.digest, repr(encoding), repr(fps))
        found = kept(self._folder, key, lambda: self._judge(source, encoding, fps))
        return Judged(found["times"], found["scores"])

    def point(self, pictures: Path, encoding: Encoding) -> Points:
        """Where the firearm signal of each picture in a folder comes from."""
        key = (_FORMAT, content_digest(pictures), self._bundle.digest, repr(encoding), "points")
        return kept(self._folder, key, lambda: self._point(pictures, encoding))["points"]

    def _point(self, pictures: Path, encoding: Encoding) -> Arrays:
        points = [
            point(self._bundle, pixels)
            for frames in _samples(pictures, encoding, 1.0)
            for pixels in self._pixels(pictures, frames)
        ]
        return {"points": np.array(points)}

    def _judge(self, source: Path, encoding: Encoding, fps: float) -> Arrays:
        times: list[float] = []
        scores: list[Scores] = []
        for frames in _samples(source, encoding, fps):
            scores.append(self._bundle.judge(list(self._pixels(source, frames))))
            times += [frame.captured_at / MICROSECONDS for frame in frames]
        return {"times": np.array(times), "scores": np.concatenate(scores)}

    def _pixels(self, source: Path, frames: Sequence[FrameSampled]) -> Iterator[Pixels]:
        for frame in frames:
            pixels = self._decoder.decode(frame)
            if isinstance(pixels, Rejection):
                raise RecordingFailed(f"{source}: frame {frame.sequence}: {pixels.detail}")
            yield pixels


def _samples(source: Path, encoding: Encoding, fps: float) -> Iterator[list[FrameSampled]]:
    """The frame samples of ``source``, timed from 0, some at a time."""
    options = SampleOptions(
        fps=fps, pace=Pace.FAST, width=encoding.width, quality=encoding.quality, recorded_at=0
    )
    clock = WallClock(threading.Event())
    spec = SourceSpec(str(source), source.name)
    samples = sample_source(spec, options, clock, session_id="recorded")
    try:
        while frames := list(islice(samples, _BATCH)):
            yield frames
    except SourceFailed as error:
        raise RecordingFailed(f"{source}: {error}") from error
