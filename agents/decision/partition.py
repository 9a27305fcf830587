"""The decisions of one partition: every event that can change what is decided goes in here. Pure.

The partition's time, ``now``, comes with the ``StreamsHeard`` that aggregation writes at each tick.
Any other event happens when the brokers took it: what is decided follows from the records, and not
from how those of several topics came in between each other. Where that is not known, as in a
backtest, it happens at the partition's time, and before the first tick at its own.
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
        at: int = -1,
    ) -> Outcome:
        """Take in ``event``, which the brokers took ``at`` that time (-1: not known); sessions in
        ``done`` have had it already."""
        # A tick is its own time.
        turn = Turn(self, policies, controls, -1 if isinstance(event, StreamsHeard) else at)
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
