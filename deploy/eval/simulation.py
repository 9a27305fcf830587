"""What the topology decides of a session: its pure cores over recorded detections. Pure.

Detections go through ``PartitionWindows.observe`` and the risks through ``decide``, as in the
agents. A session ends with its takedown, as the stream would.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.aggregation.risk import PartitionWindows
from agents.aggregation.windows import WindowSpec
from agents.decision.machine import Effect, SessionDecision, decide
from agents.decision.policy import Grade, Policy, Rule
from schemas import (
    MICROSECONDS,
    Detection,
    DetectionsMade,
    EscalationRaised,
    RiskAssessed,
    TakedownRequested,
)

from .sessions import Numbers, Session

_START = 1_700_000_000 * MICROSECONDS
"""Event time of every session's start; what is decided does not depend on it."""
_ROUNDING = 1e-6


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
    known: SessionDecision | None = None
    found: dict[type[Effect], Moment] = {}
    # Until a person is asked what may escalate is looked at, and then what may take down.
    for grade in (Grade.ESCALATE, Grade.TAKEDOWN):
        for risk in risks(session, stretches(session, cores, grade), cores):
            decision = decide(cores.policy, known, risk)
            known = decision.state
            for effect in decision.effects:
                found.setdefault(type(effect), _moment(session, risk, effect.rule))
            if decision.effects:
                break
        if TakedownRequested in found:
            break
    escalated, taken_down = found.get(EscalationRaised), found.get(TakedownRequested)
    return Outcome(session.seconds, len(session.times), escalated, taken_down)


def stretches(session: Session, cores: Cores, grade: Grade) -> list[Numbers]:
    """Indices of the frames that can lead to ``grade`` or more, in stretches.

    Those are the frames at which a rule may be met, and what decides about them: whether they are
    told at all rests on the last hit, which is in the rule's window, and the windows at that hit
    rest on nothing older than a horizon. Where a rule needs no hit every frame is in.
    """
    times = _event_times(session)
    everything = np.arange(len(times), dtype=np.int64)
    spans = [np.empty((0, 2), np.int64)]
    for rule in cores.policy.rules:
        if rule.grade >= grade:
            if rule.hits < 1:
                return [everything]
            length = round(rule.window_seconds * MICROSECONDS)
            met = times[_may_meet(rule, session, times - length, cores)]
            spans.append(np.stack([met - length - cores.windows.horizon, met], axis=1))
    starts, ends = np.sort(np.concatenate(spans), axis=0).T
    first = np.searchsorted(times, starts)
    past = np.searchsorted(times, ends, side="right")
    cuts = np.flatnonzero(first[1:] > past[:-1]) + 1
    return [
        everything[first[part[0]] : past[part[-1]]]
        for part in np.split(np.arange(len(first)), cuts)
        if len(part)
    ]


def _may_meet(rule: Rule, session: Session, opened: Numbers, cores: Cores) -> NDArray[np.bool_]:
    """``[n]``, at which frames the windows opened after ``opened`` may meet ``rule``.

    Coverage is left out of account, and sums are given the benefit of rounding: too many frames
    cost time, one too few would be an effect overlooked.
    """
    firearm = session.scores[:, cores.signals.index("firearm")].astype(float)
    oldest = np.searchsorted(_event_times(session), opened, side="right")

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = np.r_[0.0, np.cumsum(values)]
        return np.asarray(sums[1:] - sums[oldest])

    frames = np.arange(1, len(firearm) + 1) - oldest
    hits = total((firearm >= cores.windows.hit).astype(float))
    met = (hits >= rule.hits) & (hits >= rule.share * frames - _ROUNDING)
    met &= total(firearm) >= (rule.mean - _ROUNDING) * frames
    if "fictional" in cores.signals:
        fictional = session.scores[:, cores.signals.index("fictional")].astype(float)
        met &= total(fictional) <= (rule.fictional + _ROUNDING) * frames
    return met


def risks(session: Session, stretches: Iterable[Numbers], cores: Cores) -> Iterator[RiskAssessed]:
    """The risks told of ``session`` when the frames of ``stretches`` are observed, in order."""
    partition = PartitionWindows(cores.windows)
    for frames in stretches:
        yield from partition.observe(_detections(session, frames, cores), int(frames[0]))


def _event_times(session: Session) -> Numbers:
    return _START + np.round(session.times * MICROSECONDS).astype(np.int64)


def _detections(session: Session, frames: Numbers, cores: Cores) -> DetectionsMade:
    times = _event_times(session)[frames].tolist()
    rows = zip(frames.tolist(), times, session.scores[frames].tolist(), strict=True)
    return DetectionsMade(
        bundle=cores.bundle,
        bundle_digest=cores.bundle_digest,
        frame_topic="recorded",
        frame_partition=0,
        signals=list(cores.signals),
        detections=[
            Detection(
                stream_id="recorded",
                session_id="recorded",
                sequence=number,
                captured_at=captured_at,
                offset=number,
                appended_at=captured_at,
                drill=False,
                scores=scores,
            )
            for number, captured_at, scores in rows
        ],
    )


def _moment(session: Session, risk: RiskAssessed, rule: str) -> Moment:
    frame = risk.cause.offset
    return Moment(
        at=(risk.assessed_at - _START) / MICROSECONDS,
        clip=int(session.clips[frame]),
        place=float(session.places[frame]),
        rule=rule,
    )
