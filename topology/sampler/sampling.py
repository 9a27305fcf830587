"""From an open source to frame samples: which frames, when they were captured, as what."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from fractions import Fraction
from math import floor
from uuid import uuid4

import av

from schemas import MICROSECONDS, FrameSampled

from .boosts import Boosts
from .cadence import Cadence, Timeline
from .encoding import EncodedFrame, JpegEncoder, KeyFrameCutter
from .options import Clock, Mode, Pace, SampleOptions, SourceFailed, SourceSpec
from .sources import ImageFolder, Video, open_source

Rate = Callable[[], Fraction]
"""Samples a second as of now."""


def sample_source(
    source: SourceSpec, options: SampleOptions, clock: Clock, *, session_id: str | None = None
) -> Iterator[FrameSampled]:
    """Open ``source`` and yield its frame samples; ``session_id`` is a new one by default.

    Raises ``SourceFailed`` if it can't be opened, breaks, or ends without a single sample.
    """
    with open_source(source.location, options) as opened:
        yield from sample_opened(opened, source, options, clock, session_id or str(uuid4()))


def sample_opened(
    opened: Video | ImageFolder,
    source: SourceSpec,
    options: SampleOptions,
    clock: Clock,
    session_id: str,
    *,
    boosts: Boosts | None = None,
) -> Generator[FrameSampled]:
    """The frame samples of a source that is open already. Raises as ``sample_source`` does.

    ``boosts`` are obeyed in real time. A recording is sampled as asked: it is not watched now, and
    what is taken of it must not depend on how fast it was read.
    """
    event_time = _EventTime(opened, options, clock)
    own = options.rate
    heeded = boosts if pace_of(options, live=opened.live) is Pace.REALTIME else None

    def rate() -> Fraction:
        return own if heeded is None else heeded.rate(source.stream_id, own, clock.now())

    sequence = 0
    for at, encoded in _encoded_frames(opened, options, rate):
        yield FrameSampled(
            stream_id=source.stream_id,
            session_id=session_id,
            shard_id=options.shard_id,
            sequence=sequence,
            captured_at=event_time.of(at),
            codec=encoded.codec,
            width=encoded.width,
            height=encoded.height,
            payload=encoded.payload,
            drill=source.drill,
        )
        sequence += 1
    if sequence == 0:
        raise SourceFailed("ended without a single sample")


def pace_of(options: SampleOptions, *, live: bool) -> Pace:
    """The pace asked for, or the one that suits a source that is ``live`` or not."""
    if options.pace is not None:
        return options.pace
    return Pace.REALTIME if live and options.recorded_at is None else Pace.FAST


class _EventTime:
    """Event time of media time, in microseconds since the epoch; waits for it in real time.

    In real time the first sample is now. A recording starts at ``recorded_at`` if that is known
    and else so that it ends about now, and never has an event time in the future.
    """

    def __init__(self, opened: Video | ImageFolder, options: SampleOptions, clock: Clock) -> None:
        self._clock = clock
        self._pace = pace_of(options, live=opened.live)
        self._recorded_at = options.recorded_at
        self._duration = opened.duration
        self._base: int | None = None

    def of(self, at: Fraction) -> int:
        media = floor(at * MICROSECONDS)
        if self._base is None:
            self._base = self._base_with_first_at(media)
        captured_at = self._base + media
        if self._pace is Pace.REALTIME:
            wait = captured_at - self._clock.now()
            if wait > 0:
                self._clock.sleep(wait / MICROSECONDS)
        elif self._recorded_at is None:
            captured_at = min(captured_at, self._clock.now())
        return captured_at

    def _base_with_first_at(self, media: int) -> int:
        if self._recorded_at is not None:
            return self._recorded_at
        if self._pace is Pace.FAST and self._duration is not None:
            return self._clock.now() - floor(self._duration * MICROSECONDS)
        return self._clock.now() - media


def _encoded_frames(
    opened: Video | ImageFolder, options: SampleOptions, rate: Rate
) -> Iterator[tuple[Fraction, EncodedFrame]]:
    timeline, cadence = Timeline(opened.step), Cadence(rate())
    if options.mode is Mode.KEYFRAME:
        if isinstance(opened, ImageFolder):
            raise SourceFailed(f"images have no key-frame mode: use --mode {Mode.JPEG}")
        return _key_frames(opened, timeline, cadence, rate)
    encoder = JpegEncoder(options.width, options.quality)
    return _jpegs(opened, timeline, cadence, rate, encoder)


def _jpegs(
    opened: Video | ImageFolder,
    timeline: Timeline,
    cadence: Cadence,
    rate: Rate,
    encoder: JpegEncoder,
) -> Iterator[tuple[Fraction, EncodedFrame]]:
    for pts, frame in opened.frames():
        at = timeline.place(pts)
        cadence.change(rate())
        if not cadence.takes(at):
            continue
        try:
            encoded = encoder.encode(frame)
        except av.FFmpegError as error:
            raise SourceFailed(f"a frame can't be encoded: {error.strerror}") from None
        yield at, encoded


def _key_frames(
    video: Video, timeline: Timeline, cadence: Cadence, rate: Rate
) -> Iterator[tuple[Fraction, EncodedFrame]]:
    cutter = KeyFrameCutter(video.stream)
    for pts, packet in video.packets():
        if not packet.size:
            continue
        at = timeline.place(pts)
        if not packet.is_keyframe or packet.is_discard:
            continue
        if packet.is_corrupt:
            video.damaged += 1
            continue
        cadence.change(rate())
        if not cadence.takes(at):
            continue
        try:
            encoded = cutter.cut(packet)
        except av.FFmpegError:
            video.damaged += 1
            continue
        yield at, encoded
