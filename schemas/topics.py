"""Names of the topics. Each carries one event, keyed by ``stream_id`` unless said otherwise."""

from __future__ import annotations

FRAME_SAMPLES = "firebreak.frame-samples.v1"
STREAM_UPDATES = "firebreak.stream-updates.v1"
ACKNOWLEDGEMENTS = "firebreak.acknowledgements.v1"
"""What takedown services say they did."""
OPERATOR_COMMANDS = "firebreak.operator-commands.v1"
"""Keyed by stream, or by scope where one is commanded."""
TICKS = "firebreak.ticks.v1"
"""Written to every partition, about once a second, by whoever works on it."""
DETECTIONS = "firebreak.detections.v1"
"""Keyed by the frame samples' partition, and written to the partition of the same number."""
RISK = "firebreak.risk.v1"
HEARD = "firebreak.heard.v1"
"""Which streams' frames are judged; written to the partition that it is about."""
COUNTED = "firebreak.counted.v1"
"""How many streams are live, at risk and unwatched; written to the partition that it is about."""
TAKEDOWNS = "firebreak.takedowns.v1"
ESCALATIONS = "firebreak.escalations.v1"
SAMPLING = "firebreak.sampling.v1"
REFERRALS = "firebreak.referrals.v1"
REVERSALS = "firebreak.reversals.v1"
CLOSURES = "firebreak.closures.v1"
ANSWERS = "firebreak.answers.v1"
"""What became of each operator's command; keyed like the command."""
DISAGREEMENTS = "firebreak.disagreements.v1"
"""Where a shadow bundle judges otherwise; nothing is decided by it."""
POLICY_DISAGREEMENTS = "firebreak.policy-disagreements.v1"
"""Where a shadow policy would decide otherwise; nothing is done about it."""
UNWATCHED = "firebreak.unwatched.v1"
BREAKER = "firebreak.breaker.v1"
"""Each trip of the breaker; one key."""
ALERTS = "firebreak.alerts.v1"
"""Keyed by what the alert is about."""
SHED = "firebreak.shed.v1"
"""Frames that were not judged; keyed by the frames' partition, in the partition of that number."""
DEAD_LETTERS = "firebreak.dead-letters.v1"
"""Keyed by the coordinates of the record that failed."""
REDRIVES = "firebreak.redrives.v1"
"""Which dead letters' records were put back; keyed like the dead letter."""
EVIDENCE_VIEWS = "firebreak.evidence-views.v1"
"""Who looked at which evidence; keyed by stream, or by incident where one was exported."""
WORKERS = "firebreak.workers.v1"
"""What every worker says of itself; keyed by the id that its process made up."""

DRILLS = "firebreak.drills.v1"
"""Who started which drill, and who stopped it; keyed by the drill's stream."""

TOPIC_OF: dict[str, str] = {
    "FrameSampled": FRAME_SAMPLES,
    "StreamUpdated": STREAM_UPDATES,
    "TakedownAcknowledged": ACKNOWLEDGEMENTS,
    "OperatorCommanded": OPERATOR_COMMANDS,
    "Ticked": TICKS,
    "DetectionsMade": DETECTIONS,
    "RiskAssessed": RISK,
    "StreamsHeard": HEARD,
    "StreamsCounted": COUNTED,
    "TakedownRequested": TAKEDOWNS,
    "EscalationRaised": ESCALATIONS,
    "SamplingBoostRequested": SAMPLING,
    "ReferralPrepared": REFERRALS,
    "DecisionReversed": REVERSALS,
    "IncidentClosed": CLOSURES,
    "CommandAnswered": ANSWERS,
    "BundlesDisagreed": DISAGREEMENTS,
    "PoliciesDisagreed": POLICY_DISAGREEMENTS,
    "StreamUnwatched": UNWATCHED,
    "BreakerTripped": BREAKER,
    "AlertRaised": ALERTS,
    "FramesShed": SHED,
    "EventDeadLettered": DEAD_LETTERS,
    "EventRedriven": REDRIVES,
    "EvidenceViewed": EVIDENCE_VIEWS,
    "WorkerReported": WORKERS,
    "DrillOrdered": DRILLS,
}
"""The topic of each event, by the event's name."""

DECISION_STATES = "firebreak.decision-states.v1"
"""What the decision agent remembers, compacted. Its records are nobody's contract."""

ALL = frozenset({*TOPIC_OF.values(), DECISION_STATES})
