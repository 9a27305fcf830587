"""Shedding as the detection agent does it: what is kept of a run, and what is told of the rest."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from schemas import Codec, FrameSampled, FramesShed, StreamShed, derive_id

from ..dead_letters import Rejection
from ..intake import Intake, appended_at, read
from ..publishing import Outgoing, outgoing
from ..records import Record
from .admission import admit
from .shedding import Key, Shedder, ShedReason


class Sifting:
    """``backlog`` tells how many seconds what waits for this worker would take to judge.

    ``brokers_now`` is the brokers' clock, microseconds since the epoch, and not this machine's,
    which may jump; while it is not known, ``None``, no frame is too old.
    """

    def __init__(
        self,
        codec: Codec,
        shedder: Shedder,
        backlog: Callable[[], float],
        intake: Intake,
        *,
        brokers_now: Callable[[], int | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._codec = codec
        self._shedder = shedder
        self._backlog = backlog
        self._intake = intake
        self._brokers_now = brokers_now
        self._clock = clock

    def sift(self, records: Sequence[Record]) -> tuple[Sequence[Record], list[Outgoing]]:
        """Those of ``records``, of one partition, that are judged, and what is told of the rest."""
        backlog, now = self._backlog(), self._brokers_now()
        pressure = backlog if self._shedder.presses(backlog, self._clock()) else 0.0
        if not pressure and not self._shedder.is_too_old(max(_age(it, now) for it in records)):
            return records, []
        kept: list[Record] = []
        shed: dict[ShedReason, dict[Key, list[Record]]] = defaultdict(lambda: defaultdict(list))
        for record in records:
            frame = read(self._codec, record, FrameSampled)
            # What is refused anyway goes its usual way.
            if (
                isinstance(frame, Rejection)
                or admit(frame, appended_at(record)) is not None
                or (why := self._shedder.sheds(frame, pressure, _age(record, now))) is None
            ):
                kept.append(record)
            else:
                shed[why][frame.stream_id, frame.session_id].append(record)
        return kept, [self._tell(why, streams, backlog) for why, streams in shed.items()]

    def _tell(
        self, why: ShedReason, streams: Mapping[Key, Sequence[Record]], backlog: float
    ) -> Outgoing:
        told = [
            StreamShed(*key, self._shedder.at_risk(key), [record.offset for record in records])
            for key, records in streams.items()
        ]
        calm, at_risk = _COUNTED[why]
        for stream in told:
            self._intake.count(at_risk if stream.at_risk else calm, len(stream.offsets))
        every = sorted(
            (record for records in streams.values() for record in records),
            key=lambda record: record.offset,
        )
        first = every[0]
        event = FramesShed(
            shed_id=derive_id("shed", first.topic, first.partition, *(it.offset for it in every)),
            shed_at=max(appended_at(record) for record in every),
            frame_topic=first.topic,
            frame_partition=first.partition,
            backlog_seconds=round(backlog, 3),
            streams=told,
            reason=why,
        )
        return outgoing(event, None, first.partition)


_COUNTED = {
    ShedReason.BACKLOG: ("frames shed", "frames of streams at risk shed"),
    ShedReason.TOO_OLD: ("frames too old shed", "frames too old of streams at risk shed"),
}
"""What is counted of calm streams, and of those at risk."""


def _age(record: Record, now: int | None) -> int:
    """Microseconds since the brokers took ``record``; 0 where that is not known."""
    at = appended_at(record)
    return 0 if now is None or at < 0 else now - at
