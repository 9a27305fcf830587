"""One decision: an input meets a session, and both the next session and the effects follow. Pure.

First what happened is told as an ``Input`` (``of_risk`` and those beside it); then the table says
where to and what is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from schemas import Event, OperatorCommanded, TakedownAcknowledged

from .case import Case
from .commands import LOCKED, OF_INCIDENTS, Command
from .effects import boost, issue, waits_until
from .machine import TRANSITIONS
from .policy import Grade, Policy, Verdict
from .session import Override, Session
from .states import Ask, Input, Refusal, State

_NEEDS_EVIDENCE = frozenset({Ask.ESCALATE, Ask.TAKE_DOWN})
_BY_EVIDENCE = frozenset({Input.SUSPECT, Input.ATTACK, Input.ATTACK_HELD})
_OVERRIDDEN = (State.RELEASED, State.SUPPRESSED)
_ACTS = frozenset({Ask.ESCALATE, Ask.WORSEN, Ask.TAKE_DOWN})

_ORDERS = {
    Command.TAKEDOWN: Input.ORDER_TAKEDOWN,
    Command.RELEASE: Input.ORDER_RELEASE,
    Command.SUPPRESS: Input.ORDER_SUPPRESS,
    Command.RESUME: Input.ORDER_RESUME,
    Command.VERDICT_TRUE: Input.VERDICT_TRUE,
    Command.VERDICT_FALSE: Input.VERDICT_FALSE,
    Command.ACKNOWLEDGE: Input.ACKNOWLEDGED,
    Command.ASSIGN: Input.ASSIGNED,
    Command.ESCALATE: Input.WIDENED,
}
"""What each command of a stream is to the machine."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The next session, the effects in the order to issue them, and what was refused."""

    session: Session
    effects: tuple[Event, ...] = ()
    refusal: Refusal | None = None


def decide(case: Case, session: Session, given: Input) -> Decision:
    """What follows from ``given``.

    Deciding the same again gives the same effects under the same ids, or fewer.
    """
    transition = TRANSITIONS[session.state, given]
    if given in _BY_EVIDENCE and _NEEDS_EVIDENCE & set(transition.asks):
        grounds = case.cause.grounds
        if grounds is None or not grounds.evidence:
            return Decision(session, refusal=Refusal.NO_EVIDENCE)
    after = _enter(case, session, transition.to, given)
    effects: list[Event] = []
    for ask in transition.asks:
        after, effect = issue(case, after, ask)
        if effect is not None:
            effects.append(effect)
    return Decision(after, tuple(effects), transition.refusal)


def decide_on_risk(case: Case, session: Session, verdict: Verdict, held: bool) -> Decision:
    """``decide`` on what a policy makes of a risk; ``held`` is whether takedowns are held back."""
    given = of_risk(case, session, verdict, held)
    decision = decide(case, session, given)
    after = decision.session
    grade = int(verdict.grade)
    if grade > after.grade or after.holding != verdict.holding:
        after = replace(after, grade=max(grade, after.grade), holding=verdict.holding)
    acts = verdict.cooldown and _ACTS & set(TRANSITIONS[session.state, given].asks)
    if acts and decision.effects:
        after = replace(after, acted={**after.acted, verdict.rule: case.now})
    effects = decision.effects
    wanted = verdict.boost and after.state not in (*_OVERRIDDEN, State.CLEAR, State.STOPPED)
    if wanted and case.cause.at >= after.boosted_until:
        after, asked = boost(case, after)
        effects = (*effects, asked)
    return Decision(after, effects, decision.refusal)


def of_risk(case: Case, session: Session, verdict: Verdict, held: bool) -> Input:
    """What the evidence of a risk is to a session."""
    override = session.override
    if verdict.grade is Grade.NONE:
        return Input.CALM
    if verdict.grade is Grade.WATCH:
        return Input.STIRRING
    if override is not None:
        # Only frames that the person can't have seen are new evidence.
        fresh = case.cause.at - verdict.window >= override.ordered_at
        if verdict.grade <= override.grade or not fresh:
            return Input.OVERRULED
    acted_at = session.acted.get(verdict.rule) if verdict.cooldown else None
    open_already = session.state in (State.ESCALATED, State.TAKEDOWN_REQUESTED, State.STOPPED)
    if acted_at is not None and not open_already and case.now - acted_at < verdict.cooldown:
        return Input.COOLING
    if verdict.grade is Grade.ESCALATE:
        return Input.SUSPECT
    return Input.ATTACK_HELD if held else Input.ATTACK


