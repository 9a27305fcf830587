"""Tiny videos and images made on the spot, a clock that only moves when told, a mock Kafka."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream
from confluent_kafka import Consumer, Message, TopicPartition

from schemas import FrameSampled
from topology.sampler import SampleOptions, SourceSpec, sample_source

WIDTH, HEIGHT = 160, 96
MILLISECOND = Fraction(1, 1000)
ENCODER_OPTIONS = {
    "libx264": {"preset": "ultrafast"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
    "libsvtav1": {"preset": "10"},
    "mpeg4": {},
}
NOON = 1_700_000_000_000_000


class FakeClock:
    """Stands still, but for sleeps, which take no time and are noted."""

    def __init__(self, now: int = NOON) -> None:
        self.time = now
        self.sleeps: list[float] = []

    def now(self) -> int:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.time += round(seconds * 1_000_000)


def shade(number: int) -> int:
    """The grey of frame ``number``, which survives encoding well enough to be told from others."""
    return 20 + number * 10 % 220


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> av.VideoFrame:
    """A grey of the mean ``shade(number)``, whose upper half is darker than its lower."""
    grey = np.full((height, width, 3), shade(number) - 15, np.uint8)
    grey[height // 2 :] += 30
    return av.VideoFrame.from_ndarray(grey, format="rgb24")


def evenly(frames: int, rate: int = 10) -> list[int]:
    """Presentation times in milliseconds."""
    return [number * 1000 // rate for number in range(frames)]


def write_video(
    path: Path,
    times: Iterable[int],
    *,
    codec: str = "libx264",
    key_every: int = 5,
    options: Mapping[str, str] | None = None,
    rotation: int = 0,
) -> Path:
    """A video of a frame at each of ``times`` (milliseconds), each of its own shade."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            codec, rate=10, options=ENCODER_OPTIONS[codec] | dict(options or {})
        )
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = MILLISECOND
        stream.codec_context.gop_size = key_every
        if rotation:
            stream.set_display_rotation(rotation)
        for number, time in enumerate(times):
            frame = picture(number)
            frame.pts, frame.time_base = time, MILLISECOND
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_image(path: Path, number: int) -> Path:
    picture(number).save(path)
    return path


def samples_of(
    location: Path | str, options: SampleOptions, clock: FakeClock | None = None
) -> list[FrameSampled]:
    source = SourceSpec(str(location), "stream", drill=True)
    return list(sample_source(source, options, clock or FakeClock()))


def media_times(samples: list[FrameSampled]) -> list[float]:
    return [(sample.captured_at - samples[0].captured_at) / 1_000_000 for sample in samples]


def decode_alone(codec: str, payload: bytes) -> list[av.VideoFrame]:
    """All frames that a fresh decoder makes of ``payload``."""
    decoder = av.CodecContext.create("libdav1d" if codec == "av1" else codec, "r")
    assert isinstance(decoder, VideoCodecContext)
    # What decoders in the field do: find the packets, decode them, flush.
    packets = [*decoder.parse(payload), *decoder.parse(b"")] or [av.Packet(payload)]
    return [frame for packet in [*packets, None] for frame in decoder.decode(packet)]


def grey_of(frame: av.VideoFrame) -> float:
    return float(frame.to_ndarray(format="rgb24").mean())


def read_topic(config: Mapping[str, Any], topic: str) -> list[Message]:
    """Every record of ``topic``."""
    consumer = Consumer(
        {**config, "group.id": "reader", "enable.auto.commit": False, "fetch.wait.max.ms": 10}
    )
    try:
        partitions = consumer.list_topics(topic, 10).topics[topic].partitions
        starts = [TopicPartition(topic, partition, 0) for partition in partitions]
        expected = sum(consumer.get_watermark_offsets(start, 10)[1] for start in starts)
        consumer.assign(starts)
        messages = consumer.consume(expected, 10) if expected else []
    finally:
        consumer.close()
    assert len(messages) == expected
    assert all(message.error() is None for message in messages)
    return messages


@contextmanager
def serving(content: bytes, share: float = 1.0) -> Iterator[str]:
    """The URL of ``content`` on a web server that breaks off after ``share`` of it."""

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # http.server's name
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with suppress(ConnectionError):  # whoever reads may leave early
                self.wfile.write(content[: int(len(content) * share)])

        def log_message(self, *_: object) -> None:
            """Silent."""

    with HTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/live"
        finally:
            server.shutdown()
            thread.join()
