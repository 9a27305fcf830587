"""Recorded detections through the pure cores, under any number of policies at once. Pure.

What is decided is what the agents would have decided of the same detections: windows and decisions
are theirs, and time passes as the brokers' time of the frames does, with a tick a second. Nothing
but detections is played: no news of streams, no answers of takedown services, no orders.

Most frames of most streams are clear, and the windows of a session that is clear need not be kept
while nothing can be told of it. Such frames are put aside, and taken in when a frame comes of which
something may be told: windows rest on nothing older than their horizon.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from agents.aggregation.hearing import IDLE, Key, Session
from agents.aggregation.risk import PartitionWindows
from agents.aggregation.windows import SEEN, WindowSpec
from agents.decision.controls import Controls
from agents.decision.partition import PartitionDecisions
from agents.decision.policies import Policies
from schemas import (
    MICROSECONDS,
    Detection,
    DetectionsMade,
    Event,
    RiskAssessed,
    StreamsHeard,
    StreamUpdated,
    TakedownAcknowledged,
    TakedownRequested,
    derive_id,
)

Batch = Mapping[str, Any]
"""A ``DetectionsMade`` as it lies in a record."""
Row = Mapping[str, Any]
"""A detection of it."""

_TICK = MICROSECONDS


@dataclass(slots=True)
class Decided:
    """The decisions under one policy: every partition's, with the controls that they share.

    A takedown is confirmed at once and the stream ends with it, as it would have.
    """

    policies: Policies
    effects: list[Event] = field(default_factory=list)
    controls: Controls = field(default_factory=Controls)
    _partitions: dict[int, PartitionDecisions] = field(default_factory=dict)
    stopped: set[Key] = field(default_factory=set)
    """Sessions that were taken down."""

    def take(self, event: RiskAssessed | StreamsHeard, partition: int) -> None:
        """Decide on ``event``."""
        if isinstance(event, RiskAssessed) and (event.stream_id, event.session_id) in self.stopped:
            return
        decisions = self._partitions.setdefault(partition, PartitionDecisions())
        effects = decisions.take(event, self.policies, self.controls).effects
        self.effects += effects
        for effect in effects:
            if isinstance(effect, TakedownRequested):
                self.stopped.add((effect.stream_id, effect.session_id))
                for news in _stop(effect):
                    self.effects += decisions.take(news, self.policies, self.controls).effects


def _stop(takedown: TakedownRequested) -> tuple[TakedownAcknowledged, StreamUpdated]:
    """What would have come of it: the service's answer, and the end of the stream."""
    about, at = (takedown.stream_id, takedown.session_id), takedown.requested_at
    answer_id = derive_id("acknowledgement", takedown.takedown_id)
    return (
        TakedownAcknowledged(
            answer_id, takedown.takedown_id, *about, "stopped", "", "backtest", at
        ),
        StreamUpdated(*about, "backtest", "ended", at, takedown.drill),
    )


_KEY = itemgetter("stream_id", "session_id")
_LOOKED_AT = itemgetter("captured_at", "appended_at", "scores")
_FRAME = itemgetter("sequence", "captured_at", "offset", "appended_at", "drill", "scores")
"""What a ``Detection`` has after its stream and session: rows as they are read take four times as
much memory."""


class _Aside:
    """A clear session's frames of which nothing can be told."""

    __slots__ = ("begun", "frames", "latest", "older", "session", "signals")

    def __init__(self, session: Session, signals: Sequence[str]) -> None:
        self.session = session
        self.signals = signals
        self.latest = self.begun = session.windows.watermark
        """When the newest frame was captured, and the first of ``frames``."""
        self.frames: list[tuple[Any, ...]] = []
        self.older: list[tuple[Any, ...]] = []
        """Those of about a horizon before: what is older is let go, as windows do not reach it."""


@dataclass(slots=True)
class _Partition:
    windows: PartitionWindows
    now: int = 0
    aside: dict[Key, _Aside] = field(default_factory=dict)


