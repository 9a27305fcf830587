"""Firebreak's wire contracts: the events, their Avro schemas, framing, headers, ids and topics.

Producers of frames and consumers of decisions install this alone, as ``firebreak-schemas``::

    codec = Codec()
    event = codec.decode(message.value(), TakedownRequested)
"""

from . import topics
from .codec import Codec, EventUnreadable, SchemaUnknown
from .headers import CloudEvent, read_header, read_traceparent, write_headers
from .ids import derive_id
from .records import (
    EVENT_TYPES,
    MICROSECONDS,
    BundlesDisagreed,
    Detection,
    DetectionsMade,
    EscalationRaised,
    Event,
    EventDeadLettered,
    FrameRef,
    FrameSampled,
    RiskAssessed,
    StreamUpdated,
    TakedownRequested,
    WindowSummary,
)

__all__ = [
    "EVENT_TYPES",
    "MICROSECONDS",
    "BundlesDisagreed",
    "CloudEvent",
    "Codec",
    "Detection",
    "DetectionsMade",
    "EscalationRaised",
    "Event",
    "EventDeadLettered",
    "EventUnreadable",
    "FrameRef",
    "FrameSampled",
    "RiskAssessed",
    "SchemaUnknown",
    "StreamUpdated",
    "TakedownRequested",
    "WindowSummary",
    "derive_id",
    "read_header",
    "read_traceparent",
    "topics",
    "write_headers",
]
