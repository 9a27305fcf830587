"""From judged frames to detections: one record for each partition of a micro-batch. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from schemas import Detection, DetectionsMade, FrameSampled, derive_id

from ..dead_letters import Coordinates
from ..publishing import Outgoing


class Model(Protocol):
    """What detections say of the model that made them; ``ModelBundle`` is one."""

    @property
    def label(self) -> str: ...

    @property
    def digest(self) -> str: ...

    @property
    def signal_names(self) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Judged:
    """One frame sample that the model has judged."""

    frame: FrameSampled
    source: Coordinates
    scores: list[float]


def compose(model: Model, judged: Iterable[Judged]) -> list[Outgoing]:
    """One batch of detections for each partition of ``judged``, in offset order."""

    def place(item: Judged) -> tuple[str, int]:
        return item.source.topic, item.source.partition

    ordered = sorted(judged, key=lambda item: (*place(item), item.source.offset))
    return [
        _detections(model, topic, partition, list(batch))
        for (topic, partition), batch in groupby(ordered, key=place)
    ]


def _detections(model: Model, topic: str, partition: int, batch: list[Judged]) -> Outgoing:
    event = DetectionsMade(
        bundle=model.label,
        bundle_digest=model.digest,
        frame_topic=topic,
        frame_partition=partition,
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
    first, last = batch[0].source, batch[-1].source
    return Outgoing(
        event=event,
        id=derive_id("detections", topic, partition, first.offset, last.offset, model.digest),
        time=max(item.frame.captured_at for item in batch),
        key=str(partition).encode(),
        partition=partition,
        cause_traceparent=first.traceparent,
    )
