"""The decisions of one partition: every event that can change what is decided goes in here. Pure.

The partition's time, ``now``, comes with the ``StreamsHeard`` that aggregation writes at each tick;
an event before the first of these is its own time.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from schemas import (
    Event,
    OperatorCommanded,
    RiskAssessed,
    StreamsHeard,
    StreamUpdated,
    TakedownAcknowledged,
)

from .controls import Controls
from .heard import take_heard
from .policies import Policies
from .situation import Situation
from .turn import Outcome, Turn
from .watching import Key


@dataclass(slots=True)
class PartitionDecisions(Situation):
    """The sessions of one partition, and what time it is there."""

    def take(
        self,
        event: Event,
        policies: Policies,
        controls: Controls,
        done: Collection[Key] = frozenset(),
    ) -> Outcome:
        """Take in ``event``; sessions in ``done`` have had it already."""
        turn = Turn(self, policies, controls)
        match event:
            case RiskAssessed():
                turn.risk(event)
            case StreamsHeard():
                take_heard(turn, event, done)
            case StreamUpdated():
                turn.update(event)
            case TakedownAcknowledged():
                turn.acknowledge(event)
            case OperatorCommanded():
                turn.command(event)
        return turn.outcome
