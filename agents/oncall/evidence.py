"""Which frames a stream's decisions and its risk rest on, and its reasons one by one. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from schemas import EscalationRaised, Event, FrameRef, ReferralPrepared, RiskAssessed
from schemas import TakedownRequested as Takedown

from .ports import Session

SHOWN = 12
"""Frames on a page, at most."""

_GROUNDED = (Takedown, EscalationRaised, ReferralPrepared)


@dataclass(frozen=True, slots=True)
class Cited:
    """A frame that something points at."""

    ref: FrameRef
    session: Session
    decided: bool
    """Whether a decision rests on it, and not only a risk."""

    @property
    def name(self) -> str:
        """Names the frame in addresses, beside its stream."""
        return f"{self.ref.partition}-{self.ref.offset}"


def cited(events: Iterable[Event]) -> dict[str, Cited]:
    """Every frame that ``events`` point at, by its name, in order of capture.

    Whether it is one of a stream at all is seen once it is read: what points at it is a record like
    any other.
    """
    found: dict[str, Cited] = {}
    for event in events:
        decided = isinstance(event, _GROUNDED)
        if not isinstance(event, (*_GROUNDED, RiskAssessed)):
            continue
        for ref in event.evidence:
            one = Cited(ref, (event.stream_id, event.session_id), decided)
            if one.name not in found or decided:
                found[one.name] = one
    return dict(sorted(found.items(), key=lambda it: (it[1].ref.captured_at, it[0])))


def shown(found: Iterable[Cited]) -> list[Cited]:
    """Those that a page shows, in order of capture: what decisions rest on first, the
    highest-scoring of them where they are too many."""
    ranked = sorted(found, key=lambda it: (it.decided, it.ref.score, it.name), reverse=True)
    return sorted(ranked[:SHOWN], key=lambda it: (it.ref.captured_at, it.name))


def conditions_of(explanation: str) -> list[str]:
    """The conditions that ``explanation`` joins by semicolons; what is in brackets stays whole."""
    parts, depth, start = [], 0, 0
    for at, sign in enumerate(explanation):
        depth += (sign == "(") - (sign == ")")
        if sign == ";" and depth <= 0:
            parts.append(explanation[start:at].strip())
            start = at + 1
    parts.append(explanation[start:].strip())
    return [part for part in parts if part]
