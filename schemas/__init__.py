"""Firebreak's wire contracts: the events, their Avro schemas, framing, headers, ids and topics.

Producers of frames and consumers of decisions install this alone, as ``firebreak-schemas``::

    codec = Codec()
    event = codec.decode(message.value(), TakedownRequested)
"""

from . import topics
from .assessments import (
    Detection,
    DetectionsMade,
    RiskAssessed,
    SignalEvidence,
    SignalSummary,
    StreamHeard,
    StreamsCounted,
    StreamsHeard,
    WindowSummary,
)
from .base import MICROSECONDS, FrameRef, Record
from .codec import Codec, EventUnreadable, SchemaUnknown
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
from .headers import (
    ATTEMPT,
    CloudEvent,
    ReadHeaders,
    read_attempt,
    read_header,
    read_traceparent,
    write_headers,
)
from .ids import derive_id
from .inputs import FrameSampled, OperatorCommanded, StreamUpdated, TakedownAcknowledged, Ticked
from .notices import (
    AlertRaised,
    BreakerTripped,
    BundlesDisagreed,
    EventDeadLettered,
    EventRedriven,
    FramesShed,
    PoliciesDisagreed,
    StreamShed,
    StreamUnwatched,
)
from .records import EVENT_TYPES, Event
from .viewing import EvidenceViewed
from .workers import AgentCounted, PartInForce, TopicCounted, WorkerReported

__all__ = [
    "ATTEMPT",
    "EVENT_TYPES",
    "MICROSECONDS",
    "AgentCounted",
    "AlertRaised",
    "BreakerTripped",
    "BundlesDisagreed",
    "CloudEvent",
    "Codec",
    "CommandAnswered",
    "DecisionReversed",
    "Detection",
    "DetectionsMade",
    "DrillOrdered",
    "EscalationRaised",
    "Event",
    "EventDeadLettered",
    "EventRedriven",
    "EventUnreadable",
    "EvidenceViewed",
    "FrameRef",
    "FrameSampled",
    "FramesShed",
    "IncidentClosed",
    "OperatorCommanded",
    "PartInForce",
    "PoliciesDisagreed",
    "ReadHeaders",
    "Record",
    "ReferralPrepared",
    "RiskAssessed",
    "SamplingBoostRequested",
    "SchemaUnknown",
    "SignalEvidence",
    "SignalSummary",
    "StreamHeard",
    "StreamShed",
    "StreamUnwatched",
    "StreamUpdated",
    "StreamsCounted",
    "StreamsHeard",
    "TakedownAcknowledged",
    "TakedownRequested",
    "Ticked",
    "TopicCounted",
    "WindowSummary",
    "WorkerReported",
    "derive_id",
    "read_attempt",
    "read_header",
    "read_traceparent",
    "topics",
    "write_headers",
]
