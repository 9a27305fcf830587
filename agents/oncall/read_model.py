"""What on-call people see of every stream, folded from the topics' events.

Events of different topics come in any order, and any of them may come again, so every fact is
kept with the event time that decides what is newer, and folding is idempotent: an event that is
not newer than what is known changes nothing. The order in which topics are read does not change
the outcome, as long as each is read in its own.

A stream's row is of its newest session. A session takes the row over with the first event that
is later than all that is known of the one before, and a session never begins by ending.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, replace

from schemas import (
    Detection,
    DetectionsMade,
    EscalationRaised,
    Event,
    EventDeadLettered,
    RiskAssessed,
    StreamUpdated,
    TakedownRequested,
)

from .streams import NEVER, SEVERITY, Decision, Known, StreamRow, decision_order

_REMEMBERED_IDS = 20_000
_CAUSES = 32
_OTHER_CAUSES = "other"


@dataclass(frozen=True, slots=True)
class Counters:
    """What was counted since the topics were first read; a replayed event counts once."""

    frames_judged: int
    takedowns: int
    escalations: int
    dead_letters: Mapping[str, int]
    """By cause."""
    evicted: int
    """Streams dropped to stay within the limit."""


class ReadModel:
    """Folds events into rows and counters; keeps at most ``max_streams`` streams.

    A stream whose risk reaches ``watch_threshold``, 0 to 1 inclusive, is being watched. Of too
    many streams, ended ones go first, then undecided ones, the longest unheard of before others.
    """

    def __init__(self, watch_threshold: float, max_streams: int = 10_000) -> None:
        self._watch_threshold = watch_threshold
        self._max_streams = max_streams
        self._streams: dict[str, Known] = {}
        self._judged: dict[tuple[str, int], int] = {}
        """Newest judged offset of each partition of frame samples."""
        self._seen: dict[str, None] = {}
        """Newest ids of decisions and dead letters, oldest first."""
        self._frames_judged = self._takedowns = self._escalations = self._evicted = 0
        self._dead_letters: dict[str, int] = {}

    def apply(self, event: Event, appended_at_us: int) -> None:
        """Fold in ``event``, whose record has the Kafka time ``appended_at_us``.

        A ``FrameSampled`` says nothing here: what counts is whether it was judged.
        """
        match event:
            case StreamUpdated():
                self._update(event, appended_at_us)
            case DetectionsMade():
                self._judge(event, appended_at_us)
            case RiskAssessed():
                self._assess(event, appended_at_us)
            case TakedownRequested() | EscalationRaised():
                self._decide(event, appended_at_us)
            case EventDeadLettered():
                self._bury(event, appended_at_us)

    def rows(self, now_us: int, limit: int | None = None) -> list[StreamRow]:
        """Gravest state first, then live ones, then highest risk, then by id; ``limit`` at most.

        ``now_us`` is the wall clock, from which the age of the newest frame follows.
        """
        threshold = self._watch_threshold

        def order(known: Known) -> tuple[int, bool, float, str]:
            gravity = SEVERITY[known.state(threshold)]
            return gravity, known.ended, -(known.risk or 0.0), known.stream_id

        shown = heapq.nsmallest(limit or len(self), self._streams.values(), key=order)
        return [known.row(threshold, now_us) for known in shown]

    def counters(self) -> Counters:
        return Counters(
            frames_judged=self._frames_judged,
            takedowns=self._takedowns,
            escalations=self._escalations,
            dead_letters=dict(self._dead_letters),
            evicted=self._evicted,
        )

    def __len__(self) -> int:
        """How many streams are known."""
        return len(self._streams)

    def _update(self, event: StreamUpdated, appended_at_us: int) -> None:
        ends = event.change == "ended"
        known = self._known(event.stream_id).joined(
            event.session_id, event.updated_at, event.drill, ends
        )
        if known is None:
            return
        if (event.updated_at, ends) > (known.updated_at, known.ended):
            known = replace(known, updated_at=event.updated_at, ended=ends)
        self._keep(known, appended_at_us)

    def _judge(self, event: DetectionsMade, appended_at_us: int) -> None:
        place = (event.frame_topic, event.frame_partition)
        judged = self._judged.get(place, NEVER)
        sessions: dict[tuple[str, str], list[Detection]] = {}
        for detection in event.detections:
            if detection.offset > judged:
                judged = detection.offset
                self._frames_judged += 1
                session = (detection.stream_id, detection.session_id)
                sessions.setdefault(session, []).append(detection)
        self._judged[place] = judged
        for (stream_id, session_id), detections in sessions.items():
            newest = max(detection.captured_at for detection in detections)
            drill = all(detection.drill for detection in detections)
            known = self._known(stream_id).joined(session_id, newest, drill)
            if known is None:
                continue
            known = replace(known, frames=known.frames + len(detections))
            if newest > known.newest_captured_at:
                known = replace(known, newest_captured_at=newest, bundle=event.bundle)
            self._keep(known, appended_at_us)

    def _assess(self, event: RiskAssessed, appended_at_us: int) -> None:
        known = self._known(event.stream_id).joined(
            event.session_id, event.assessed_at, event.drill
        )
        if known is None:
            return
        if (at := (event.assessed_at, event.cause.offset)) > known.risk_at:
            known = replace(known, risk=event.risk, risk_at=at)
        self._keep(known, appended_at_us)

    def _decide(self, event: Decision, appended_at_us: int) -> None:
        takedown, at, decision_id = decision_order(event)
        if self._is_new(decision_id):
            self._takedowns += takedown
            self._escalations += not takedown
        known = self._known(event.stream_id).joined(event.session_id, at, event.drill)
        if known is None:
            return
        if known.decision is None or decision_order(event) > decision_order(known.decision):
            known = replace(known, decision=event)
        self._keep(known, appended_at_us)

    def _bury(self, event: EventDeadLettered, appended_at_us: int) -> None:
        if not self._is_new(event.dead_letter_id):
            return
        counts, cause = self._dead_letters, event.cause
        if cause not in counts and len(counts) >= _CAUSES:
            cause = _OTHER_CAUSES
        counts[cause] = counts.get(cause, 0) + 1
        if event.stream_id:
            known = self._known(event.stream_id)
            self._keep(replace(known, dead_letters=known.dead_letters + 1), appended_at_us)

    def _known(self, stream_id: str) -> Known:
        return self._streams.get(stream_id) or Known(stream_id)

    def _keep(self, known: Known, appended_at_us: int) -> None:
        newest = max(known.appended_at, appended_at_us)
        self._streams[known.stream_id] = replace(known, appended_at=newest)
        if len(self._streams) > self._max_streams:
            self._evict()

    def _evict(self) -> None:
        # Some at once, so that a scan of all streams is not paid for each newcomer.
        excess = len(self._streams) - self._max_streams + self._max_streams // 16
        for known in heapq.nsmallest(excess, self._streams.values(), key=_eviction_order):
            del self._streams[known.stream_id]
            self._evicted += 1

    def _is_new(self, event_id: str) -> bool:
        if event_id in self._seen:
            return False
        self._seen[event_id] = None
        if len(self._seen) > _REMEMBERED_IDS:
            del self._seen[next(iter(self._seen))]
        return True


def _eviction_order(known: Known) -> tuple[bool, bool, int, str]:
    return not known.ended, known.decision is not None, known.appended_at, known.stream_id
