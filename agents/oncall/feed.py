"""Feeds the read model from the topics, on every worker: each serves the whole picture.

Nothing in it is told for each frame: it would cost every worker as much as judging costs all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.following import Followed, Follower
from schemas import (
    MICROSECONDS,
    AlertRaised,
    BreakerTripped,
    Codec,
    CommandAnswered,
    DecisionReversed,
    DrillOrdered,
    EscalationRaised,
    Event,
    EventDeadLettered,
    EventRedriven,
    EvidenceViewed,
    IncidentClosed,
    OperatorCommanded,
    RiskAssessed,
    SamplingBoostRequested,
    StreamsHeard,
    StreamUnwatched,
    StreamUpdated,
    TakedownAcknowledged,
    TakedownRequested,
    WorkerReported,
    topics,
)

from .audit import GOES_BACK
from .read_model import ReadModel
from .workers import FORGOTTEN_AFTER

_HOUR = 3600 * MICROSECONDS
_STREAMS: tuple[type[Event], ...] = (
    StreamUpdated,
    StreamsHeard,
    RiskAssessed,
    SamplingBoostRequested,
)
_DECISIONS: tuple[type[Event], ...] = (
    TakedownRequested,
    EscalationRaised,
    TakedownAcknowledged,
    OperatorCommanded,
    CommandAnswered,
    DecisionReversed,
    IncidentClosed,
    BreakerTripped,
    EvidenceViewed,
    EventRedriven,
    DrillOrdered,
    AlertRaised,
)
"""What stands until something else is said, and is little."""

FOLLOWED: dict[str, Followed] = {
    topics.TOPIC_OF[event_type.__name__]: Followed(event_type, history)
    for event_types, history in (
        ((WorkerReported,), FORGOTTEN_AFTER),
        (_STREAMS, _HOUR),
        # As long as frames are kept: what most of them are about can't be redriven after that.
        ((EventDeadLettered,), 6 * _HOUR),
        ((StreamUnwatched,), 24 * _HOUR),
        (_DECISIONS, GOES_BACK),
    )
    for event_type in event_types
}


class Feed(Follower):
    """Runs with the Faust app and ends with it. ``kafka`` are aiokafka's connection arguments."""

    def __init__(
        self, read_model: ReadModel, codec: Codec, kafka: Mapping[str, Any], **service: Any
    ) -> None:
        super().__init__(
            "the on-call feed", FOLLOWED, read_model.apply, codec, kafka, committed=True, **service
        )
