"""All events, by name."""

from __future__ import annotations

from .assessments import DetectionsMade, RiskAssessed, StreamsCounted, StreamsHeard
from .drills import DrillOrdered
from .effects import (
    CommandAnswered,
    DecisionReversed,
    EscalationRaised,
    IncidentClosed,
    ReferralPrepared,
    SamplingBoostRequested,
    TakedownRequested,
)
from .inputs import FrameSampled, OperatorCommanded, StreamUpdated, TakedownAcknowledged, Ticked
from .notices import (
    AlertRaised,
    BreakerTripped,
    BundlesDisagreed,
    EventDeadLettered,
    EventRedriven,
    FramesShed,
    PoliciesDisagreed,
    StreamUnwatched,
)
from .viewing import EvidenceViewed
from .workers import WorkerReported

Event = (
    FrameSampled
    | StreamUpdated
    | TakedownAcknowledged
    | OperatorCommanded
    | Ticked
    | DetectionsMade
    | RiskAssessed
    | StreamsHeard
    | StreamsCounted
    | TakedownRequested
    | EscalationRaised
    | SamplingBoostRequested
    | ReferralPrepared
    | DecisionReversed
    | IncidentClosed
    | CommandAnswered
    | BundlesDisagreed
    | PoliciesDisagreed
    | StreamUnwatched
    | BreakerTripped
    | AlertRaised
    | FramesShed
    | EventDeadLettered
    | EventRedriven
    | EvidenceViewed
    | WorkerReported
    | DrillOrdered
)

_EVENTS: tuple[type[Event], ...] = (
    FrameSampled,
    StreamUpdated,
    TakedownAcknowledged,
    OperatorCommanded,
    Ticked,
    DetectionsMade,
    RiskAssessed,
    StreamsHeard,
    StreamsCounted,
    TakedownRequested,
    EscalationRaised,
    SamplingBoostRequested,
    ReferralPrepared,
    DecisionReversed,
    IncidentClosed,
    CommandAnswered,
    BundlesDisagreed,
    PoliciesDisagreed,
    StreamUnwatched,
    BreakerTripped,
    AlertRaised,
    FramesShed,
    EventDeadLettered,
    EventRedriven,
    EvidenceViewed,
    WorkerReported,
    DrillOrdered,
)

EVENT_TYPES: dict[str, type[Event]] = {event.__name__: event for event in _EVENTS}
