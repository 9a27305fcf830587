"""Where the page of one stream has its evidence and its past from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.publishing import Publisher, PublishFailed
from schemas import FrameRef, FrameSampled, RiskAssessed, StreamUpdated

from .ports import (
    Exported,
    ExportIncident,
    History,
    Pixels,
    PolicyNow,
    ReadHistory,
    Session,
    Span,
    TellRules,
    Unavailable,
)
from .viewing import Viewing

_NOWHERE = "this worker has no way to it"


@dataclass(frozen=True, slots=True)
class Sources:
    """What the composition root passes to the pages of streams and incidents."""

    viewing: Viewing
    history: ReadHistory
    rules: TellRules
    export: ExportIncident


def nowhere() -> Sources:
    """Of a view that reaches neither Kafka nor a decoder: it says so wherever it is asked."""
    return Sources(Viewing(_no_frame, _no_picture, _no_publisher), _no_past, _no_rules, _no_export)


async def _no_frame(ref: FrameRef, session: Session) -> FrameSampled:
    raise Unavailable(_NOWHERE)


def _no_picture(frame: FrameSampled, width: int, height: int) -> Pixels:
    raise Unavailable(_NOWHERE)


def _no_publisher() -> Publisher:
    raise PublishFailed(_NOWHERE)


async def _no_past(stream_id: str, span: Span) -> History:
    raise Unavailable(_NOWHERE)


def _no_rules(
    stream_id: str, risk: RiskAssessed | None, updates: Sequence[StreamUpdated]
) -> PolicyNow:
    return PolicyNow("", ())


async def _no_export(incident_id: str) -> Exported:
    raise Unavailable(_NOWHERE)
