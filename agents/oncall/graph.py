"""The topology as data: which agent takes, follows and writes which topic. Pure.

A test holds it to what the apps of both roles consume and follow, and to what ``deploy/acls.yaml``
lets them write.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas import topics

ON_CALL = "on-call"


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent, and its topics in the order of the way of the data."""

    name: str
    role: str
    """The workers that it runs on."""
    does: str
    takes: tuple[str, ...]
    """Shared out among the workers: each record is one worker's."""
    follows: tuple[str, ...]
    """Read whole by every worker."""
    writes: tuple[str, ...]


AGENTS = (
    Agent(
        name="detection",
        role="detection",
        does="Looks at frames and says what they show.",
        takes=(topics.FRAME_SAMPLES,),
        follows=(topics.RISK,),
        writes=(topics.DETECTIONS, topics.DISAGREEMENTS, topics.SHED, topics.DEAD_LETTERS),
    ),
    Agent(
        name="aggregation",
        role="judgement",
        does="Puts what a stream's frames show together, over windows of time.",
        takes=(topics.DETECTIONS, topics.TICKS),
        follows=(),
        writes=(topics.RISK, topics.HEARD, topics.TICKS, topics.DEAD_LETTERS),
    ),
    Agent(
        name="decision",
        role="judgement",
        does="Decides by the policy and by what people order.",
        takes=(
            topics.RISK,
            topics.HEARD,
            topics.STREAM_UPDATES,
            topics.ACKNOWLEDGEMENTS,
            topics.OPERATOR_COMMANDS,
        ),
        follows=(
            topics.OPERATOR_COMMANDS,
            topics.TAKEDOWNS,
            topics.REVERSALS,
            topics.BREAKER,
            topics.COUNTED,
            topics.DECISION_STATES,
        ),
        writes=(
            topics.TAKEDOWNS,
            topics.ESCALATIONS,
            topics.SAMPLING,
            topics.REFERRALS,
            topics.REVERSALS,
            topics.CLOSURES,
            topics.ANSWERS,
            topics.UNWATCHED,
            topics.BREAKER,
            topics.COUNTED,
            topics.ALERTS,
            topics.POLICY_DISAGREEMENTS,
            topics.DECISION_STATES,
            topics.DEAD_LETTERS,
        ),
    ),
    Agent(
        name=ON_CALL,
        role="judgement",
        does="Shows all of it to people, and takes their orders.",
        takes=(),
        follows=(
            topics.HEARD,
            topics.RISK,
            topics.STREAM_UPDATES,
            topics.TAKEDOWNS,
            topics.ESCALATIONS,
            topics.SAMPLING,
            topics.ACKNOWLEDGEMENTS,
            topics.OPERATOR_COMMANDS,
            topics.ANSWERS,
            topics.REVERSALS,
            topics.CLOSURES,
            topics.UNWATCHED,
            topics.BREAKER,
            topics.ALERTS,
            topics.DEAD_LETTERS,
            topics.REDRIVES,
            topics.EVIDENCE_VIEWS,
            topics.DRILLS,
            topics.WORKERS,
        ),
        writes=(
            topics.OPERATOR_COMMANDS,
            topics.EVIDENCE_VIEWS,
            topics.DRILLS,
            topics.REDRIVES,
        ),
    ),
)
"""In the way of the data. Besides, every worker writes ``firebreak.workers.v1``."""

REDRIVEN_INTO = tuple(dict.fromkeys(topic for agent in AGENTS for topic in agent.takes))
"""Where dead letters' records lie, and are put back to: what agents take, and nothing else."""

FROM_OUTSIDE = {
    topics.FRAME_SAMPLES: "shards",
    topics.STREAM_UPDATES: "shards",
    topics.ACKNOWLEDGEMENTS: "takedown services",
    topics.OPERATOR_COMMANDS: "people",
}
"""Who else writes to a topic: how fast, no worker knows."""

TO_OUTSIDE = {
    topics.TAKEDOWNS: "takedown services",
    topics.REVERSALS: "takedown services",
    topics.SAMPLING: "shards",
    topics.ESCALATIONS: "on-call, reviewers",
    topics.REFERRALS: "police, by people",
}
"""Who else reads a topic."""

SHORT = {topic: topic.removeprefix("firebreak.").rpartition(".v")[0] for topic in topics.ALL}
"""Names to read at a glance."""
