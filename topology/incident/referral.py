"""What the police would need to know of an incident, and what nobody knows. Pure.

Where the law asks for it, and where a life is in danger, platforms tell the police of their own
accord. What helps then: what was seen and when, on which stream, what was done, what there is as
evidence and how it can be checked, who has confirmed it, and how sure it is. What is not known is
said as plainly, so that nobody reads more into it. A person reads it and sends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from schemas import EscalationRaised, ReferralPrepared, TakedownRequested

from .evidence import Frame
from .findings import (
    StreamFacts,
    certainty,
    confirmed_by,
    stops,
    stream_facts,
    verdicts,
)
from .records import IncidentRecord, utc

FORMAT = "firebreak-referral/1"

_NOTICE = "Nothing sends this by itself. A person has to read it, complete it and send it."
_WHAT = (
    "A live stream that was put before people as a possible armed attack, filmed by an attacker. "
    "The reasons are below, in the words in which they were recorded."
)
_REGION = (
    "The region is the one that the platform has for the stream or its account. It is not the "
    "place where the pictures were taken, which is not known."
)
_CERTAINTY = (
    "The risk is a model's, from 0 to 1, at its highest. It says how much the pictures resemble "
    "what the model was trained on, and it is not the probability of a crime."
)


def referral(record: IncidentRecord, frames: Sequence[Frame]) -> dict[str, Any]:
    """``referral.json``; ``frames`` is the evidence, in order of capture."""
    facts = stream_facts(record)
    surest = certainty(record)
    said = record.of(EscalationRaised) + record.of(TakedownRequested)
    return {
        "format": FORMAT,
        "incident_id": record.incident_id,
        "drill": record.drill,
        "notice": _NOTICE,
        "prepared": _prepared(record),
        "what": _WHAT,
        "reasons": list(dict.fromkeys(f"{event.rule}: {event.explanation}" for event in said)),
        "when": _when(record, frames, facts),
        "where": {"region": facts.region, "statement": _REGION},
        "sessions": [{"stream_id": s, "session_id": n} for s, n in record.sessions],
        "stream": msgspec.to_builtins(facts),
        "takedowns": msgspec.to_builtins(stops(record)),
        "evidence": msgspec.to_builtins(tuple(frames)),
        "policies": [{"policy": name, "digest": digest} for name, digest in record.policies],
        "bundles": [{"bundle": name, "digest": digest} for name, digest in record.bundles],
        "confirmed_by": list(confirmed_by(record)),
        "verdicts": msgspec.to_builtins(verdicts(record)),
        "certainty": {"statement": _CERTAINTY, "at_its_surest": msgspec.to_builtins(surest)},
        "not_known": _not_known(record, frames, facts),
    }


def _prepared(record: IncidentRecord) -> list[dict[str, str]]:
    """For whom the policy or a person had it prepared; empty where nobody did."""
    return [
        {
            "recipient": event.recipient,
            "region": event.region,
            "time": utc(event.prepared_at),
            "by": event.operator or event.policy,
            "referral_id": event.referral_id,
        }
        for event in record.of(ReferralPrepared)
    ]


def _when(
    record: IncidentRecord, frames: Sequence[Frame], facts: StreamFacts
) -> list[dict[str, str]]:
    """The times that matter, each with what it is the time of; those that are known."""
    raised, orders = record.of(EscalationRaised), record.of(TakedownRequested)
    times = [
        ("the stream started", facts.started),
        ("first frame of the evidence", frames[0].captured if frames else ""),
        ("last frame of the evidence", frames[-1].captured if frames else ""),
        ("first put before people", utc(raised[0].raised_at) if raised else ""),
        ("first asked to be stopped", utc(orders[0].requested_at) if orders else ""),
        *((f"confirmed as stopped ({s.takedown_id})", s.stopped) for s in stops(record)),
        ("the stream ended", facts.ended),
    ]
    return [{"what": what, "time": time} for what, time in times if time]


def _not_known(record: IncidentRecord, frames: Sequence[Frame], facts: StreamFacts) -> list[str]:
    unknown = [
        "Who is seen and who films. Firebreak recognises nobody and holds no names.",
        "Where the pictures were taken.",
        "Whether anybody was hurt: the model looks for firearms, and knows no violence.",
        "Whether the pictures are of now. A recording, a film or a game can be streamed too.",
    ]
    if not confirmed_by(record):
        unknown.append("Whether it is real: no person has confirmed it, as far as the records go.")
    if not facts.region:
        unknown.append("Which region the stream or its account belongs to.")
    if not facts.account_id:
        unknown.append("Under which account it was streamed: the platform has to look it up.")
    if not record.of(TakedownRequested):
        unknown.append("Whether the stream goes on: nobody asked for it to be stopped.")
    elif not any(stop.stopped for stop in stops(record)):
        unknown.append("Whether the stream was stopped: no service has confirmed it.")
    gone = sum(not frame.file for frame in frames)
    if gone:
        unknown.append(f"What {gone} of {len(frames)} frames of evidence showed: they are gone.")
    if record.partly_drill:
        unknown.append("Whether it is a drill: some decisions are marked as one, and some are not.")
    if len(record.sessions) > 1:
        unknown.append("Whether the streams of this incident are one person's: it spans several.")
    return unknown
