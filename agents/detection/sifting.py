"""Shedding as the detection agent does it: what is kept of a run, and what is told of the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from schemas import Codec, FrameSampled, FramesShed, StreamShed, derive_id

from ..dead_letters import Rejection
from ..intake import Intake, appended_at, read
from ..publishing import Outgoing, outgoing
from ..records import Record
from .admission import admit
from .shedding import Key, Shedder


class Sifting:
    """``backlog`` tells how many seconds what waits for this worker would take to judge."""

    def __init__(
        self,
        codec: Codec,
        shedder: Shedder,
        backlog: Callable[[], float],
        intake: Intake,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._codec = codec
        self._shedder = shedder
        self._backlog = backlog
        self._intake = intake
        self._clock = clock

    def sift(self, records: Sequence[Record]) -> tuple[Sequence[Record], Outgoing | None]:
        """Those of ``records``, of one partition, that are judged, and what is told of the rest."""
        backlog = self._backlog()
        if not self._shedder.presses(backlog, self._clock()):
            return records, None
        kept: list[Record] = []
        shed: dict[Key, StreamShed] = {}
        for record in records:
            frame = read(self._codec, record, FrameSampled)
            # What is refused anyway goes its usual way.
            if (
                isinstance(frame, Rejection)
                or admit(frame, appended_at(record)) is not None
                or self._shedder.keeps(frame, backlog)
            ):
                kept.append(record)
                continue
            key = frame.stream_id, frame.session_id
            if key not in shed:
                shed[key] = StreamShed(*key, self._shedder.at_risk(key), [])
            shed[key].offsets.append(record.offset)
        if not shed:
            return kept, None
        return kept, self._tell(records, list(shed.values()), backlog)

    def _tell(
        self, records: Sequence[Record], streams: list[StreamShed], backlog: float
    ) -> Outgoing:
        for stream in streams:
            what = "frames of streams at risk shed" if stream.at_risk else "frames shed"
            self._intake.count(what, len(stream.offsets))
        first = records[0]
        offsets = sorted(offset for stream in streams for offset in stream.offsets)
        event = FramesShed(
            shed_id=derive_id("shed", first.topic, first.partition, *offsets),
            shed_at=max(appended_at(record) for record in records),
            frame_topic=first.topic,
            frame_partition=first.partition,
            backlog_seconds=round(backlog, 3),
            streams=streams,
        )
        return outgoing(event, None, first.partition)
