"""What an export is made of: an incident's events, and where each lies in Kafka. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec

from schemas import (
    CommandAnswered,
    DecisionReversed,
    EscalationRaised,
    Event,
    IncidentClosed,
    OperatorCommanded,
    ReferralPrepared,
    RiskAssessed,
    SamplingBoostRequested,
    StreamUnwatched,
    StreamUpdated,
    TakedownAcknowledged,
    TakedownRequested,
)

Effect = (
    SamplingBoostRequested
    | EscalationRaised
    | TakedownRequested
    | ReferralPrepared
    | DecisionReversed
    | IncidentClosed
)
"""What was decided: each names its incident, and says whether it is a drill."""

Grounded = EscalationRaised | TakedownRequested | ReferralPrepared
"""Of these, what says which frames and which bundle it rests on."""

TOLD: tuple[type[Event], ...] = (
    StreamUpdated,
    StreamUnwatched,
    OperatorCommanded,
    RiskAssessed,
    SamplingBoostRequested,
    EscalationRaised,
    TakedownRequested,
    ReferralPrepared,
    TakedownAcknowledged,
    CommandAnswered,
    DecisionReversed,
    IncidentClosed,
)
"""What a timeline holds; of one moment in this order, in which one follows from the other."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

E = TypeVar("E", bound=Event)
Session = tuple[str, str]
"""Stream and session."""
_Key = tuple[int, int, str, bytes]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a record lies. ``appended_at`` is Kafka's time of it, microseconds since the epoch."""

    topic: str
    partition: int
    offset: int
    appended_at: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event, and each time that it was written, oldest first.

    More than once where a takedown is asked for again, and where a worker that died had published
    it already.
    """

    event: Event
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that belongs to the incident as far as can be seen, and can't be decoded."""

    place: Place
    reason: str


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """All that the topics hold of one incident, in order of time."""

    incident_id: str
    events: tuple[Recorded, ...]
    unreadable: tuple[Unreadable, ...] = ()

    def of(self, kind: type[E]) -> tuple[E, ...]:
        """Its events of one kind, in order of time."""
        return tuple(found.event for found in self.events if isinstance(found.event, kind))

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What was decided, in order of time."""
        return tuple(found.event for found in self.events if isinstance(found.event, Effect))

    @property
    def grounded(self) -> tuple[Grounded, ...]:
        """Those of ``effects`` that rest on frames, in order of time."""
        return tuple(effect for effect in self.effects if isinstance(effect, Grounded))

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The streams and sessions that its effects are about; one, as long as all is well."""
        return tuple(sorted({_session(effect) for effect in self.effects}))

    @property
    def drill(self) -> bool:
        """Whether all that was decided is marked as a drill.

        Where only some of it is, it must not be taken for one: see ``partly_drill``.
        """
        return all(self._drills())

    @property
    def partly_drill(self) -> bool:
        """Whether some of what was decided is marked as a drill and some is not."""
        return any(self._drills()) and not self.drill

    @property
    def policies(self) -> tuple[tuple[str, str], ...]:
        """Names and digests of the policies that decided, in order of first use."""
        return tuple(dict.fromkeys((e.policy, e.policy_digest) for e in self.effects))

    @property
    def bundles(self) -> tuple[tuple[str, str], ...]:
        """Names and digests of the model bundles that judged, in order of first use."""
        judged: tuple[RiskAssessed | Grounded, ...] = (*self.of(RiskAssessed), *self.grounded)
        # Empty where a person ordered it before anything was judged.
        named = ((event.bundle, event.bundle_digest) for event in judged if event.bundle)
        return tuple(dict.fromkeys(named))

    def _drills(self) -> list[bool]:
        return [effect.drill for effect in self.effects]


def in_order(found: Iterable[tuple[Event, Place]]) -> tuple[Recorded, ...]:
    """Events with all their places, in order of time, whatever order they are found in.

    An event that was written twice is one; two that share an id and differ are told apart, since
    one of them is not what it says.
    """
    events: dict[_Key, Event] = {}
    places: dict[_Key, list[Place]] = {}
    for event, place in found:
        key = (event.time, TOLD.index(type(event)), event.id, msgspec.json.encode(event))
        events[key] = event
        places.setdefault(key, []).append(place)
    return tuple(Recorded(events[key], _oldest_first(places[key])) for key in sorted(events))


def utc(at: int) -> str:
    """``at``, microseconds since the epoch, in ISO 8601 to the millisecond.

    Senders may write any number; one that is no date is left a number.
    """
    try:
        when = _EPOCH + timedelta(microseconds=at)
    except OverflowError:
        return f"{at} µs"
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _session(effect: Effect) -> Session:
    return effect.stream_id, effect.session_id


def _oldest_first(places: Iterable[Place]) -> tuple[Place, ...]:
    return tuple(sorted(places, key=lambda place: (place.appended_at, place)))
