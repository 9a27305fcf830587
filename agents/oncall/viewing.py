"""Giving out pictures of people: who asked, for what and why is on record before they see it.

The brokers have acknowledged an ``EvidenceViewed`` before a picture is given out, and where they do
not, none is. A veiled picture is given to who may see evidence; a plain one, and an export, ask for
a reason besides, which then holds for that person and incident for a while: each view is told of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from agents.publishing import Publisher, PublishFailed, outgoing
from schemas import MICROSECONDS, EvidenceViewed, derive_id

from .bounds import TEXT_CHARACTERS
from .evidence import Cited
from .pictures import Picture, plain, veiled
from .ports import Decode, ReadFrame

REASON_HOLDS = 15 * 60 * MICROSECONDS
SHOWN_BY_DEFAULT = "shown plainly by the organisation's default"
_REASONS = 1_000
_AT_ONCE = 2
_PUBLISH_SECONDS = 10.0


class Kind(StrEnum):
    """What is given out, as ``EvidenceViewed.kind`` says it."""

    VEILED = "veiled"
    PLAIN = "plain"
    EXPORT = "export"


class NotWrittenDown(Exception):
    """It could not be put on record who asked, so nothing is given out."""


class Reasons:
    """What people gave as their reason to see the evidence of an incident, while it holds. Each
    worker knows those that were given to it."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, str], tuple[int, str]] = {}

    def give(self, person: str, incident: str, reason: str, now: int) -> None:
        """``now`` is in microseconds. A reason that is given anew takes the place of the last."""
        self._given.pop((person, incident), None)
        self._given[person, incident] = now + REASON_HOLDS, reason[:TEXT_CHARACTERS]
        if len(self._given) > _REASONS:
            del self._given[next(iter(self._given))]

    def holding(self, person: str, incident: str, now: int) -> str:
        """The reason that holds; empty where none does."""
        until, reason = self._given.get((person, incident), (0, ""))
        return reason if now < until else ""


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for evidence of what, and why."""

    person: str
    incident_id: str
    stream_id: str
    reason: str
    now: int
    """The wall clock, in microseconds."""


class Viewing:
    """Gives out pictures. ``veiled_first`` is the organisation's default."""

    def __init__(
        self,
        read_frame: ReadFrame,
        decode: Decode,
        publisher: Callable[[], Publisher],
        *,
        veiled_first: bool = True,
    ) -> None:
        self.veiled_first = veiled_first
        self.reasons = Reasons()
        self._read_frame = read_frame
        self._decode = decode
        self._publisher = publisher
        self._drawing = asyncio.Semaphore(_AT_ONCE)

    async def picture(self, cited: Cited, kind: Kind, asking: Asking) -> Picture:
        """Raises ``Unavailable``, ``NotDecodable``, ``NotWrittenDown``."""
        frame = await self._read_frame(cited.ref, cited.session)
        async with self._drawing:
            draw = veiled if kind is Kind.VEILED else plain
            picture = await asyncio.to_thread(draw, frame, self._decode)
        await self.write_down(kind, asking, cited)
        return picture

    async def write_down(self, kind: Kind, asking: Asking, cited: Cited | None = None) -> None:
        """Return once it is on record who is given what. Raises ``NotWrittenDown``."""
        view = viewed(kind, asking, cited)
        try:
            async with asyncio.timeout(_PUBLISH_SECONDS):
                await self._publisher().publish([outgoing(view, None)])
        except (PublishFailed, TimeoutError) as error:
            raise NotWrittenDown(str(error) or "no answer in time") from error


def viewed(kind: Kind, asking: Asking, cited: Cited | None) -> EvidenceViewed:
    """The event; without a frame for an export."""
    place = (cited.ref.topic, cited.ref.partition, cited.ref.offset) if cited else ("", -1, -1)
    return EvidenceViewed(
        derive_id("view", asking.person, asking.incident_id, kind, *place, asking.now),
        asking.person,
        asking.incident_id,
        asking.stream_id,
        kind.value,
        asking.reason,
        asking.now,
        *place,
    )
