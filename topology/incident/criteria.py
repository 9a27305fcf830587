"""The four criteria of the Content Incident Protocol, with what is known of each. Pure.

The protocol is the one by which members of the Global Internet Forum to Counter Terrorism (GIFCT)
share hashes of an attacker's video with each other. Its four criteria are as GIFCT published them
with its framework of 2021, and all have to be met; see ``SOURCES``. In 2025 GIFCT retired it for a
framework whose "Perpetrator Content Incident" covers the same ground, so whoever passes an
incident on has to look up what is asked for then.

Whether a criterion is met is never said here: a model has seen pictures, and people decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from agents.decision.commands import Command
from schemas import EscalationRaised, Event, SignalSummary, StreamUpdated

from .findings import gravest, stream_facts, verdicts
from .records import IncidentRecord, utc

FORMAT = "firebreak-criteria/1"

SOURCES = (
    {
        "states": "the four criteria",
        "url": "https://gifct.org/2022/06/23/debrief-cip-activation-buffalo",
    },
    {
        "states": "that all four must be met, and that no one member decides it",
        "url": "https://gifct.org/content-incident-protocol",
    },
    {
        "states": "that it is retired, and what took its place",
        "url": "https://gifct.org/incident-response-activity",
    },
)

_CURRENCY = (
    "These are the criteria of GIFCT's framework of 2021. GIFCT retired the protocol in 2025; its "
    "Perpetrator Content Incident took its place. Look up what is in force."
)
_ASSESSMENT = (
    "None is made. The records say what a model saw, what the platform told and what people said; "
    "whether a criterion is met is for people to decide."
)


@dataclass(frozen=True, slots=True)
class Known:
    """One thing that the records say, and the record that says it."""

    statement: str
    event: str
    id: str


@dataclass(frozen=True, slots=True)
class Criterion:
    """``met`` is always none, which in JSON is null: nobody has said so here."""

    criterion: str
    known: tuple[Known, ...]
    not_known: tuple[str, ...]
    met: None = None


def criteria(record: IncidentRecord) -> dict[str, Any]:
    """``criteria.json``."""
    return {
        "format": FORMAT,
        "incident_id": record.incident_id,
        "drill": record.drill,
        "protocol": "GIFCT Content Incident Protocol",
        "sources": list(SOURCES),
        "currency": _CURRENCY,
        "assessment": _ASSESSMENT,
        "criteria": msgspec.to_builtins(
            (_attack(record), _perpetrator(record), _murder(record), _platform(record))
        ),
    }


def _attack(record: IncidentRecord) -> Criterion:
    return Criterion(
        "A terrorist attack or other mass violence is going on offline.",
        (*_drill(record), *_verdicts(record)),
        (
            "Whether an attack goes on anywhere: the records hold nothing from outside the stream.",
            "Who is behind it, and whether it is terrorism.",
        ),
    )


def _perpetrator(record: IncidentRecord) -> Criterion:
    live = [
        _known(f"The stream was live: {event.change} at {utc(event.updated_at)}.", event)
        for event in record.of(StreamUpdated)
        if event.change in ("started", "ended")
    ]
    return Criterion(
        "The perpetrator or an accomplice made the video, live-streamed or recorded.",
        (*live, *_signal(record, "first_person", "seen through the eyes of who films")),
        (
            "Who films, and whether they take part.",
            "Whether a camera films this now: a recording, a film or a game can be streamed too.",
        ),
    )


def _murder(record: IncidentRecord) -> Criterion:
    return Criterion(
        "The video shows murder or attempted murder.",
        (
            *_signal(record, "firearm", "a firearm"),
            *_signal(record, "fictional", "a game or a film"),
            *_signal(record, "known_content", "content known from an earlier attack"),
            *_verdicts(record),
        ),
        ("Whether anybody is attacked: the model looks for firearms, and knows no violence.",),
    )


def _platform(record: IncidentRecord) -> Criterion:
    most = stream_facts(record).most_viewers
    told: tuple[StreamUpdated | EscalationRaised, ...] = (
        *record.of(StreamUpdated),
        *record.of(EscalationRaised),
    )
    seen = [
        _known(f"It was streamed on this platform; the most viewers told of are {most}.", event)
        for event in told
        if event.viewers == most >= 0
    ]
    return Criterion(
        "It is on a platform of a GIFCT member, or so widespread that it will get to one.",
        (*seen[:1], *_signal(record, "known_content", "content known from an earlier attack")),
        (
            "Whether this platform is a member's.",
            "Whether there are copies elsewhere, and how many have seen those.",
        ),
    )


def _drill(record: IncidentRecord) -> tuple[Known, ...]:
    if not record.drill:
        return ()
    statement = "Whoever sent the frames marked them as a drill, an exercise."
    return (_known(statement, record.effects[0]),)


def _verdicts(record: IncidentRecord) -> tuple[Known, ...]:
    return tuple(
        Known(
            f"Operator {word.operator} said at {word.time} that it is "
            f"{'real' if word.command == Command.VERDICT_TRUE else 'not real'}: {word.reason}",
            "CommandAnswered",
            word.id,
        )
        for word in verdicts(record)
    )


def _signal(record: IncidentRecord, signal: str, meaning: str) -> tuple[Known, ...]:
    """What the model saw of ``signal`` when the risk was highest, in its longest window."""
    event = gravest(record)
    if event is None or not event.windows:
        return ()
    longest = max(event.windows, key=lambda window: window.seconds)
    summaries = {summary.signal: summary for summary in longest.signals}
    # Assessments of before there were summaries by signal tell of firearms alone.
    summaries.setdefault("firearm", SignalSummary("firearm", longest.hits, 0, longest.mean))
    if signal not in summaries:
        return ()
    found = summaries[signal]
    statement = (
        f"When the risk was highest, the model took {found.hits} of {longest.frames} frames "
        f"within {longest.seconds:g} s for {meaning}; mean score {found.mean:.2f}."
    )
    return (_known(statement, event),)


def _known(statement: str, event: Event) -> Known:
    return Known(statement, type(event).__name__, event.id)