def of_acknowledgement(
    policy: Policy, session: Session, answer: TakedownAcknowledged
) -> Input | Refusal:
    """What a takedown service's answer is to a session."""
    takedown = session.takedown
    if takedown is None or takedown.request.takedown_id != answer.takedown_id:
        return Refusal.UNKNOWN_TAKEDOWN
    if answer.outcome == "stopped":
        return Input.STOP_CONFIRMED
    return _unanswered(policy, session)


def of_command(command: OperatorCommanded, session: Session, now: int) -> Input | Refusal:
    """What a person's order about a stream is to a session."""
    given = _ORDERS.get(Command(command.command)) if command.command in set(Command) else None
    if given is None:
        return Refusal.UNKNOWN_COMMAND
    if not command.reason.strip() or not command.operator.strip():
        return Refusal.NO_REASON
    if given is Input.ORDER_SUPPRESS:
        if command.until == 0:
            return Refusal.NO_TIME_LIMIT
        if command.until <= max(now, command.issued_at):
            return Refusal.EXPIRED
    return _of_incident(command, session) or given


def _of_incident(command: OperatorCommanded, session: Session) -> Refusal | None:
    """Why an order is not carried out for want of an incident, or for whose that is."""
    incident = session.incident
    if incident is None or incident.closed:
        return Refusal.NOTHING_OPEN if command.command in OF_INCIDENTS else None
    another = incident.holder not in ("", command.operator)
    return Refusal.HELD_BY_ANOTHER if another and command.command in LOCKED else None


def due_inputs(policy: Policy, session: Session, now: int) -> list[Input]:
    """What time alone brings about, in order."""
    given = []
    override, takedown, incident = session.override, session.takedown, session.incident
    if session.state is State.SUPPRESSED and override and override.until <= now:
        given.append(Input.SUPPRESSION_OVER)
    asked = session.state is State.TAKEDOWN_REQUESTED and takedown and not takedown.told
    if asked and takedown and takedown.asked_at + policy.answers.takedown_within <= now:
        given.append(_unanswered(policy, session))
    if incident and not incident.closed:
        if incident.touched_at + policy.answers.forget_after <= now:
            given.append(Input.STALE)
        elif incident.answer_by and incident.answer_by <= now:
            given.append(Input.ANSWER_OVERDUE)
    return given


def due_at(policy: Policy, session: Session) -> int | None:
    """When ``due_inputs`` has something next; none where time alone changes nothing."""
    times = []
    override, takedown, incident = session.override, session.takedown, session.incident
    if session.state is State.SUPPRESSED and override:
        times.append(override.until)
    if session.state is State.TAKEDOWN_REQUESTED and takedown and not takedown.told:
        times.append(takedown.asked_at + policy.answers.takedown_within)
    if incident and not incident.closed:
        times.append(incident.touched_at + policy.answers.forget_after)
        if incident.answer_by:
            times.append(incident.answer_by)
    return min(times, default=None)


def _unanswered(policy: Policy, session: Session) -> Input:
    takedown = session.takedown
    spent = takedown is not None and takedown.attempts > policy.answers.takedown_retries
    return Input.STOP_UNCONFIRMED if spent else Input.STOP_OVERDUE


def _enter(case: Case, session: Session, to: State, given: Input) -> Session:
    """``session`` in ``to``, with what entering it and the input itself leave behind."""
    incident, takedown, override = session.incident, session.takedown, session.override
    cause = case.cause
    if incident is not None and not incident.closed:
        if given in (Input.ACKNOWLEDGED, Input.VERDICT_TRUE):
            incident = replace(incident, holder=cause.operator, answer_by=0, touched_at=case.now)
        if given is Input.VERDICT_TRUE:
            incident = replace(incident, confirmed=True)
        if given is Input.ASSIGNED:
            incident = replace(incident, holder=case.assignee, touched_at=case.now)
            incident = replace(incident, answer_by=waits_until(case, incident))
    if given is Input.STOP_CONFIRMED and to is State.STOPPED and takedown is not None:
        takedown = replace(takedown, confirmed_at=case.now)
    grade = session.grade
    if to not in _OVERRIDDEN:
        override = None
    elif cause.operator:
        override = _override(case, session)
        grade = 0
    return replace(
        session, state=to, incident=incident, takedown=takedown, override=override, grade=grade
    )


def _override(case: Case, session: Session) -> Override:
    # A clock ahead of the partition's must not make evidence of the meantime look old.
    ordered_at = min(case.cause.at, case.now) if case.now else case.cause.at
    return Override(
        case.cause.operator,
        ordered_at,
        until=case.until,
        grade=max(session.grade, session.override.grade if session.override else 0),
    )
