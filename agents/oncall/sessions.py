"""What is known of one session of a stream. Pure.

Each fact is the newest of its kind, so that neither the order in which topics are read nor a record
that comes again changes the outcome. What is newer is told by the shard's clock where all facts of
a kind are the shard's (updates, risk), and by Kafka's where people, services and workers with
clocks of their own have a say.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from schemas import (
    CommandAnswered,
    DecisionReversed,
    EscalationRaised,
    Event,
    IncidentClosed,
    RiskAssessed,
    SamplingBoostRequested,
    StreamHeard,
    StreamUnwatched,
    StreamUpdated,
    TakedownAcknowledged,
    TakedownRequested,
)

from .grounds import Ground, grounds_of
from .trend import Trend

NEVER = -1
E = TypeVar("E", bound=Event)

STOPPED = "stopped"
"""What a takedown service answers once there is nothing left to stop."""
_GRAVE_SIGNALS = ("firearm", "known_content")
_HOLDS = ("acknowledge", "verdict-true", "assign")
"""Commands by which an incident gets into a person's hands, or out of them."""
_RAISED_AGAIN = ("repeated", "widened")
_OPENINGS = ("opened", "reopened")
_CATEGORY_CHARACTERS = 40
_REGION_CHARACTERS = 8

QUIET_STATES = frozenset({"clear", "watching", "released", "suppressed"})
"""States of the decision's machine in which nothing stands that was decided before."""


class Seen(NamedTuple, Generic[E]):
    """An event, and when Kafka first had it, in microseconds since the epoch."""

    at: int
    event: E


def newer(known: Seen[E] | None, event: E, at: int) -> Seen[E]:
    """Of the two the one that Kafka had later; of two at once the one of the greater id."""
    if known is not None and (known.at, known.event.id) >= (at, event.id):
        return known
    return Seen(at, event)


def shows_something(risk: RiskAssessed) -> bool:
    """Whether a frame of the windows shows what is looked for."""
    return any(
        window.hits or any(it.hits for it in window.signals if it.signal in _GRAVE_SIGNALS)
        for window in risk.windows
    )


