"""Opening what is to be sampled: anything PyAV opens, or a directory of images."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from .cadence import Timeline
from .naming import is_url
from .options import SampleOptions, SourceFailed

_IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})
_USUAL_RATE = Fraction(25)
"""Frames a second of a source that does not say."""
_MAX_DAMAGED_IN_A_ROW = 100

TimedFrame: TypeAlias = "tuple[Fraction | None, av.VideoFrame]"
TimedPacket: TypeAlias = "tuple[Fraction | None, av.Packet[VideoStream]]"


class Video:
    """The main video stream of a file or URL, open.

    ``step`` is its usual distance between frames and ``duration`` its length if that is known,
    both in seconds. ``damaged`` counts what had to be skipped because it could not be decoded.
    A source is read once, by ``frames`` or by ``packets``, which raise ``SourceFailed`` when it
    breaks.
    """

    def __init__(self, location: str, options: SampleOptions) -> None:
        self.live = is_url(location)
        self.damaged = 0
        self._read_timeout = options.read_timeout
        self._container, self.stream = _open_video(location, options)
        rate = self.stream.average_rate or self.stream.guessed_rate or _USUAL_RATE
        self.step = 1 / Fraction(rate)
        self.duration = self._stated_duration()
        if self.duration is None and not self.live and Path(location).is_file():
            self.duration = _measure(location, options, self.step)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._container.close()

    def frames(self) -> Iterator[TimedFrame]:
        """Decoded frames in presentation order with their times, skipping over damage."""
        damaged_in_a_row = 0
        for _, packet in self.packets():
            try:
                frames = packet.decode()
            except av.FFmpegError as error:
                self.damaged += 1
                damaged_in_a_row += 1
                if damaged_in_a_row > _MAX_DAMAGED_IN_A_ROW:
                    raise SourceFailed(f"can't be decoded: {error.strerror}") from None
                continue
            damaged_in_a_row = 0
            for frame in frames:
                yield _seconds(frame.pts, self.stream), frame

    def packets(self) -> Iterator[TimedPacket]:
        """Packets in decoding order with their times; the last may be an empty one, to flush."""
        packets = self._container.demux(self.stream)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError as error:
                raise _failure("broke off", error, self._read_timeout) from None
            if packet is None:
                return
            yield _seconds(packet.pts, self.stream), packet

    def _stated_duration(self) -> Fraction | None:
        stated = _seconds(self.stream.duration, self.stream)
        if stated is None and self._container.duration is not None:
            stated = Fraction(self._container.duration, av.time_base)
        return stated if stated is not None and stated > 0 else None


class ImageFolder:
    """The images of a directory in natural order (``9.png`` before ``10.png``), 1/fps apart.

    Like ``Video``, but for packets, which it has none of.
    """

    live = False

    def __init__(self, folder: Path, options: SampleOptions) -> None:
        images = (p for p in folder.iterdir() if p.suffix.lower() in _IMAGE_SUFFIXES)
        self._images = sorted(images, key=lambda path: _natural_key(path.name))
        if not self._images:
            raise SourceFailed(f"no images in it ({', '.join(sorted(_IMAGE_SUFFIXES))})")
        self.damaged = 0
        self.step = 1 / options.rate
        self.duration: Fraction | None = len(self._images) * self.step

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Images are open only while they are read."""

    def frames(self) -> Iterator[TimedFrame]:
        for number, path in enumerate(self._images):
            try:
                with av.open(str(path)) as image:
                    frame = next(image.decode(video=0), None)
            except av.FFmpegError:
                frame = None
            if frame is None:
                self.damaged += 1
                continue
            yield number * self.step, frame


def open_source(location: str, options: SampleOptions) -> Video | ImageFolder:
    """``location``, open; close it by using it as a context manager.

    Raises ``SourceFailed`` if it can't be opened in time, isn't there or has no video.
    """
    location = location if is_url(location) else location.removeprefix("file://")
    folder = Path(location)
    if not is_url(location) and folder.is_dir():
        return ImageFolder(folder, options)
    return Video(location, options)


def _open_video(location: str, options: SampleOptions) -> tuple[InputContainer, VideoStream]:
    demuxer = {"rtsp_transport": "tcp"} if location.lower().startswith("rtsp") else {}
    try:
        container = av.open(
            location,
            mode="r",
            options=demuxer,
            metadata_errors="replace",
            timeout=(options.open_timeout, options.read_timeout),
        )
    except av.FFmpegError as error:
        raise _failure("can't be opened", error, options.open_timeout) from None
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream):
        container.close()
        raise SourceFailed("has no video that can be decoded")
    stream.codec_context.thread_count = 1  # one source a thread, and no frames held back
    return container, stream


def _measure(location: str, options: SampleOptions, step: Fraction) -> Fraction:
    """Length of a recording that does not state it, by reading it through without decoding."""
    container, stream = _open_video(location, options)
    timeline = Timeline(step)
    length = Fraction(0)
    with container:
        try:
            for packet in container.demux(stream):
                if packet.size:
                    at = timeline.place(_seconds(packet.pts, stream))
                    length = max(length, at + step)
        except av.FFmpegError as error:
            raise _failure("broke off", error, options.read_timeout) from None
    return length


def _seconds(units: int | None, stream: VideoStream) -> Fraction | None:
    return None if units is None or stream.time_base is None else units * stream.time_base


def _failure(what: str, error: av.FFmpegError, timeout: float) -> SourceFailed:
    """Only libav's own words for the error: its full text has the location in it."""
    if isinstance(error, av.error.ExitError):  # what PyAV's time-outs end in
        return SourceFailed(f"{what}: nothing came for {timeout:g} s")
    return SourceFailed(f"{what}: {error.strerror}")


def _natural_key(name: str) -> list[tuple[int, str]]:
    """Sorts digits as numbers: each part is (its number, "") or (-1, its text)."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
