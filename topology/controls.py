"""Feeds the controls of a worker from all partitions, so that every worker holds back alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.decision.accounts import KEPT
from agents.decision.controls import Controls
from agents.decision.policies import Policies
from agents.following import Followed, Follower
from schemas import (
    MICROSECONDS,
    BreakerTripped,
    Codec,
    DecisionReversed,
    OperatorCommanded,
    StreamsCounted,
    TakedownRequested,
    topics,
)

_COUNTS_MATTER = 60 * MICROSECONDS
"""A count that is older says nothing of now (``agents.decision.breaker``)."""


class ControlsFollower(Follower):
    """Runs with the Faust app and ends with it.

    While it has not read all that lay in the topics at a moment of the last seconds, its
    ``controls`` hold takedowns back: the breaker may be open, or a kill switch in force, and nobody
    here would know. ``policies`` say how far back that may have been ordered; ``kafka`` are
    aiokafka's connection arguments.
    """

    def __init__(
        self, policies: Policies, codec: Codec, kafka: Mapping[str, Any], **service: Any
    ) -> None:
        self.controls = Controls(known=lambda: self.fresh)
        in_force = [it for it in (policies.live, policies.canary) if it is not None]
        ordered = max(it.longest_override for it in in_force)
        taken_down = max(KEPT, *(it.breaker.within for it in in_force))
        lasting = max(ordered, taken_down, *(it.breaker.lasts for it in in_force))
        super().__init__(
            "the controls",
            {
                topics.OPERATOR_COMMANDS: Followed(OperatorCommanded, ordered),
                topics.TAKEDOWNS: Followed(TakedownRequested, taken_down),
                topics.REVERSALS: Followed(DecisionReversed, taken_down),
                topics.BREAKER: Followed(BreakerTripped, lasting),
                topics.COUNTED: Followed(StreamsCounted, _COUNTS_MATTER),
            },
            self.controls.apply,
            codec,
            kafka,
            **service,
        )
