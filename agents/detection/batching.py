"""From judged frames to detections: one record for each partition and bundle of a micro-batch, or
several where it is large. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from schemas import Detection, DetectionsMade, FrameSampled, derive_id

from ..dead_letters import Coordinates
from ..publishing import Outgoing
from .manifest import Manifest

MOST_AT_ONCE = 512
"""Detections of one record: with ids as long as they may be, a third of what brokers take by
default."""


class Model(Protocol):
    """What is told of the model that judged; ``ModelBundle`` is one."""

    @property
    def manifest(self) -> Manifest: ...

    @property
    def label(self) -> str: ...

    @property
    def digest(self) -> str: ...

    @property
    def signal_names(self) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Judged:
    """One frame sample that ``model`` has judged; a score for each of its signals."""

    frame: FrameSampled
    source: Coordinates
    model: Model
    scores: list[float]


def compose(judged: Iterable[Judged]) -> list[Outgoing]:
    """Batches of detections for each partition and bundle of ``judged``, in offset order."""

    def group(item: Judged) -> tuple[str, int, str]:
        return item.source.topic, item.source.partition, item.model.digest

    ordered = sorted(judged, key=lambda item: (*group(item), item.source.offset))
    batches = [list(batch) for _, batch in groupby(ordered, key=group)]
    return [
        _detections(batch[at : at + MOST_AT_ONCE])
        for batch in batches
        for at in range(0, len(batch), MOST_AT_ONCE)
    ]


def _detections(batch: list[Judged]) -> Outgoing:
    first, model = batch[0].source, batch[0].model
    event = DetectionsMade(
        bundle=model.label,
        bundle_digest=model.digest,
        frame_topic=first.topic,
        frame_partition=first.partition,
        signals=model.signal_names,
        detections=[
            Detection(
                stream_id=item.frame.stream_id,
                session_id=item.frame.session_id,
                sequence=item.frame.sequence,
                captured_at=item.frame.captured_at,
                offset=item.source.offset,
                appended_at=item.source.appended_at,
                drill=item.frame.drill,
                scores=item.scores,
            )
            for item in batch
        ],
    )
    # Streams take turns, so a batch may leave offsets out that another one has: it is named
    # after all that it holds.
    offsets = (item.source.offset for item in batch)
    return Outgoing(
        event=event,
        id=derive_id("detections", first.topic, first.partition, model.digest, *offsets),
        time=max(item.frame.captured_at for item in batch),
        key=str(first.partition).encode(),
        partition=first.partition,
        cause_traceparent=first.traceparent,
    )
