"""One event's way through a partition: which sessions it is about, and what it is to each. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from msgspec.structs import replace

from schemas import (
    DecisionReversed,
    Event,
    OperatorCommanded,
    Record,
    RiskAssessed,
    StreamUpdated,
    TakedownAcknowledged,
    TakedownRequested,
)

from . import answering, orders
from .case import Case, Cause
from .controls import Controls, Hold
from .decide import (
    Decision,
    decide,
    decide_on_risk,
    of_acknowledgement,
    of_command,
)
from .policies import Policies
from .policy import Grade, Policy, Verdict, judge
from .session import Grounds, Session
from .situation import Situation
from .states import Input, Refusal
from .updates import learn
from .watching import Key


@dataclass(slots=True)
class Outcome:
    """What follows from one event: the effects in the order to issue them."""

    effects: list[Event] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    changed: dict[Key, list[Event]] = field(default_factory=dict)
    """The sessions that changed, each with those of the effects that are its own."""


@dataclass(slots=True)
class Turn:
    """Takes one event in; what follows is in ``outcome``.

    ``at`` is when the brokers took it, -1 where that is not known: then the partition's time is
    taken, which may be another where the same is decided again.
    """

    situation: Situation
    policies: Policies
    controls: Controls
    at: int = -1
    outcome: Outcome = field(default_factory=Outcome)

    def risk(self, risk: RiskAssessed) -> None:
        key = (risk.stream_id, risk.session_id)
        session = self._session(key, risk, risk.drill)
        if session.drill and not risk.drill:
            # One real frame makes the stream real.
            session = replace(session, drill=False)
        policy = self.policies.of(risk.stream_id)
        verdict = judge(policy, risk, session.facts, session.holding)
        self._judged(key, session, policy, verdict, event=risk, grounds=Grounds.of(risk))

    def update(self, update: StreamUpdated) -> None:
        key = (update.stream_id, update.session_id)
        session = self._session(key, update, update.drill)
        learned = learn(session, update, self._now(update))
        if update.change == "ended":
            self.reach(key, learned, answering.to_end(update), Input.ENDED, before=session)
            self.situation.lose(key)
            return
        self.situation.watch.begin(key, self._now(update))
        policy = self.policies.of(update.stream_id)
        verdict = judge(policy, None, learned.facts, learned.holding)
        news = set(verdict.holding) - set(learned.holding)
        if verdict.grade is Grade.NONE or not news:
            self.follow(key, session, Decision(learned))
            return
        # Without a risk no rule about frames holds, which says nothing of the frames.
        holding = tuple(dict.fromkeys((*learned.holding, *verdict.holding)))
        verdict = replace(verdict, holding=holding)
        self._judged(key, learned, policy, verdict, event=update, before=session)

    def acknowledge(self, answer: TakedownAcknowledged) -> None:
        key = (answer.stream_id, answer.session_id)
        session = self.situation.sessions.get(key, Session())
        given = of_acknowledgement(self.policies.of(answer.stream_id), session, answer)
        if isinstance(given, Refusal):
            self.outcome.refusals.append(given)
            return
        self.reach(key, session, answering.to_service(answer, given), given)

    def command(self, command: OperatorCommanded) -> None:
        if not command.stream_id:
            if not self.situation.trial:
                now, live = self._now(command), self.policies.live
                self.outcome.effects += orders.of_scope(command, now, live, self.controls)
            return
        # A stream that nothing was heard of yet may be commanded all the same.
        newest = self.situation.newest.get(command.stream_id, "")
        key = (command.stream_id, command.session_id or newest)
        session = self.situation.sessions.get(key, Session())
        if command.command_id in session.commands:
            return
        policy, now = self.policies.of(command.stream_id), self._now(command)
        given = of_command(command, session, now)
        decision = Decision(session, refusal=given if isinstance(given, Refusal) else None)
        if isinstance(given, Input):
            until = min(command.until, now + policy.longest_override) if command.until else 0
            cause = answering.to_person(command)
            case = Case(policy, *key, now, cause, until, command.assignee)
            decision = decide(case, session, given)
        answer = answering.answered(command, key, session, decision, now)
        after = decision.session
        if after != Session():
            # Of a stream that nothing is known of, an order that changed nothing is not remembered.
            after = answering.remember(after, command.command_id)
        self.follow(key, session, Decision(after, (*decision.effects, answer), decision.refusal))

    def _now(self, event: Record) -> int:
        return self._time(event.time)

    def _time(self, otherwise: int) -> int:
        return self.at if self.at >= 0 else self.situation.now or otherwise

    def _session(self, key: Key, event: Record, drill: bool) -> Session:
        """The session, and what follows from its being heard of for the first time."""
        situation = self.situation
        session = situation.sessions.get(key)
        if session is None:
            session = Session(drill=drill)
            former = situation.newest.get(key[0])
            if former != key[1]:
                session = self._first_heard(key, session, event, former)
        situation.newest[key[0]] = key[1]
        return session

    def _first_heard(
        self, key: Key, session: Session, event: Record, former: str | None
    ) -> Session:
        earlier = self.situation.sessions.get((key[0], former or ""))
        if earlier is not None and earlier.override is not None:
            # A person's word is on the stream, and a restart does not end it.
            bound = replace(session, state=earlier.state, override=earlier.override)
            self.follow(key, session, Decision(bound))
            session = bound
        account = event.account_id if isinstance(event, StreamUpdated) else ""
        now = self._now(event)
        known = self.controls.former(key[0], account, key[1], now, session.drill)
        # What a person ordered of the stream before any of its sessions was known is of this one.
        if known is None or (known.stream_id == key[0] and (key[0], "") in self.situation.sessions):
            return session
        self.reach(key, session, answering.to_restart(event, key, known), Input.RESTARTED)
        return self.situation.sessions.get(key, session)

    def _judged(
        self,
        key: Key,
        session: Session,
        policy: Policy,
        verdict: Verdict,
        *,
        event: Record,
        grounds: Grounds | None = None,
        before: Session | None = None,
    ) -> None:
        explain, hold = verdict.explain, None
        if verdict.grade >= Grade.TAKEDOWN:
            self.trip(policy)
            hold = self.controls.hold(policy, session.facts.region, self._now(event))
            if hold is not None:
                explain = partial(_explain_held, verdict, hold)
        cause = Cause(event.id, event.time, verdict.rule, explain, verdict.severity, grounds)
        case = Case(policy, *key, self._now(event), cause)
        decision = decide_on_risk(case, session, verdict, hold is not None)
        self.follow(key, before or session, decision)

    def reach(
        self,
        key: Key,
        session: Session,
        cause: Cause,
        given: Input,
        *,
        before: Session | None = None,
    ) -> None:
        """Decide what ``given`` leads to, and follow it."""
        policy = self.policies.of(key[0])
        case = Case(policy, *key, self._time(cause.at), cause)
        self.follow(key, before or session, decide(case, session, given))

    def follow(self, key: Key, before: Session, decision: Decision) -> None:
        """Remember what was decided, and collect what it asks for."""
        if decision.refusal is not None:
            self.outcome.refusals.append(decision.refusal)
        after, effects = decision.session, list(decision.effects)
        if after != self.situation.sessions.get(key, before) or effects:
            self.situation.keep(key, after, self.policies)
            self.outcome.changed.setdefault(key, []).extend(effects)
        self.outcome.effects += effects
        if self.situation.trial:
            return
        for effect in effects:
            if isinstance(effect, TakedownRequested | DecisionReversed):
                # Here and now, not when it has come round through the topic.
                self.controls.apply(effect)

    def trip(self, policy: Policy) -> None:
        """Trip the breaker if it is time to."""
        trip = None if self.situation.trial else self.controls.trip(policy, self.situation.now)
        if trip is not None:
            self.controls.apply(trip)
            self.outcome.effects.append(trip)


def _explain_held(verdict: Verdict, hold: Hold) -> str:
    return f"{verdict.explain()}. Not taken down by itself: {hold.explanation}"
