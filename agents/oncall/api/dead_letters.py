"""Dead letters: which there are, one with what may be shown of its record, and redriving."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from schemas import EventRedriven

from ..access.roles import Permission
from ..asking import name_of
from ..bounds import ID_CHARACTERS, TEXT_CHARACTERS
from ..desk import Desk
from ..forms import read_reason
from ..letters import Letter, Wanted
from ..pages.topology import letter_at
from ..ports import Unavailable
from ..previews import Preview
from ..redriving import MOST_AT_ONCE, NotPutBack, RedriveOrder
from .operations import AnyOperation, Call, NothingAsked, Operation
from .problems import Wrong, invalid, not_found, unavailable
from .words import Handle, OrderId

LETTERS_TOLD = 200
TAG = "dead letters"
LetterId = Annotated[str, Meta(min_length=1, max_length=ID_CHARACTERS)]
_Chosen = Annotated[str, Meta(max_length=ID_CHARACTERS)]


class LettersAsked(msgspec.Struct, frozen=True):
    """Which letters: those of all that is given."""

    cause: _Chosen = ""
    topic: _Chosen = ""
    stream: Annotated[Handle, Meta()] | msgspec.UnsetType = msgspec.UNSET


class OfLetter(msgspec.Struct, frozen=True):
    """One letter."""

    letter: LetterId


class RedriveAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which records to put back, and why. Asked again under the same id, it is one order."""

    letters: Annotated[list[LetterId], Meta(min_length=1, max_length=MOST_AT_ONCE)]
    reason: Annotated[str, Meta(min_length=1, max_length=TEXT_CHARACTERS)]
    order_id: OrderId


class LetterTold(msgspec.Struct, frozen=True):
    """A dead letter. Times are Kafka's."""

    dead_letter_id: str
    topic: str
    partition: int
    offset: int
    appended_at: int
    agent: str
    cause: str
    detail: str
    stream_id: str
    attempt: int
    stream_handle: str
    buried_at: int
    redrivable: bool
    redriven: EventRedriven | None


class LettersTold(msgspec.Struct, frozen=True):
    """The newest letters, newest first."""

    by_cause: dict[str, int]
    redriven: int
    """How many records were put back, of all."""
    found: int
    letters: list[LetterTold]


class RecordTold(msgspec.Struct, frozen=True):
    """A letter, and what may be shown of its record."""

    letter: LetterTold
    record: Preview


class PutBackTold(msgspec.Struct, frozen=True):
    """What became of an order's letters."""

    order_id: str
    redriven: int
    gone: int
    """Kafka does not keep their records any more."""
    left: int
    """Were put back before, or failed too often."""


def operations(desk: Desk) -> list[AnyOperation]:
    """Two to read, and redriving."""

    async def letters(call: Call[LettersAsked, None]) -> LettersTold:
        known, asked = desk.read_model.letters, call.asked
        stream = "" if asked.stream is msgspec.UNSET else asked.stream
        found = known.wanted(Wanted(asked.cause, asked.topic, stream))
        return LettersTold(
            by_cause=dict(known.by_cause),
            redriven=known.redriven,
            found=len(found),
            letters=[_told(it) for it in found[:LETTERS_TOLD]],
        )

    async def record(call: Call[OfLetter, None]) -> RecordTold:
        letter = letter_at(desk, call.visit)
        try:
            return RecordTold(_told(letter), await desk.dead_letters.preview(letter))
        except Unavailable as error:
            raise unavailable(str(error)) from None

    async def redrive(call: Call[NothingAsked, RedriveAsked]) -> PutBackTold:
        asked = call.body
        reason, wrong = read_reason({"reason": asked.reason})
        if wrong:
            raise invalid([Wrong(wrong, pointer="#/reason")])
        found = [desk.read_model.letters.get(it) for it in dict.fromkeys(asked.letters)]
        known = [it for it in found if it is not None]
        if len(known) < len(found):
            raise not_found("dead letter")
        order = RedriveOrder(asked.order_id, name_of(call.visit), reason, known)
        try:
            done = await desk.dead_letters.put_back(order)
        except NotPutBack as error:
            raise unavailable(str(error)) from None
        return PutBackTold(asked.order_id, done.redriven, done.gone, done.left)

    where = "/api/v1/dead-letters"
    return [
        Operation(
            "listDeadLetters",
            "GET",
            where,
            Permission.VIEW,
            "What could not be processed, and why.",
            TAG,
            LettersTold,
            LettersAsked,
            letters,
        ),
        Operation(
            "getDeadLetter",
            "GET",
            f"{where}/{{letter}}",
            Permission.EVIDENCE,
            "One dead letter, with what may be shown of its record.",
            TAG,
            RecordTold,
            OfLetter,
            record,
            refuses=(HTTPStatus.SERVICE_UNAVAILABLE,),
        ),
        Operation(
            "redriveDeadLetters",
            "POST",
            f"{where}/redrive",
            Permission.CONTROL,
            "Put records back where they came from, each once however often it is asked.",
            TAG,
            PutBackTold,
            NothingAsked,
            redrive,
            RedriveAsked,
            refuses=(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
        ),
    ]


def _told(letter: Letter) -> LetterTold:
    told: dict[str, Any] = msgspec.structs.asdict(letter.event)
    del told["key"]
    return LetterTold(
        **told,
        stream_handle=letter.handle,
        buried_at=letter.buried_at,
        redrivable=letter.redrivable,
        redriven=letter.redriven,
    )
