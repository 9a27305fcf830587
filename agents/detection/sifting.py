"""Shedding as the detection agent does it: what is kept of a run, and what is told of the rest."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from schemas import Codec, FrameSampled, FramesShed, StreamShed, derive_id

from ..dead_letters import Rejection
from ..intake import Intake, appended_at, read
from ..publishing import Outgoing, outgoing
from ..records import Record
from .admission import admit
from .shedding import Key, Pressed, Shedder, ShedReason


@dataclass(frozen=True, slots=True)
class Pressure:
    """``backlog`` tells how many seconds of work those frames are that ``concerns`` and wait."""

    pressed: Pressed
    backlog: Callable[[], float]
    concerns: Callable[[FrameSampled], bool] = lambda _: True


class Sifting:
    """A frame is left out for whatever presses most of what concerns it.

    ``brokers_now`` is the brokers' clock, microseconds since the epoch, and not this machine's,
    which may jump; while it is not known, ``None``, no frame is too old.
    """

    def __init__(
        self,
        codec: Codec,
        shedder: Shedder,
        pressures: Sequence[Pressure],
        intake: Intake,
        *,
        brokers_now: Callable[[], int | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._codec = codec
        self._shedder = shedder
        self._pressures = pressures
        self._intake = intake
        self._brokers_now = brokers_now
        self._clock = clock

    def sift(self, records: Sequence[Record]) -> tuple[Sequence[Record], list[Outgoing]]:
        """Those of ``records``, of one partition, that are judged, and what is told of the rest."""
        clock, now = self._clock(), self._brokers_now()
        asked = [(it, it.pressed.by(it.backlog(), clock)) for it in self._pressures]
        pressing = [(it, seconds) for it, seconds in asked if seconds]
        if not pressing and not self._shedder.is_too_old(max(_age(it, now) for it in records)):
            return records, []
        kept: list[Record] = []
        shed: dict[ShedReason, dict[Key, list[Record]]] = defaultdict(lambda: defaultdict(list))
        for record in records:
            frame = read(self._codec, record, FrameSampled)
            # What is refused anyway goes its usual way.
            if isinstance(frame, Rejection) or admit(frame, appended_at(record)) is not None:
                kept.append(record)
                continue
            pressure = max((most for it, most in pressing if it.concerns(frame)), default=0.0)
            why = self._shedder.sheds(frame, pressure, _age(record, now))
            if why is None:
                kept.append(record)
            else:
                shed[why][frame.stream_id, frame.session_id].append(record)
        longest = max((seconds for _, seconds in pressing), default=0.0)
        return kept, [self._tell(why, streams, longest) for why, streams in shed.items()]

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
