"""What a transition asks for, as events and as what is remembered of having asked. Pure.

Ids follow from the incident and the cause, so that deciding the same again issues the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from schemas import (
    DecisionReversed,
    EscalationRaised,
    Event,
    IncidentClosed,
    ReferralPrepared,
    SamplingBoostRequested,
    TakedownRequested,
    derive_id,
)

from .case import Case, about, grounded, grounds_of
from .policy import Severity
from .session import Incident, Session, Takedown
from .states import Ask

_GRAVITY = {severity: gravity for gravity, severity in enumerate(Severity)}


def issue(case: Case, session: Session, ask: Ask) -> tuple[Session, Event | None]:
    """``session`` after ``ask``, and the event; none where there is nothing to say or do."""
    return _ISSUE[ask](case, session)


def boost(case: Case, session: Session) -> tuple[Session, SamplingBoostRequested]:
    """Ask for a higher sampling rate from now on, for as long as the policy says."""
    until = case.cause.at + case.policy.sampling.lasts
    event = SamplingBoostRequested(
        boost_id=derive_id("boost", case.incident_id, case.cause.id),
        incident_id=case.incident_id,
        requested_at=case.cause.at,
        frames_per_second=case.policy.sampling.frames_per_second,
        until=until,
        rule=case.cause.rule,
        explanation=case.cause.explain(),
        **about(case, session),
    )
    return replace(session, boosted_until=until), event


def waits_until(case: Case, incident: Incident) -> int:
    """When ``incident`` is raised again, as of now; 0 where somebody has it in hand, or where it
    was raised often enough."""
    answers = case.policy.answers
    if incident.holder or incident.repeats >= answers.escalation_repeats:
        return 0
    return case.now + answers.escalation_within[incident.severity]


def _raise(
    case: Case, session: Session, incident: Incident, change: str, routes: tuple[str, ...] = ()
) -> tuple[Session, EscalationRaised]:
    to = case.policy.routes
    answer_by = waits_until(case, incident)
    # That nobody answers is not something that happens to it.
    touched_at = incident.touched_at if change == "repeated" else case.now
    incident = replace(incident, answer_by=answer_by, touched_at=touched_at)
    event = EscalationRaised(
        escalation_id=derive_id("escalation", case.incident_id, change, case.cause.id),
        raised_at=case.cause.at,
        severity=incident.severity,
        change=change,
        routes=list(dict.fromkeys((*to.by_severity[incident.severity], *routes))),
        answer_by=answer_by,
        viewers=session.facts.viewers,
        region=session.facts.region,
        **grounded(case, session),
    )
    return replace(session, incident=incident), event


def _escalate(case: Case, session: Session) -> tuple[Session, Event]:
    before = session.incident
    incident = Incident(
        opened_at=case.now,
        touched_at=case.now,
        severity=case.cause.severity,
        rule=case.cause.rule,
        explanation=case.cause.explain(),
        grounds=grounds_of(case, session),
        holder=case.cause.operator,
        confirmed=case.cause.confirms,
        referred=before.referred if before else False,
    )
    return _raise(case, session, incident, "reopened" if before else "opened")


def _worsen(case: Case, session: Session) -> tuple[Session, Event | None]:
    incident = session.incident
    if incident is None:
        # Escalated by a version that knew no incidents: people are told of this one.
        return _escalate(case, session)
    if _GRAVITY[case.cause.severity] <= _GRAVITY[Severity(incident.severity)]:
        return session, None
    worse = replace(
        incident,
        severity=case.cause.severity,
        rule=case.cause.rule,
        explanation=case.cause.explain(),
        grounds=grounds_of(case, session),
        holder=case.cause.operator,
        repeats=0,
    )
    return _raise(case, session, worse, "updated")


def _repeat(case: Case, session: Session) -> tuple[Session, Event | None]:
    incident = session.incident
    if incident is None or incident.closed:
        return session, None
    again = replace(incident, repeats=incident.repeats + 1)
    return _raise(case, session, again, "repeated", case.policy.routes.repeated)


def _widen(case: Case, session: Session) -> tuple[Session, Event | None]:
    incident = session.incident
    if incident is None or incident.closed:
        return session, None
    graver = min(_GRAVITY[Severity(incident.severity)] + 1, len(Severity) - 1)
    wider = replace(incident, severity=list(Severity)[graver])
    return _raise(case, session, wider, "widened", case.policy.routes.repeated)


def _unconfirmed(case: Case, session: Session) -> tuple[Session, Event | None]:
    if session.takedown is None or session.incident is None:
        return session, None
    incident = replace(session.incident, severity=Severity.CRITICAL, holder="", repeats=0)
    session = replace(session, takedown=replace(session.takedown, told=True))
    return _raise(case, session, incident, "updated", case.policy.routes.repeated)


def _take_down(case: Case, session: Session) -> tuple[Session, Event]:
    request = TakedownRequested(
        takedown_id=derive_id("takedown", case.incident_id, case.cause.id),
        requested_at=case.cause.at,
        account_id=session.facts.account_id,
        operator=case.cause.operator,
        **grounded(case, session),
    )
    return replace(session, takedown=Takedown(request, asked_at=case.now)), request


def _retry(case: Case, session: Session) -> tuple[Session, Event | None]:
    takedown = session.takedown
    if takedown is None:
        return session, None
    again = replace(takedown, asked_at=case.now, attempts=takedown.attempts + 1, told=False)
    return replace(session, takedown=again), takedown.request


def _refer(case: Case, session: Session) -> tuple[Session, Event | None]:
    incident, referral = session.incident, case.policy.referral
    recipient = referral.recipient(session.facts.region)
    occasion = "verdict-true" if incident and incident.confirmed else "takedown"
    if incident is None or incident.referred or not recipient or occasion not in referral.on:
        return session, None
    event = ReferralPrepared(
        referral_id=derive_id("referral", case.incident_id, case.cause.id),
        prepared_at=case.cause.at,
        recipient=recipient,
        region=session.facts.region,
        operator=case.cause.operator,
        **grounded(case, session),
    )
    return replace(session, incident=replace(incident, referred=True)), event


def _reverse(case: Case, session: Session) -> tuple[Session, Event | None]:
    if session.takedown is None:
        return session, None
    event = DecisionReversed(
        reversal_id=derive_id("reversal", case.incident_id, case.cause.id),
        incident_id=case.incident_id,
        takedown_id=session.takedown.request.takedown_id,
        reversed_at=case.cause.at,
        operator=case.cause.operator,
        reason=case.cause.reason,
        account_id=session.facts.account_id,
        **about(case, session),
    )
    return replace(session, takedown=None), event


def _settle(case: Case, session: Session) -> tuple[Session, Event | None]:
    incident, takedown = session.incident, session.takedown
    if incident is None or not incident.confirmed or not (takedown and takedown.confirmed_at):
        return session, None
    return _close(case, session, "confirmed")


def _close(case: Case, session: Session, outcome: str) -> tuple[Session, Event | None]:
    incident = session.incident
    if incident is None or incident.closed:
        return session, None
    event = IncidentClosed(
        closure_id=derive_id("closure", case.incident_id, case.cause.id),
        incident_id=case.incident_id,
        closed_at=case.cause.at,
        outcome=outcome,
        operator=case.cause.operator or incident.holder,
        reason=case.cause.reason or case.cause.explain(),
        **about(case, session),
    )
    closed = replace(incident, closed=True, answer_by=0, touched_at=case.now)
    return replace(session, incident=closed), event


_Issue = Callable[[Case, Session], tuple[Session, Event | None]]

_ISSUE: dict[Ask, _Issue] = {
    Ask.ESCALATE: _escalate,
    Ask.WORSEN: _worsen,
    Ask.REPEAT: _repeat,
    Ask.WIDEN: _widen,
    Ask.UNCONFIRMED: _unconfirmed,
    Ask.TAKE_DOWN: _take_down,
    Ask.RETRY: _retry,
    Ask.REFER: _refer,
    Ask.REVERSE: _reverse,
    Ask.CLOSE_REJECTED: partial(_close, outcome="rejected"),
    Ask.CLOSE_UNANSWERED: partial(_close, outcome="unanswered"),
    Ask.SETTLE: _settle,
}
