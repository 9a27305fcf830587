"""What all peers share: what they are given, and the events of the job around its pure parts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from agents.decision.policy import Policy
from schemas import (
    CloudEvent,
    Codec,
    Detection,
    DetectionsMade,
    Event,
    FrameSampled,
    topics,
    write_headers,
)
from schemas.headers import HeaderList
from tests.bench.job import Judging, ModelJudging, NullJudging
from topology.policies import load_policy

GROUP = "peer"
_CORES = os.cpu_count() or 1
BATCH = 16
"""Most frames of a micro-batch, as in the topology."""


class NamedNull:
    """``NullJudging`` in the name of ``model``, as the topology's is: ids follow from the name."""

    def __init__(self, model: ModelJudging) -> None:
        null = NullJudging()
        self.signals, self.judge = null.signals, null.judge
        self.label, self.digest = model.label, model.digest


@dataclass(frozen=True, slots=True)
class Given:
    """What a peer is started with."""

    bootstrap: str
    folder: Path
    """For what it keeps on disk; exists."""
    judging: Judging
    policy: Policy


def read_given(*, batching: bool) -> Given:
    """From the environment (``FIREBREAK_…``).

    The model has every core: in a session of as many threads where frames are judged one at a
    time, and for ``batching`` in sessions of one thread, of which as many run side by side.
    """
    folder = Path(os.environ["FIREBREAK_RUNTIME_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    detector = os.environ["FIREBREAK_BENCH_DETECTOR"]
    model = ModelJudging(1 if batching else _CORES)
    return Given(
        bootstrap=os.environ["FIREBREAK_BOOTSTRAP_SERVERS"],
        folder=folder,
        judging=NamedNull(model) if detector == "null" else model,
        policy=load_policy(Path(os.environ["FIREBREAK_POLICY"])),
    )


@dataclass(frozen=True, slots=True)
class Taken:
    """A frame sample, where it stood in its partition, and when it was appended there (µs)."""

    frame: FrameSampled
    partition: int
    offset: int
    appended_at: int


def judge(judging: Judging, batch: Sequence[Taken]) -> list[DetectionsMade]:
    """A micro-batch's detections, for each frame those of its own, in order."""
    scores = judging.judge([taken.frame for taken in batch])
    return [_made(judging, *pair) for pair in zip(batch, scores, strict=True)]


def _made(judging: Judging, taken: Taken, scores: list[float]) -> DetectionsMade:
    frame = taken.frame
    detection = Detection(
        stream_id=frame.stream_id,
        session_id=frame.session_id,
        sequence=frame.sequence,
        captured_at=frame.captured_at,
        offset=taken.offset,
        appended_at=taken.appended_at,
        drill=frame.drill,
        scores=scores,
    )
    return DetectionsMade(
        bundle=judging.label,
        bundle_digest=judging.digest,
        frame_topic=topics.FRAME_SAMPLES,
        frame_partition=taken.partition,
        signals=judging.signals,
        detections=[detection],
    )


class MicroBatches:
    """Judges frames sixteen at a time; a model does so on a thread for each core.

    It is worth it because ONNX Runtime and the decoder let go of the interpreter's lock.
    """

    def __init__(self, judging: Judging) -> None:
        self._judge = partial(judge, judging)
        self._threads = ThreadPoolExecutor(_CORES) if isinstance(judging, ModelJudging) else None
        self.blocks = self._threads is not None
        """Whether ``judge`` takes long."""

    def judge(self, taken: Sequence[Taken]) -> list[tuple[Taken, DetectionsMade]]:
        """Each of ``taken`` with its detections, in order."""
        batches = [taken[first : first + BATCH] for first in range(0, len(taken), BATCH)]
        each = self._threads.map if self._threads is not None else map
        made = each(self._judge, batches)
        return list(zip(taken, chain.from_iterable(made), strict=True))


@dataclass(frozen=True, slots=True)
class Output:
    """An event as a record."""

    topic: str
    key: bytes
    value: bytes
    headers: HeaderList


def output(codec: Codec, event: Event) -> Output:
    """``event`` as consumers of its topic expect it: keyed by stream, with its headers."""
    name = type(event).__name__
    return Output(
        topic=topics.TOPIC_OF[name],
        key=event.subject.encode(),
        value=codec.encode(event),
        headers=headers_of(event),
    )


def headers_of(event: Event) -> HeaderList:
    return write_headers(
        CloudEvent(
            id=event.id,
            type=f"firebreak.{type(event).__name__}",
            source="firebreak/peer",
            subject=event.subject,
            time=event.time,
        ),
        None,
    )
