"""What a session's decisions and its risk rest on, and its takedowns, with what became of each.

A reference says where a frame lies and how it scored, and shows nobody: it asks for the same
permission as the pictures, and is not put on record as they are. Pictures are given out by the
pages, and an incident's by its export, each on record.
"""

from __future__ import annotations

import msgspec

from schemas import FrameRef, TakedownAcknowledged

from ..access.roles import Permission
from ..desk import Desk
from ..evidence import cited
from ..past import Past, read_past
from ..takedowns import Asked, takedowns_of
from .operations import AnyOperation, Call, Operation
from .sessions import asked_of
from .words import OfSession

TAG = "streams"


class CitedTold(msgspec.Struct, frozen=True):
    """A frame that something points at."""

    name: str
    """In the addresses of its pictures, beside its stream."""
    session_id: str
    frame: FrameRef
    decided: bool
    """Whether a decision rests on it, and not only a risk."""


class EvidenceTold(msgspec.Struct, frozen=True):
    """The frames, in order of capture."""

    as_of: int
    missing: str
    """Why what is in Kafka could not be read, so that these are only those that the worker keeps;
    empty where it was."""
    evidence: list[CitedTold]


class AnswerTold(msgspec.Struct, frozen=True):
    """What a takedown service said that it did."""

    service: str
    outcome: str
    detail: str
    acknowledged_at: int


class TakedownTold(msgspec.Struct, frozen=True):
    """A takedown, and what became of it."""

    takedown_id: str
    incident_id: str
    session_id: str
    requested_at: int
    operator: str
    """Who ordered it; empty where the policy decided."""
    policy: str
    rule: str
    explanation: str
    risk: float
    drill: bool
    answers: list[AnswerTold]
    """In order; none where no service has answered."""


class TakedownsTold(msgspec.Struct, frozen=True):
    """The takedowns, in order of time."""

    as_of: int
    missing: str
    """As of the evidence."""
    takedowns: list[TakedownTold]


def operations(desk: Desk) -> list[AnyOperation]:
    """Both of a stream's newest session, or of an incident's."""

    async def past_of(call: Call[OfSession, None]) -> Past:
        stream, session = asked_of(desk, call.asked)
        return await read_past(desk, stream, call.visit.now, session)

    async def evidence(call: Call[OfSession, None]) -> EvidenceTold:
        past = await past_of(call)
        found = [
            CitedTold(it.name, it.session[1], it.ref, it.decided)
            for it in cited(past.grounds).values()
        ]
        return EvidenceTold(call.visit.now, past.missing, found)

    async def takedowns(call: Call[OfSession, None]) -> TakedownsTold:
        past = await past_of(call)
        found = [_takedown(it) for it in takedowns_of(past.events)]
        return TakedownsTold(call.visit.now, past.missing, found)

    where = "/api/v1/streams/{handle}"
    return [
        Operation(
            "listEvidence",
            "GET",
            f"{where}/evidence",
            Permission.EVIDENCE,
            "The frames that its decisions and its risk rest on: where each lies, and its score.",
            TAG,
            EvidenceTold,
            OfSession,
            evidence,
        ),
        Operation(
            "listTakedowns",
            "GET",
            f"{where}/takedowns",
            Permission.VIEW,
            "Its takedowns, each with what the services acknowledged.",
            TAG,
            TakedownsTold,
            OfSession,
            takedowns,
        ),
    ]


def _takedown(asked: Asked) -> TakedownTold:
    it = asked.takedown
    return TakedownTold(
        takedown_id=it.takedown_id,
        incident_id=it.incident_id,
        session_id=it.session_id,
        requested_at=it.requested_at,
        operator=it.operator,
        policy=it.policy,
        rule=it.rule,
        explanation=it.explanation,
        risk=it.risk,
        drill=it.drill,
        answers=[_answer(each) for each in asked.answers],
    )


def _answer(it: TakedownAcknowledged) -> AnswerTold:
    return AnswerTold(it.service, it.outcome, it.detail, it.acknowledged_at)
