"""The job that the topology and its peers are measured on: the same frames, and what comes of them.

Streams show what is filmed in a park, and one in a hundred shows a drill, in which a rifle is
carried through the picture. A job comes in parts; each part ends with the first frame of a stream
that nobody has seen, in every partition: its risk is told whatever it shows, so that risk says that
the part is done.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Protocol, cast

from confluent_kafka import Producer

from agents.aggregation.risk import PartitionWindows
from agents.aggregation.windows import WindowSpec
from agents.dead_letters import Rejection
from agents.decision.controls import Controls
from agents.decision.partition import PartitionDecisions
from agents.decision.policies import Policies
from agents.decision.policy import Policy
from agents.detection.bundle import load_bundle
from agents.detection.decode import DecodeBounds, Decoder
from agents.detection.resize import Pixels
from deploy.demo.streams import DEFAULT_STREAMS, find_clip, load_streams
from schemas import (
    MICROSECONDS,
    CloudEvent,
    Codec,
    DetectionsMade,
    Event,
    FrameSampled,
    topics,
    write_headers,
)
from topology.kafka_config import PRODUCER
from topology.sampler import Mode, SampleOptions, SourceSpec, sample_source
from topology.sampler.options import Clock, Pace
from topology.settings import Settings

ATTACK_IN = 100
"""One stream in so many shows the drill."""
FRAMES_A_SECOND = 2
END = "end-of-part-"
"""How the names of the streams begin that end a part."""


@dataclass(frozen=True, slots=True)
class Footage:
    """Frame samples to make streams of; in order, as they follow each other in their clip."""

    mode: Mode
    ordinary: list[FrameSampled]
    attack: list[FrameSampled]

    @classmethod
    def of(cls, mode: Mode, at_most: int = 40) -> Footage:
        """From the demo's clips."""
        listed = {stream.id: stream for stream in load_streams(DEFAULT_STREAMS)}
        clips = (find_clip(listed[name], DEFAULT_STREAMS, Path()) for name in ("bikes", "range"))
        return cls(mode, *(_frames(clip, mode, at_most) for clip in clips))


class _Standstill(Clock):
    def now(self) -> int:
        return time.time_ns() // 1000

    def sleep(self, seconds: float) -> None:
        """Nothing is waited for at the pace of recordings."""


def _frames(clip: Path, mode: Mode, at_most: int) -> list[FrameSampled]:
    options = SampleOptions(fps=5, mode=mode, pace=Pace.FAST)
    return list(
        islice(sample_source(SourceSpec(str(clip), "clip"), options, _Standstill()), at_most)
    )


@dataclass(frozen=True, slots=True)
class Part:
    """Frames of one go: ``frames`` in the order they were captured in, then the part's ends."""

    number: int
    frames: list[FrameSampled]
    ends: list[FrameSampled]
    """One a partition, in the partition of its place."""


