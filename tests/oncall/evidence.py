"""What the page of a stream reaches, for tests that say what lies there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from agents.oncall.belonging import belongs_to
from agents.oncall.ports import (
    Exported,
    History,
    Measured,
    NotDecodable,
    Pixels,
    PolicyNow,
    RuleNow,
    Session,
    Span,
    Threshold,
    Unavailable,
)
from agents.oncall.sources import Sources
from agents.oncall.viewing import Viewing
from agents.publishing import Outgoing, PublishFailed
from schemas import Event, EvidenceViewed, FrameRef, FrameSampled, RiskAssessed, StreamUpdated

RULES = PolicyNow(
    "default/3",
    (
        RuleNow(
            "sustained-firearm",
            "takedown",
            True,
            "all",
            (
                Measured("4 of 20 watched half seconds show a firearm (needs at least 4)", True),
                Measured("watched 30% of the last 10 s (needs at least 40%)", False),
            ),
            (Threshold("firearm.mean", 10.0, 0.2, "sustained-firearm"),),
        ),
    ),
)


@dataclass
class EvidenceRoom:
    """Frames by offset, a past, and what was put on record; each can fail."""

    frames: dict[int, FrameSampled] = field(default_factory=dict)
    history: History = field(default_factory=History)
    archive: bytes = b"PK archive"
    veiled_first: bool = True
    history_fails: str = ""
    history_seconds: float = 0.0
    """How long it takes to read the past."""
    export_fails: Exception | None = None
    decode_fails: str = ""
    kafka_away: bool = False
    viewed: list[EvidenceViewed] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    viewing: Viewing = field(init=False)

    def __post_init__(self) -> None:
        self.viewing = Viewing(self.read, self.decode, lambda: self)

    def sources(self) -> Sources:
        return Sources(self.viewing, self.past, self.rules, self.export)

    async def read(self, ref: FrameRef, session: Session) -> FrameSampled:
        found = self.frames.get(ref.offset)
        if found is None:
            raise Unavailable("no longer kept")
        if (found.stream_id, found.session_id) != session:
            raise Unavailable("what lies there now is a frame of another stream or session")
        return found

    def decode(self, frame: FrameSampled, width: int, height: int) -> Pixels:
        if self.decode_fails:
            raise NotDecodable(self.decode_fails)
        return np.full((height, width, 3), (255, 0, 0), np.uint8)

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        if self.kafka_away:
            raise PublishFailed("no broker can be reached")
        for it in outgoing:
            event: Event = it.event
            assert isinstance(event, EvidenceViewed)
            self.viewed.append(event)

    async def past(self, stream_id: str, span: Span) -> History:
        await asyncio.sleep(self.history_seconds)
        if self.history_fails:
            raise Unavailable(self.history_fails)
        self.spans.append(span)
        told = self.history
        belongs = belongs_to(span.session_id, told.events)
        return replace(
            told,
            samples=tuple(it for it in told.samples if span.session_id in ("", it.session_id)),
            risks=tuple(it for it in told.risks if belongs(it)),
            events=tuple(it for it in told.events if belongs(it)),
        )

    def rules(
        self, stream_id: str, risk: RiskAssessed | None, updates: Sequence[StreamUpdated]
    ) -> PolicyNow:
        return RULES

    async def export(self, incident_id: str) -> Exported:
        if self.export_fails is not None:
            raise self.export_fails
        return Exported(self.archive, "stream-1")
