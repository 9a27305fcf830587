"""What is remembered of one session of a stream between events. Pure.

Times are microseconds since the epoch. ``now`` is the time of the partition, which ticks move;
what is measured in it are time limits. Event time is the stream's own.
"""

from __future__ import annotations

import msgspec

from schemas import FrameRef, RiskAssessed, TakedownRequested

from .facts import Facts
from .states import State


class Grounds(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the last risk that mattered rested on: what people are shown."""

    risk: float = 0.0
    evidence: list[FrameRef] = []
    bundle: str = ""
    bundle_digest: str = ""

    @classmethod
    def of(cls, risk: RiskAssessed) -> Grounds:
        return cls(risk.risk, risk.evidence, risk.bundle, risk.bundle_digest)


class Incident(msgspec.Struct, frozen=True, omit_defaults=True):
    """The one incident of a session, from the escalation that opened it."""

    opened_at: int
    touched_at: int
    """When something last happened to it: what goes stale is measured from here."""
    severity: str
    rule: str
    explanation: str
    grounds: Grounds
    answer_by: int = 0
    """When it is raised again; 0 where nobody is waited for."""
    repeats: int = 0
    holder: str = ""
    """Who acknowledged it."""
    confirmed: bool = False
    """A person's verdict was that it is real."""
    referred: bool = False
    closed: bool = False


class Takedown(msgspec.Struct, frozen=True, omit_defaults=True):
    """The takedown that was asked for last, word for word, and what became of it."""

    request: TakedownRequested
    asked_at: int
    attempts: int = 1
    told: bool = False
    """People were told that nobody confirmed it."""
    confirmed_at: int = 0


class Override(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person's word on the session, which outranks the machine's."""

    operator: str
    ordered_at: int
    until: int = 0
    """When a suppression lapses; 0 for a release, which does not."""
    grade: int = 0
    """The highest grade that the person had before them: only more than that is new."""


class Session(msgspec.Struct, frozen=True, omit_defaults=True):
    """One session of a stream. As it begins there is nothing to remember."""

    state: State = State.CLEAR
    facts: Facts = Facts()
    drill: bool = False
    started_at: int = 0
    """When the shard said that it started, 0 where it has not."""
    holding: tuple[str, ...] = ()
    """The rules that hold, for their hysteresis."""
    grade: int = 0
    """The highest grade reached since a person last spoke."""
    acted: dict[str, int] = {}
    """When each rule that has a cooldown last acted."""
    incident: Incident | None = None
    takedown: Takedown | None = None
    override: Override | None = None
    boosted_until: int = 0
    """Event time until which a higher sampling rate was asked for."""
    commands: tuple[str, ...] = ()
    """Ids of the last commands that were answered: one that is sent twice is carried out once."""
    unwatched: str = ""
    """Why its frames are not judged in time, where people were told so."""
    ended_at: int = 0
    """When it was said to have ended, in the partition's time; 0 while it goes on."""

    @property
    def ended(self) -> bool:
        """Whether the platform said that it is over: its last frames may still be judged."""
        return self.ended_at > 0

    @property
    def open(self) -> bool:
        """Whether it must be remembered long after the stream ended."""
        return self.state not in (State.CLEAR, State.WATCHING)
