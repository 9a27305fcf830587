"""What the sampler is asked to do, and the clock it does it by."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Protocol

FASTEST = 1000.0
"""Samples a second that can be asked for at most."""
MAX_DENOMINATOR = 1000
BEST_QUALITY = 2
WORST_QUALITY = 31
_REGION = re.compile("[A-Z]{2}")


class Mode(StrEnum):
    """How a frame sample is made."""

    JPEG = "jpeg"
    """Decode, scale and encode as JPEG: any codec, any rate."""
    KEYFRAME = "keyframe"
    """Pass on the stream's own key frames undecoded: H.264, HEVC and AV1, at their own rate."""


class Pace(StrEnum):
    """What event time means."""

    REALTIME = "realtime"
    """The source is live now: each sample waits until its presentation time has come."""
    FAST = "fast"
    """The source is a recording: samples are taken as fast as they can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleOptions:
    """How sources are sampled. Times in seconds. Raises ``ValueError`` for what can't be."""

    fps: float = 2.0
    """Samples a second at most; taken to the nearest thousandth-denominator fraction."""
    mode: Mode = Mode.JPEG
    pace: Pace | None = None
    """None: in real time for URLs, fast for files."""
    width: int = 640
    """Pixels of a sample at most, as displayed; smaller sources are left as they are."""
    quality: int = 4
    """The JPEG encoder's quantiser, 2 (best, largest) to 31."""
    shard_id: str = "local"
    recorded_at: int | None = None
    """Event time of the first frame, microseconds since the epoch. Only at the pace ``FAST``."""
    open_timeout: float = 10.0
    read_timeout: float = 10.0

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise ValueError(f"fps must be at least 0.001, not {self.fps}")
        if self.width < 1:
            raise ValueError(f"width must be at least 1, not {self.width}")
        if not BEST_QUALITY <= self.quality <= WORST_QUALITY:
            raise ValueError(f"quality must be 2 to 31, not {self.quality}")
        if self.recorded_at is not None and self.pace is Pace.REALTIME:
            raise ValueError("a recording time goes with the fast pace, not with real time")

    @property
    def rate(self) -> Fraction:
        """``fps``, exactly."""
        return Fraction(self.fps).limit_denominator(MAX_DENOMINATOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFacts:
    """What the platform knows of a stream as it starts; what it does not know has its default.

    ``account_id`` is a pseudonym, ``region`` an ISO 3166-1 alpha-2 code. Raises ``ValueError`` for
    what can't be.
    """

    account_id: str = ""
    category: str = ""
    region: str = ""
    viewers: int = -1

    def __post_init__(self) -> None:
        if self.region and not _REGION.fullmatch(self.region):
            raise ValueError(f"a region is two capital letters, such as NZ, not {self.region!r}")


NOTHING_KNOWN = StreamFacts()


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """One stream to sample.

    ``location`` is a file, a directory of images or a URL. It may hold credentials: show it only
    through ``redact``. A ``drill`` is judged like any stream and nothing outside acts on it.
    """

    location: str
    stream_id: str
    drill: bool = False
    facts: StreamFacts = NOTHING_KNOWN


class SourceFailed(Exception):
    """A source can't be opened or broke midway: whoever feeds it must act.

    The message never holds the source's location, which may have credentials in it.
    """


class Clock(Protocol):
    """The wall clock as the sampler needs it."""

    def now(self) -> int:
        """Microseconds since the epoch."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after ``seconds``, or earlier if the run is being stopped."""
        ...


class WallClock:
    """This machine's clock; ``stop`` ends every sleep."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def now(self) -> int:
        return time.time_ns() // 1000

    def sleep(self, seconds: float) -> None:
        self._stop.wait(seconds)