@dataclass(slots=True)
class Session:
    """One session, from when it is first heard of. ``…_at`` are ``NEVER`` before anything is."""

    session_id: str
    began_at: int = NEVER
    """When Kafka first had anything of it that a shard or the detection said."""
    decided_at: int = NEVER
    ended: bool = False
    updated_at: int = NEVER
    risk: float | None = None
    risk_at: tuple[int, int] = (NEVER, NEVER)
    """Watermark, and offset of the frame: a late frame moves the risk and not the watermark."""
    stirs: bool = False
    grounds: tuple[Ground, ...] = ()
    """Of the newest risk."""
    trend: Trend | None = None
    """``None`` while there was no risk."""
    described_at: tuple[int, str] = (NEVER, "")
    """Of two updates of one time, one comes after the other whatever the order they are read in."""
    viewers: int = -1
    region: str = ""
    category: str = ""
    """As the shard told last that told; -1 or empty where none did."""
    frames: int = 0
    """Frames judged, as far as they were told of."""
    newest_captured_at: int = NEVER
    newest_appended_at: int = NEVER
    """When Kafka had the newest judged frame: how long ago does not go by the shard's clock. Told
    of every few seconds (``aggregation.hearing``)."""
    bundle: str = ""
    """That of the newest risk."""
    drill: bool | None = None
    """Whether all risks, updates and decisions of it say so; ``None`` while there were none."""
    takedown: Seen[TakedownRequested] | None = None
    escalation: Seen[EscalationRaised] | None = None
    """The newest that says why, and not only that it is raised again."""
    raised: Seen[EscalationRaised] | None = None
    raises: int = 0
    """How often it was put before people; a record that came again counts once."""
    opened_at: int = NEVER
    """When Kafka had it that an incident was opened, or reopened, last."""
    stop: Seen[TakedownAcknowledged] | None = None
    failure: Seen[TakedownAcknowledged] | None = None
    order: Seen[CommandAnswered] | None = None
    hold: Seen[CommandAnswered] | None = None
    reversal: Seen[DecisionReversed] | None = None
    closure: Seen[IncidentClosed] | None = None
    boost: Seen[SamplingBoostRequested] | None = None
    notice: Seen[StreamUnwatched] | None = None

    def take(self, event: Event, at: int) -> None:
        """Take in what was said of the session, which Kafka first had ``at``."""
        match event:
            case StreamUpdated():
                self._update(event, at)
            case RiskAssessed():
                self._hear(at, event.drill)
                if (told_at := (event.assessed_at, event.cause.offset)) > self.risk_at:
                    self.risk, self.risk_at, self.bundle = event.risk, told_at, event.bundle
                    self.stirs = shows_something(event)
                    self.grounds = grounds_of(event)
                    if self.trend is None:
                        self.trend = Trend()
                    self.trend.take(event.assessed_at, event.risk)
            case TakedownRequested() | EscalationRaised():
                self._decide(event, at)
            case TakedownAcknowledged() if event.outcome == STOPPED:
                self.stop = newer(self.stop, event, at)
            case TakedownAcknowledged():
                self.failure = newer(self.failure, event, at)
            case CommandAnswered():
                self._answer(event, at)
            case DecisionReversed():
                self.reversal = newer(self.reversal, event, at)
            case IncidentClosed():
                self.closure = newer(self.closure, event, at)
            case StreamUnwatched():
                self.notice = newer(self.notice, event, at)
            case SamplingBoostRequested():
                self.boost = newer(self.boost, event, at)

    def hear(self, heard: StreamHeard, frames: int, at: int) -> None:
        """Take in which frame of the session was judged last, and that ``frames`` more were.

        Kafka had that frame before ``at``: a worker that takes over may tell of a session that
        ended before the next began.
        """
        self._begin(min(at, heard.appended_at))
        self.frames += frames
        self.newest_appended_at = max(self.newest_appended_at, heard.appended_at)
        self.newest_captured_at = max(self.newest_captured_at, heard.captured_at)

    @property
    def incident_id(self) -> str:
        """Of its incident, of which there is one a session; empty while nothing was decided."""
        # What says why comes first: the newest that is not only that nobody answered.
        seen = (self.escalation, self.takedown, self.raised)
        return next((it.event.incident_id for it in seen if it is not None), "")

    @property
    def answer_of_takedown(self) -> TakedownAcknowledged | None:
        """What a service said of the newest takedown; that it is done stands whatever follows."""
        asked = self.takedown.event.takedown_id if self.takedown else None
        answers = (answer.event for answer in (self.stop, self.failure) if answer)
        return next((it for it in answers if it.takedown_id == asked), None)

    @property
    def holder(self) -> str:
        """Who has the incident in hand since it was opened; empty where nobody has."""
        if self.hold is None or self.hold.at < self.opened_at:
            return ""
        answer = self.hold.event
        # Answers of before incidents could be assigned don't say who has it.
        return answer.held_by or ("" if answer.command == "assign" else answer.operator)

    @property
    def answer_by(self) -> int | None:
        """When it is raised again unless somebody answers; ``None`` where nothing is waited for."""
        if self.raised is None or self.holder:
            return None
        given_back = self.hold is not None and self.hold.at > self.raised.at
        since = self.hold if given_back and self.hold else self.raised
        return since.event.answer_by or None

    @property
    def live(self) -> bool:
        """Whether a shard or the detection told of it, and no shard that it ended."""
        return self.began_at != NEVER and not self.ended

    @property
    def settled(self) -> bool:
        """Whether its incident was closed, and nothing has been decided since."""
        return self.closure is not None and self.closure.at >= self.decided_at

    @property
    def waits(self) -> bool:
        """Whether its incident is open."""
        return self.decided_at != NEVER and not self.settled

    def _update(self, event: StreamUpdated, at: int) -> None:
        ends = event.change == "ended"
        if ends:
            # A shard may report an end long after the next session began.
            self._mark(event.drill)
        else:
            self._hear(at, event.drill)
        if (told_at := (event.updated_at, sys.intern(event.change))) >= self.described_at:
            self.described_at = told_at
            self._describe(event)
        latest = max((self.updated_at, self.ended), (event.updated_at, ends))
        self.updated_at, self.ended = latest

    def _describe(self, event: StreamUpdated) -> None:
        """What is not known in ``event`` stays as it was. Of few kinds each: kept once for all."""
        if event.viewers >= 0:
            self.viewers = event.viewers
        if event.region:
            self.region = sys.intern(event.region[:_REGION_CHARACTERS])
        if event.category:
            self.category = sys.intern(event.category[:_CATEGORY_CHARACTERS])

    def _decide(self, event: TakedownRequested | EscalationRaised, at: int) -> None:
        self._mark(event.drill)
        self.decided_at = max(self.decided_at, at)
        if isinstance(event, TakedownRequested):
            self.takedown = newer(self.takedown, event, at)
            return
        self.raises += 1
        if event.change in _OPENINGS:
            self.opened_at = max(self.opened_at, at)
        self.raised = newer(self.raised, event, at)
        if event.change not in _RAISED_AGAIN:
            self.escalation = newer(self.escalation, event, at)

    def _answer(self, event: CommandAnswered, at: int) -> None:
        if event.applied and event.state_after in QUIET_STATES:
            self.order = newer(self.order, event, at)
        if event.applied and event.command in _HOLDS:
            self.hold = newer(self.hold, event, at)

    def _hear(self, at: int, drill: bool) -> None:
        self._begin(at)
        self._mark(drill)

    def _begin(self, at: int) -> None:
        self.began_at = at if self.began_at == NEVER else min(self.began_at, at)

    def _mark(self, drill: bool) -> None:
        self.drill = drill and self.drill is not False
