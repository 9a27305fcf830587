"""Names of the topics. Each carries one event, keyed by ``stream_id`` unless said otherwise."""

from __future__ import annotations

FRAME_SAMPLES = "firebreak.frame-samples.v1"
STREAM_UPDATES = "firebreak.stream-updates.v1"
DETECTIONS = "firebreak.detections.v1"
"""Keyed by the frame samples' partition, and written to the partition of the same number."""
RISK = "firebreak.risk.v1"
TAKEDOWNS = "firebreak.takedowns.v1"
ESCALATIONS = "firebreak.escalations.v1"
DISAGREEMENTS = "firebreak.disagreements.v1"
"""Where a shadow bundle judges otherwise; nothing is decided by it."""
DEAD_LETTERS = "firebreak.dead-letters.v1"
"""Keyed by the coordinates of the record that failed."""

TOPIC_OF: dict[str, str] = {
    "FrameSampled": FRAME_SAMPLES,
    "StreamUpdated": STREAM_UPDATES,
    "DetectionsMade": DETECTIONS,
    "RiskAssessed": RISK,
    "TakedownRequested": TAKEDOWNS,
    "EscalationRaised": ESCALATIONS,
    "BundlesDisagreed": DISAGREEMENTS,
    "EventDeadLettered": DEAD_LETTERS,
}
"""The topic of each event, by the event's name."""

DECISION_STATES = "firebreak.decision-states.v1"
"""What the decision agent remembers between risks, compacted. Its records are nobody's contract."""

ALL = frozenset({*TOPIC_OF.values(), DECISION_STATES})
