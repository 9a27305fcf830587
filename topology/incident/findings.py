"""What the events together say: of the stream, of how sure it is, of what people said. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from agents.decision.commands import Command
from schemas import (
    CommandAnswered,
    EscalationRaised,
    OperatorCommanded,
    ReferralPrepared,
    RiskAssessed,
    StreamUpdated,
    TakedownAcknowledged,
    TakedownRequested,
)

from .records import IncidentRecord, utc

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What the platform told of the stream. Not known: empty, or -1 for a number."""

    shards: tuple[str, ...]
    started: str
    ended: str
    most_viewers: int
    category: str
    region: str
    account_id: str
    account_age_days: int
    previous_streams: int
    viewer_reports: int


@dataclass(frozen=True, slots=True)
class Certainty:
    """How sure the model was, at its surest. The numbers are not odds of a crime.

    Where no assessment is kept any more, the risk is a decision's and the rest is empty.
    """

    risk: float
    """0 to 1."""
    assessed: str
    windows: tuple[str, ...]
    signals: tuple[tuple[str, float], ...]
    """Of each signal its cumulative log-odds, natural logarithm, where there are any."""


@dataclass(frozen=True, slots=True)
class Word:
    """What a person ordered or said of the incident, and what became of it."""

    at: int
    time: str
    operator: str
    command: str
    reason: str
    became: str
    """``applied``, a refusal, or ``no answer on record``."""
    id: str


@dataclass(frozen=True, slots=True)
class Stop:
    """A takedown and the answers to it."""

    takedown_id: str
    requested: str
    by: str
    """An operator, or the policy's name."""
    answers: tuple[str, ...]
    stopped: str
    """When a service first said that it is stopped, by its own clock; empty where none did."""


def stream_facts(record: IncidentRecord) -> StreamFacts:
    """The newest of what is known, and the most viewers there were."""
    updates = record.of(StreamUpdated)
    raised = record.of(EscalationRaised)
    orders = record.of(TakedownRequested)
    return StreamFacts(
        shards=tuple(dict.fromkeys(event.shard_id for event in updates)),
        started=_first(utc(e.updated_at) for e in updates if e.change == "started"),
        ended=_last([utc(e.updated_at) for e in updates if e.change == "ended"], ""),
        most_viewers=max([-1, *(e.viewers for e in updates), *(e.viewers for e in raised)]),
        category=_last([e.category for e in updates], ""),
        region=_last([*(e.region for e in raised), *(e.region for e in updates)], ""),
        account_id=_last([*(e.account_id for e in orders), *(e.account_id for e in updates)], ""),
        account_age_days=_last([e.account_age_days for e in updates], -1),
        previous_streams=_last([e.previous_streams for e in updates], -1),
        viewer_reports=sum(event.change == "reported" for event in updates),
    )


def gravest(record: IncidentRecord) -> RiskAssessed | None:
    """The first assessment with the highest risk; none where none is kept."""
    return max(record.of(RiskAssessed), key=lambda event: event.risk, default=None)


def certainty(record: IncidentRecord) -> Certainty | None:
    """At the highest risk; none where nothing was judged."""
    event = gravest(record)
    if event is not None:
        return Certainty(
            risk=event.risk,
            assessed=utc(event.assessed_at),
            windows=tuple(
                f"{w.hits} of {w.frames} frames in {w.seconds:g} s, {w.coverage:.0%} of it observed"
                for w in event.windows
            ),
            signals=tuple((s.signal, s.log_odds) for s in event.signals),
        )
    raised = max(record.of(EscalationRaised), key=lambda event: event.risk, default=None)
    return None if raised is None else Certainty(raised.risk, utc(raised.raised_at), (), ())


def words(record: IncidentRecord) -> tuple[Word, ...]:
    """What people ordered or said, in order of time, the unanswered orders included."""
    answers = record.of(CommandAnswered)
    answered = {answer.command_id for answer in answers}
    said = [
        _word(e.answered_at, e, "applied" if e.applied else f"refused: {e.refusal}", e.answer_id)
        for e in answers
    ]
    said += [
        _word(e.issued_at, e, "no answer on record", e.command_id)
        for e in record.of(OperatorCommanded)
        if e.command_id not in answered
    ]
    return tuple(sorted(said, key=lambda word: (word.at, word.id)))


def verdicts(record: IncidentRecord) -> tuple[Word, ...]:
    """Of ``words``, those by which a person said whether it is real, and that took effect."""
    return tuple(
        word
        for word in words(record)
        if word.command in (Command.VERDICT_TRUE, Command.VERDICT_FALSE)
        and word.became == "applied"
    )


def confirmed_by(record: IncidentRecord) -> tuple[str, ...]:
    """The people who said that it is real and were not contradicted since."""
    said = verdicts(record)
    standing = [word.operator for word in said if word.command == Command.VERDICT_TRUE]
    if said and said[-1].command == Command.VERDICT_FALSE:
        return ()
    referred = [event.operator for event in record.of(ReferralPrepared) if event.operator]
    return tuple(dict.fromkeys([*standing, *referred]))


def stops(record: IncidentRecord) -> tuple[Stop, ...]:
    """Each takedown once, in order of time."""
    return tuple(_stop(record, order) for order in record.of(TakedownRequested))


def _stop(record: IncidentRecord, order: TakedownRequested) -> Stop:
    answers = [
        event for event in record.of(TakedownAcknowledged) if event.takedown_id == order.takedown_id
    ]
    return Stop(
        takedown_id=order.takedown_id,
        requested=utc(order.requested_at),
        by=order.operator or order.policy,
        answers=tuple(
            f"{event.service}: {event.outcome}, {utc(event.acknowledged_at)}" for event in answers
        ),
        stopped=_first(utc(e.acknowledged_at) for e in answers if e.outcome == "stopped"),
    )


def _word(at: int, event: CommandAnswered | OperatorCommanded, became: str, id_: str) -> Word:
    return Word(at, utc(at), event.operator, event.command, event.reason, became, id_)


def _first(values: Iterable[str]) -> str:
    return next(iter(values), "")


def _last(values: Sequence[T], unknown: T) -> T:
    """The last of ``values`` that is known."""
    return next((value for value in reversed(values) if value != unknown), unknown)
