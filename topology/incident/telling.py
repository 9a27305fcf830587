"""Each event as who did what, and why: in words that need no knowledge of the topology. Pure."""

from __future__ import annotations

from dataclasses import dataclass

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

from .records import utc


@dataclass(frozen=True, slots=True)
class Told:
    """``why`` is empty where none is on record."""

    who: str
    what: str
    why: str


def tell(event: Event) -> Told:
    """Any event of a timeline."""
    match event:
        case StreamUpdated() | StreamUnwatched() | RiskAssessed():
            return _observation(event)
        case OperatorCommanded() | TakedownAcknowledged() | CommandAnswered():
            return _answer(event)
        case _:
            return _effect(event)


def _observation(event: StreamUpdated | StreamUnwatched | RiskAssessed) -> Told:
    match event:
        case StreamUpdated(change="reported"):
            return Told("a viewer", "reported the stream", "")
        case StreamUpdated():
            told = f"stream {event.change}"
            known = "; ".join(_known(event))
            return Told(f"shard {event.shard_id}", f"{told}: {known}" if known else told, "")
        case StreamUnwatched():
            what = "watched again" if event.watched_again else "unwatched: frames are not judged"
            return Told("decision", what, f"{event.reason} since {utc(event.since)}")
    windows = "; ".join(
        f"{w.hits} of {w.frames} frames in {w.seconds:g} s" for w in event.windows if w.hits
    )
    return Told(f"model {event.bundle}", f"risk {event.risk:.3f}", windows)


def _answer(event: OperatorCommanded | TakedownAcknowledged | CommandAnswered) -> Told:
    match event:
        case OperatorCommanded():
            until = f" until {utc(event.until)}" if event.until else ""
            return Told(_operator(event.operator), f"ordered {event.command}{until}", event.reason)
        case TakedownAcknowledged():
            what = f"answered the takedown: {event.outcome}"
            return Told(f"takedown service {event.service}", what, event.detail)
    change = f"{event.state_before} to {event.state_after}"
    what = f"{event.command} took effect, {change}" if event.applied else f"{event.command} refused"
    why = event.refusal or f"ordered by {event.operator}: {event.reason}"
    return Told("decision", what, why)


def _effect(event: Event) -> Told:
    match event:
        case SamplingBoostRequested():
            what = f"asked for {event.frames_per_second:g} frames a second until {utc(event.until)}"
            return Told(f"policy {event.policy}", what, _because(event))
        case EscalationRaised():
            what = f"escalation {event.change}, {event.severity}"
            if event.routes:
                what += f", for {', '.join(event.routes)}"
            if event.answer_by:
                what += f", to be answered by {utc(event.answer_by)}"
            return Told(f"policy {event.policy}", what, _because(event))
        case TakedownRequested() | ReferralPrepared():
            what = "asked for the stream to be stopped"
            if isinstance(event, ReferralPrepared):
                what = f"prepared a referral to {event.recipient}, which a person has to send"
            return Told(_operator(event.operator, event.policy), what, _because(event))
        case DecisionReversed():
            return Told(_operator(event.operator), "took the takedown back", event.reason)
        case IncidentClosed():
            what = f"closed the incident as {event.outcome}"
            return Told(_operator(event.operator, event.policy), what, event.reason)
    raise TypeError(f"{type(event).__name__} has no place in a timeline")


def _known(event: StreamUpdated) -> list[str]:
    known = []
    if event.viewers >= 0:
        known.append(f"{event.viewers} viewers")
    if event.category:
        known.append(f"category {event.category}")
    if event.region:
        known.append(f"region {event.region}")
    return known


def _because(
    event: SamplingBoostRequested | EscalationRaised | TakedownRequested | ReferralPrepared,
) -> str:
    return f"{event.rule}: {event.explanation}"


def _operator(operator: str, policy: str = "") -> str:
    """Who decided: a person where one is named, the policy otherwise."""
    return f"operator {operator}" if operator or not policy else f"policy {policy}"
