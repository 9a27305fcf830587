"""Causes that are not a risk's, and what people are told of their orders. Pure."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from schemas import (
    MICROSECONDS,
    CommandAnswered,
    OperatorCommanded,
    Record,
    StreamUpdated,
    TakedownAcknowledged,
    derive_id,
)

from .case import Cause, incident_id
from .commands import Command
from .controls import Former
from .decide import Decision
from .policy import Policy, Severity
from .session import Session
from .states import Input, Refusal
from .watching import Key

_REMEMBERED_COMMANDS = 8

_BY_TIME = {
    Input.STOP_OVERDUE: "takedown-retried",
    Input.STOP_UNCONFIRMED: "takedown-unconfirmed",
    Input.ANSWER_OVERDUE: "unanswered",
    Input.STALE: "unanswered",
    Input.SUPPRESSION_OVER: "suppression-over",
}
"""The rule that is named where it was time alone."""


def to_service(answer: TakedownAcknowledged, given: Input) -> Cause:
    """What a takedown service answered."""
    told = f"The takedown service {answer.service} answered: {answer.outcome}. {answer.detail}"
    rule = _BY_TIME.get(given, "takedown-confirmed")
    return Cause(answer.id, answer.time, rule, _saying(told.rstrip(". ") + "."))


def to_person(command: OperatorCommanded) -> Cause:
    """What a person ordered."""
    return Cause(
        command.id,
        command.time,
        f"operator-{command.command}",
        _saying(f"Ordered by a person ({command.command}): {command.reason}"),
        operator=command.operator,
        reason=command.reason,
        confirms=command.command == Command.VERDICT_TRUE,
    )


def to_end(update: StreamUpdated) -> Cause:
    """The stream ended by itself."""
    return Cause(update.id, update.time, "stream-ended", _saying("The stream ended."))


def to_restart(event: Record, key: Key, former: Former) -> Cause:
    """A stream starts after a takedown of its own or of its account's."""
    minutes = max(event.time - former.requested_at, 0) / (60 * MICROSECONDS)
    return Cause(
        derive_id("restarted", *key, former.takedown_id),
        event.time,
        "restart-after-takedown",
        _saying(
            f"The same account or stream was taken down {minutes:.0f} minutes ago "
            f"(incident {former.incident_id}) and is live again."
        ),
        Severity.HIGH,
    )


def to_stop(session: Session, at: int) -> Cause:
    """Frames keep coming after the stop was confirmed. Raises ``ValueError`` where none was."""
    if session.takedown is None:
        raise ValueError("no takedown was asked for")
    return Cause(
        derive_id("still-running", session.takedown.request.takedown_id),
        at,
        "still-running",
        _saying("Frames of the stream are sampled after its stop was confirmed."),
    )


def to_time(policy: Policy, key: Key, session: Session, given: Input, now: int) -> Cause:
    """What was waited for did not come in time."""
    takedown, incident, override = session.takedown, session.incident, session.override
    asked = takedown.attempts if takedown else 0
    raised = incident.repeats + 1 if incident else 1
    seconds = policy.answers.takedown_within // MICROSECONDS
    told, since = {
        Input.STOP_OVERDUE: (
            f"No takedown service confirmed the stop within {seconds} s.",
            takedown.asked_at if takedown else 0,
        ),
        Input.STOP_UNCONFIRMED: (
            f"No takedown service confirmed the stop, asked {asked} times: the stream may still "
            "run.",
            takedown.asked_at if takedown else 0,
        ),
        Input.ANSWER_OVERDUE: (
            f"Nobody answered in time; raised {raised} times before.",
            incident.answer_by if incident else 0,
        ),
        Input.STALE: (
            "Nobody answered for as long as the policy waits.",
            incident.touched_at if incident else 0,
        ),
        Input.SUPPRESSION_OVER: (
            "The suppression lapsed as ordered.",
            override.until if override else 0,
        ),
    }[given]
    severity = Severity(incident.severity) if incident else Severity.HIGH
    # Time stands still between ticks, within which a takedown may be asked for more than once.
    cause_id = derive_id("due", given, *key, since, asked, raised)
    return Cause(cause_id, now, _BY_TIME[given], _saying(told), severity)


def answered(
    command: OperatorCommanded, key: Key, before: Session, decision: Decision, at: int
) -> CommandAnswered:
    """What became of an order about a stream."""
    after = decision.session
    incident = incident_id(*key) if after.incident else ""
    answer = _answer(command, decision.refusal, at, key[1], (before.state, after.state, incident))
    if after.incident is None or after.incident.closed:
        return answer
    open_one = after.incident
    return replace(answer, held_by=open_one.holder, answer_by=open_one.answer_by)


def answered_scope(command: OperatorCommanded, refusal: Refusal | None, at: int) -> CommandAnswered:
    """What became of an order about a scope."""
    return _answer(command, refusal, at, "", ("", "", ""))


def remember(session: Session, command_id: str) -> Session:
    """``session``, knowing that the command is answered."""
    return replace(session, commands=(*session.commands, command_id)[-_REMEMBERED_COMMANDS:])


def _answer(
    command: OperatorCommanded,
    refusal: Refusal | None,
    at: int,
    session_id: str,
    became: tuple[str, str, str],
) -> CommandAnswered:
    before, after, incident = became
    return CommandAnswered(
        answer_id=derive_id("answer", command.command_id),
        command_id=command.command_id,
        command=command.command,
        stream_id=command.stream_id,
        session_id=session_id,
        scope=command.scope,
        incident_id=incident,
        operator=command.operator,
        reason=command.reason,
        answered_at=at,
        applied=refusal is None,
        refusal=refusal or "",
        state_before=before,
        state_after=after,
    )


def _saying(words: str) -> Callable[[], str]:
    return lambda: words