class Replay:
    """Plays batches, as a record holds them, in the order of their being appended.

    ``skip`` puts frames aside; without it every frame goes its whole way, to the same outcome.
    """

    def __init__(
        self, policies: Sequence[Policies], spec: WindowSpec | None = None, skip: bool = True
    ) -> None:
        self.decided = [Decided(each) for each in policies]
        self.detections = 0
        self.first_hits: dict[Key, int] = {}
        """Event time of each session's first firearm hit."""
        self._spec = spec or WindowSpec()
        self._skip = skip
        self._partitions: dict[int, _Partition] = {}

    def play(self, batches: Iterable[Batch]) -> None:
        """Play ``batches``: ``DetectionsMade`` as Avro gives them."""
        for batch in batches:
            rows = batch["detections"]
            if rows:
                self.detections += len(rows)
                number = batch["frame_partition"]
                partition = self._partitions.get(number)
                if partition is None:
                    partition = _Partition(PartitionWindows(self._spec))
                    self._partitions[number] = partition
                self._pass_time(number, partition, rows[-1]["appended_at"])
                if self._skip and "firearm" in batch["signals"]:
                    self._sift(partition, batch, rows)
                else:
                    self._take(partition, batch, [Detection(**row) for row in rows])

    def _sift(self, partition: _Partition, batch: Batch, rows: Sequence[Row]) -> None:
        """Take in what something may be told of, and put the rest aside."""
        hit, longest, grace = self._spec.hit, self._spec.lengths[-1], self._spec.grace
        reach = self._spec.horizon + grace
        signals, aside = batch["signals"], partition.aside
        width = len(signals)
        first, *others = [number for number, name in enumerate(signals) if name in SEEN]
        for row in rows:
            key = _KEY(row)
            held = aside.get(key)
            if held is None and self._over(key):
                continue
            if held is not None:
                captured_at, appended_at, scores = _LOOKED_AT(row)
                ahead, session = captured_at - held.latest, held.session
                if (
                    len(scores) == width
                    and 0.0 <= scores[first] < hit
                    and ahead <= longest
                    and appended_at - session.appended_at < IDLE
                    and not (others and max(scores[other] for other in others) >= hit)
                    and signals == held.signals
                ):
                    if -ahead > grace:
                        continue
                    if ahead > 0:
                        held.latest = captured_at
                    partition.windows.hear(key, session, appended_at)
                    if captured_at - held.begun > reach:
                        held.older, held.frames, held.begun = held.frames, [], captured_at
                    held.frames.append(_FRAME(row))
                    continue
                del aside[key]
                if held.frames:
                    before = [Detection(*key, *frame) for frame in (*held.older, *held.frames)]
                    self._take(partition, {**batch, "signals": held.signals}, before)
            self._take(partition, batch, [Detection(**row)])
            begun = partition.windows.sessions.get(key)
            if begun is not None and begun.windows.clear:
                aside[key] = _Aside(begun, signals)

    def _over(self, key: Key) -> bool:
        """Whether the session ended under every policy."""
        return all(key in decided.stopped for decided in self.decided)

    def _take(self, partition: _Partition, batch: Batch, detections: list[Detection]) -> None:
        made = DetectionsMade(**{**batch, "detections": detections})
        for detection in detections:
            scores = dict(zip(made.signals, detection.scores, strict=False))
            if scores.get("firearm", 0.0) >= self._spec.hit:
                key = (detection.stream_id, detection.session_id)
                self.first_hits.setdefault(key, detection.captured_at)
        for risk in partition.windows.observe(made, 0):
            for decided in self.decided:
                decided.take(risk, made.frame_partition)

    def _pass_time(self, number: int, partition: _Partition, appended_at: int) -> None:
        now = appended_at // _TICK * _TICK
        if now <= partition.now:
            return
        # A gap passes tick by tick as well: what falls due within it does so in its order.
        for at in range((partition.now or now - _TICK) + _TICK, now + _TICK, _TICK):
            heard = partition.windows.tick(at, number)
            for decided in self.decided:
                decided.take(heard, number)
        partition.now = now