def make_part(
    footage: Footage,
    number: int,
    *,
    streams: int,
    frames: int,
    partitions: int,
    begin: int,
    job: str = "",
) -> Part:
    """``frames`` frames of ``streams`` streams side by side, the first captured at ``begin``.

    Parts of rising ``number`` are to begin one after the other: the streams are the same. So are
    those of several jobs; by the name ``job`` their ends are told apart.
    """
    made = [
        _frame(footage, stream, number * (frames // streams + 1) + turn, begin, turn)
        for turn in range(-(-frames // streams))
        for stream in range(min(streams, frames - turn * streams))
    ]
    ends = [
        renamed(footage.ordinary[0], f"{END}{job}{number}-{at}", 0, made[-1].captured_at, False)
        for at in range(partitions)
    ]
    return Part(number, made, ends)


def _frame(footage: Footage, stream: int, sequence: int, begin: int, turn: int) -> FrameSampled:
    attack = stream % ATTACK_IN == ATTACK_IN // 2
    clip = footage.attack if attack else footage.ordinary
    at = begin + turn * MICROSECONDS // FRAMES_A_SECOND
    return renamed(clip[(sequence + stream) % len(clip)], f"stream-{stream}", sequence, at, attack)


def renamed(
    frame: FrameSampled, stream: str, sequence: int, captured_at: int, drill: bool
) -> FrameSampled:
    return FrameSampled(
        stream_id=stream,
        session_id=f"{stream}-session",
        shard_id="bench",
        sequence=sequence,
        captured_at=captured_at,
        codec=frame.codec,
        width=frame.width,
        height=frame.height,
        payload=frame.payload,
        drill=drill,
    )


class Judging(Protocol):
    """Scores frames; a list for each, in the order of ``signals``."""

    signals: list[str]
    label: str
    digest: str

    def judge(self, frames: Sequence[FrameSampled]) -> list[list[float]]: ...


class NullJudging:
    """Looks at nothing: what is left of a job's cost with it is not the model's."""

    signals: ClassVar = ["firearm", "fictional"]
    label, digest = "null/1", "0" * 64

    def judge(self, frames: Sequence[FrameSampled]) -> list[list[float]]:
        return [[0.9 if frame.drill else 0.1, 0.05] for frame in frames]


class ModelJudging:
    """The default bundle, as a worker loads it; ``threads`` are the model's own."""

    def __init__(self, threads: int) -> None:
        settings = Settings()
        self._bundle = load_bundle(settings.bundle, ["CPUExecutionProvider"], threads)
        bounds = DecodeBounds(settings.max_payload_bytes, settings.max_pixels)
        self._decoder = Decoder(self._bundle.manifest.input, bounds, time.thread_time)
        self.signals = self._bundle.signal_names
        self.label, self.digest = self._bundle.label, self._bundle.digest

    def judge(self, frames: Sequence[FrameSampled]) -> list[list[float]]:
        decoded = [self._decoder.decode(frame) for frame in frames]
        if any(isinstance(pixels, Rejection) for pixels in decoded):
            raise ValueError("a frame of the job can't be decoded")
        scores = self._bundle.judge(cast(list[Pixels], decoded))
        return [[float(score) for score in row] for row in scores]


class Source:
    """Puts parts on the brokers, as a shard would."""

    def __init__(self, bootstrap: str) -> None:
        self._codec = Codec()
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "message.max.bytes": 8 * 1024 * 1024,
                "queue.buffering.max.kbytes": 512 * 1024,
                **PRODUCER,
            }
        )

    def send(self, part: Part) -> None:
        """Return once the brokers have all of ``part``, its ends last."""
        self.send_frames((frame, None) for frame in part.frames)
        self.send_frames((frame, number) for number, frame in enumerate(part.ends))

    def send_frames(self, frames: Iterable[tuple[FrameSampled, int | None]]) -> None:
        """Return once the brokers have the frames, each in the partition named or its key's."""
        failed: list[str] = []
        for frame, partition in frames:
            self._produce(frame, partition, failed)
        if self._producer.flush(120) or failed:
            raise RuntimeError(f"not delivered: {failed[:1]}")

    def _produce(self, frame: FrameSampled, partition: int | None, failed: list[str]) -> None:
        cloud_event = CloudEvent(
            id=frame.id,
            type="firebreak.FrameSampled",
            source="firebreak/bench",
            subject=frame.stream_id,
            time=frame.captured_at,
        )
        record: dict[str, Any] = {} if partition is None else {"partition": partition}
        record["headers"] = write_headers(cloud_event, None)
        while True:
            try:
                self._producer.produce(
                    topics.FRAME_SAMPLES,
                    key=frame.stream_id.encode(),
                    value=self._codec.encode(frame),
                    on_delivery=lambda error, _: failed.append(str(error)) if error else None,
                    **record,
                )
                return
            except BufferError:
                self._producer.poll(0.05)
            finally:
                self._producer.poll(0)


class Judgement:
    """Windows and decisions of one partition: from detections to what is to be published.

    Time does not pass in it: a policy is wanted by which none has to (``tests.e2e.workers``).
    """

    def __init__(self, policy: Policy) -> None:
        self._windows = PartitionWindows(WindowSpec())
        self._decisions = PartitionDecisions()
        self._policies = Policies(policy)
        self._controls = Controls()

    def take(self, batch: DetectionsMade, offset: int) -> Iterator[Event]:
        """The risks that ``batch`` moved, each followed by its effects.

        ``offset`` rises with each batch of the partition.
        """
        for risk in self._windows.observe(batch, offset):
            yield risk
            yield from self._decisions.take(risk, self._policies, self._controls).effects
