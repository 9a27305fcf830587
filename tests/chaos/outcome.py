"""What came of a fault, held against what the pure cores make of the same topics.

The input is what the brokers acknowledged of ``frame-samples``. Windows and decisions are computed
anew from what lies in ``detections``; whatever was done to workers and brokers meanwhile, the risks
and effects on the topics must be these, each content under one id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from agents.aggregation.risk import PartitionWindows
from agents.aggregation.windows import WindowSpec
from agents.decision.controls import UNKNOWN, Controls
from agents.decision.partition import PartitionDecisions
from agents.decision.policies import Policies
from schemas import (
    DetectionsMade,
    EscalationRaised,
    Event,
    EventDeadLettered,
    FrameSampled,
    ReferralPrepared,
    RiskAssessed,
    SamplingBoostRequested,
    TakedownRequested,
    topics,
)
from topology.policies import load_policy

from .reading import CODEC, Read, events, judged_at, read_topic, shed

COMPARED: tuple[type[Event], ...] = (TakedownRequested, EscalationRaised, SamplingBoostRequested)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is told of a fault. All should be 0 but ``_FIGURES``."""

    frames_in: int
    frames_twice: int
    """Records of frames that had been written before, which at-least-once allows producers. Even
    idempotent ones do it now and then where a partition gets another leader: librdkafka #4953."""
    shed: int
    risks_expected: int
    effects_expected: int
    held_back: int
    """Takedowns that people were asked about instead, as it was not known whether any are allowed:
    nothing could be read of what people had ordered."""
    unjudged: int
    risks_lost: int
    risks_unexpected: int
    effects_lost: int
    effects_unexpected: int
    duplicates: int
    """Ids under which different contents came."""
    judged_again: int
    """Frames that were judged more than once, which at-least-once allows."""
    amiss: tuple[str, ...] = ()
    """The first few that were lost or unexpected: what should be, and what is."""

    @property
    def frames(self) -> int:
        """Different ones."""
        return self.frames_in - self.frames_twice

    @property
    def holds(self) -> bool:
        told = asdict(self)
        return not any(told[name] for name in told if name not in _FIGURES)


_MOST_AMISS = 5
_FIGURES = {
    "frames_in",
    "frames_twice",
    "shed",
    "held_back",
    "risks_expected",
    "effects_expected",
    "judged_again",
    "amiss",
}


def compare(bootstrap: str, policy: Path) -> Outcome:
    """What is on the topics against what should be, once nothing is in work any more."""
    sampled = read_topic(bootstrap, topics.FRAME_SAMPLES)
    frames = {it.place for it in sampled}
    detections = read_topic(bootstrap, topics.DETECTIONS)
    judged = judged_at(detections)
    left_out = shed(read_topic(bootstrap, topics.SHED))
    dead = {
        (letter.partition, letter.offset)
        for letter in events(bootstrap, EventDeadLettered)
        if letter.topic == topics.FRAME_SAMPLES
    }
    risks = _reference(detections)
    effects = _effects(risks, _told_at(bootstrap), policy)
    told, told_contents = _by_id(bootstrap, [RiskAssessed])
    done, done_contents = _by_id(bootstrap, COMPARED)
    held = {
        event.incident_id
        for event in done.values()
        if isinstance(event, EscalationRaised) and UNKNOWN.explanation in event.explanation
    }
    held_back = sum(
        isinstance(event, TakedownRequested) and event.incident_id in held and key not in done
        for key, event in effects.items()
    )
    effects, done = _without(effects, held), _without(done, held)
    return Outcome(
        frames_in=len(frames),
        frames_twice=len(frames) - len({CODEC.decode(it.value, FrameSampled).id for it in sampled}),
        risks_expected=len(risks),
        effects_expected=len(effects),
        held_back=held_back,
        unjudged=len(frames - judged.keys() - dead - left_out),
        shed=len(left_out),
        risks_lost=_missing(risks, told),
        risks_unexpected=_missing(told, risks),
        effects_lost=_missing(effects, done),
        effects_unexpected=_missing(done, effects),
        duplicates=sum(len(found) > 1 for found in (told_contents | done_contents).values()),
        judged_again=sum(len(times) > 1 for times in judged.values()),
        amiss=tuple(_amiss({**risks, **effects}, told | done)),
    )


def _without(effects: Mapping[str, Event], incidents: Collection[str]) -> dict[str, Event]:
    return {
        key: event
        for key, event in effects.items()
        if getattr(event, "incident_id", None) not in incidents
    }


def _missing(wanted: Mapping[str, Event], there: Mapping[str, Event]) -> int:
    """How many of ``wanted`` are not ``there`` as they should be."""
    return sum(there.get(key) != event for key, event in wanted.items())


def _amiss(wanted: Mapping[str, Event], there: Mapping[str, Event]) -> Iterable[str]:
    differing = (key for key in sorted({*wanted, *there}) if wanted.get(key) != there.get(key))
    for key in islice(differing, _MOST_AMISS):
        yield f"{key}: {wanted.get(key)} should be, {there.get(key)} is"


def _reference(detections: Iterable[Read]) -> dict[str, RiskAssessed]:
    partitions: dict[int, PartitionWindows] = {}
    expected = {}
    for record in detections:
        windows = partitions.setdefault(record.partition, PartitionWindows(WindowSpec()))
        batch = CODEC.decode(record.value, DetectionsMade)
        for risk in windows.observe(batch, record.offset):
            expected[risk.risk_id] = risk
        windows.take_refused()
    return expected


def _told_at(bootstrap: str) -> dict[str, int]:
    """When the brokers first took each risk, in microseconds: what is decided carries it."""
    found: dict[str, int] = {}
    for record in read_topic(bootstrap, topics.RISK):
        found.setdefault(
            CODEC.decode(record.value, RiskAssessed).risk_id, record.milliseconds * 1000
        )
    return found


def _effects(
    risks: Mapping[str, RiskAssessed], told_at: Mapping[str, int], policy: Path
) -> dict[str, Event]:
    decisions, policies = PartitionDecisions(), Policies(load_policy(policy))
    controls = Controls()
    return {
        effect.id: effect
        for risk in risks.values()
        for effect in decisions.take(
            risk, policies, controls, at=told_at.get(risk.risk_id, -1)
        ).effects
        if not isinstance(effect, ReferralPrepared)
    }


def _by_id(
    bootstrap: str, event_types: Iterable[type[Event]]
) -> tuple[dict[str, Event], dict[str, set[bytes]]]:
    """The events by id, and the contents that came under each."""
    found: dict[str, Event] = {}
    contents: dict[str, set[bytes]] = defaultdict(set)
    for event_type in event_types:
        for record in read_topic(bootstrap, topics.TOPIC_OF[event_type.__name__]):
            event = CODEC.decode(record.value, event_type)
            found[event.id] = event
            contents[event.id].add(record.value)
    return found, contents
