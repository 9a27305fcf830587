"""What two policies made of the same record, stream by stream. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import median

from agents.aggregation.hearing import Key
from schemas import MICROSECONDS, EscalationRaised, Event, SamplingBoostRequested, TakedownRequested

_OPENS = ("opened", "reopened")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one session; times in event time, microseconds since the epoch."""

    escalated_at: int | None = None
    taken_down_at: int | None = None
    boosts: int = 0
    rule: str = ""
    """That of the takedown, or of the first escalation where there is none."""
    explanation: str = ""

    @property
    def word(self) -> str:
        """What became of it, in a word."""
        if self.taken_down_at is not None:
            return "taken down"
        return "escalated" if self.escalated_at is not None else "left alone"


LEFT_ALONE = Outcome()


@dataclass(frozen=True, slots=True)
class Totals:
    """What a policy made of a whole record. Seconds are from a session's first firearm hit."""

    escalations: int
    takedowns: int
    boosts: int
    seconds_to_escalation: float | None
    """Median over the sessions that were escalated and had a hit; none where there is none."""
    seconds_to_takedown: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A session of which the two policies made something else."""

    stream_id: str
    session_id: str
    against: Outcome
    new: Outcome


def outcomes(effects: Iterable[Event]) -> dict[Key, Outcome]:
    """What became of each session that anything was asked for."""
    found: dict[Key, Outcome] = {}
    for effect in effects:
        if not isinstance(effect, EscalationRaised | TakedownRequested | SamplingBoostRequested):
            continue
        key = (effect.stream_id, effect.session_id)
        known = found.get(key, LEFT_ALONE)
        match effect:
            case SamplingBoostRequested():
                found[key] = replace(known, boosts=known.boosts + 1)
            case TakedownRequested() if known.taken_down_at is None:
                known = replace(known, taken_down_at=effect.requested_at)
                found[key] = replace(known, rule=effect.rule, explanation=effect.explanation)
            case EscalationRaised() if known.escalated_at is None and effect.change in _OPENS:
                known = replace(known, escalated_at=effect.raised_at)
                found[key] = replace(known, rule=effect.rule, explanation=effect.explanation)
    return found


def totals(found: Mapping[Key, Outcome], first_hits: Mapping[Key, int]) -> Totals:
    """``found`` in numbers."""
    return Totals(
        escalations=sum(it.escalated_at is not None for it in found.values()),
        takedowns=sum(it.taken_down_at is not None for it in found.values()),
        boosts=sum(it.boosts for it in found.values()),
        seconds_to_escalation=_median(
            (it.escalated_at, first_hits.get(key)) for key, it in found.items()
        ),
        seconds_to_takedown=_median(
            (it.taken_down_at, first_hits.get(key)) for key, it in found.items()
        ),
    )


def differences(against: Mapping[Key, Outcome], new: Mapping[Key, Outcome]) -> Iterator[Difference]:
    """The sessions that were escalated or taken down by one and not, or at another time, by the
    other; in order of their ids."""
    for key in sorted(against.keys() | new.keys()):
        before, after = against.get(key, LEFT_ALONE), new.get(key, LEFT_ALONE)
        if (before.escalated_at, before.taken_down_at) != (after.escalated_at, after.taken_down_at):
            yield Difference(*key, before, after)


def _median(pairs: Iterable[tuple[int | None, int | None]]) -> float | None:
    seconds = [
        (at - since) / MICROSECONDS for at, since in pairs if at is not None and since is not None
    ]
    return median(seconds) if seconds else None
