"""What the topology decides of a session: its pure cores over recorded detections. Pure.

Detections are replayed as a backtest replays them. A session ends with its takedown, as the stream
would.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from agents.aggregation.windows import WindowSpec
from agents.decision.policies import Policies
from agents.decision.policy import Policy
from schemas import MICROSECONDS, EscalationRaised, TakedownRequested
from topology.backtest.replay import Batch, Replay

from .sessions import Numbers, Session

_START = 1_700_000_000 * MICROSECONDS
"""Event time of every session's start; what is decided does not depend on it."""
_BATCH = 256
"""Frames played at a time: a session is over with its takedown."""


@dataclass(frozen=True, slots=True)
class Cores:
    """What decides: the bundle that made the detections, the windows and the policy."""

    bundle: str
    bundle_digest: str
    signals: tuple[str, ...]
    windows: WindowSpec
    policy: Policy


@dataclass(frozen=True, slots=True)
class Moment:
    """When in the session, in seconds of event time, and on which frame of which clip."""

    at: float
    clip: int
    place: float
    """Second of the clip."""
    rule: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a session: the first escalation, and the takedown."""

    seconds: float
    frames: int
    escalated: Moment | None = None
    taken_down: Moment | None = None

    @property
    def seconds_to_escalation(self) -> float:
        """How long the session ran without a person being asked."""
        return self.escalated.at if self.escalated else self.seconds

    @property
    def seconds_to_takedown(self) -> float:
        """How long the session ran."""
        return self.taken_down.at if self.taken_down else self.seconds


def play(session: Session, cores: Cores) -> Outcome:
    """The outcome of ``session``."""
    replay = Replay([Policies(cores.policy)], cores.windows)
    (decided,) = replay.decided
    times = _event_times(session)
    escalated: Moment | None = None
    taken_down: Moment | None = None
    for batch in _batches(session, times, cores):
        replay.play([batch])
        for effect in decided.effects:
            match effect:
                case EscalationRaised() if escalated is None and effect.change == "opened":
                    escalated = _moment(session, times, effect.raised_at, effect.rule)
                case TakedownRequested() if taken_down is None:
                    taken_down = _moment(session, times, effect.requested_at, effect.rule)
        decided.effects.clear()
        if taken_down is not None:
            break
    return Outcome(session.seconds, len(session.times), escalated, taken_down)


def _event_times(session: Session) -> Numbers:
    return _START + np.round(session.times * MICROSECONDS).astype(np.int64)


def _batches(session: Session, times: Numbers, cores: Cores) -> Iterator[Batch]:
    for first in range(0, len(times), _BATCH):
        frames = slice(first, first + _BATCH)
        rows = zip(times[frames].tolist(), session.scores[frames].tolist(), strict=True)
        yield {
            "bundle": cores.bundle,
            "bundle_digest": cores.bundle_digest,
            "frame_topic": "recorded",
            "frame_partition": 0,
            "signals": list(cores.signals),
            "detections": [
                {
                    "stream_id": "recorded",
                    "session_id": "recorded",
                    "sequence": number,
                    "captured_at": captured_at,
                    "offset": number,
                    "appended_at": captured_at,
                    "drill": False,
                    "scores": scores,
                }
                for number, (captured_at, scores) in enumerate(rows, first)
            ],
        }


def _moment(session: Session, times: Numbers, at: int, rule: str) -> Moment:
    """Of a decision taken at the frame of that event time."""
    frame = int(np.searchsorted(times, at))
    return Moment(
        at=(at - _START) / MICROSECONDS,
        clip=int(session.clips[frame]),
        place=float(session.places[frame]),
        rule=rule,
    )
