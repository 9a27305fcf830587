"""What a worker holds of each partition that it decides about: its memory and its shadow."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field

from schemas import Event, RiskAssessed, StreamUpdated, TakedownAcknowledged

from ..dead_letters import Coordinates
from .controls import Controls
from .policies import Policies
from .shadow import Shadow
from .state_log import IsMember, PartitionMemory, StateLog
from .turn import Outcome


@dataclass(slots=True)
class Held:
    """One partition."""

    memory: PartitionMemory
    shadow: Shadow = field(default_factory=Shadow)

    async def take(
        self, source: Coordinates, event: Event, policies: Policies, controls: Controls
    ) -> tuple[Outcome, list[Event]]:
        """What follows from the record at ``source``, and all that is to be published: what it had
        asked for before, where that may not be out, and a difference of the policy on trial, last.

        What is remembered of it is with the brokers when this returns. Raises ``PartitionLost``.
        """
        memory, topic, offset, at = self.memory, source.topic, source.offset, source.appended_at
        done = memory.done(topic, offset)
        again = memory.effects_of(topic, offset)
        outcome = Outcome()
        match event:
            case RiskAssessed() | StreamUpdated() | TakedownAcknowledged() if (
                event.stream_id,
                event.session_id,
            ) in done:
                pass
            case _:
                outcome = memory.decisions.take(event, policies, controls, done, at)
        await memory.remember(topic, offset, outcome)
        differs = self.shadow.follow(event, outcome, memory.decisions, policies, controls, at=at)
        return outcome, [*again, *outcome.effects, *([differs] if differs else [])]


@dataclass(slots=True)
class Memories:
    """All partitions of a worker."""

    log: StateLog
    _held: dict[int, Held] = field(default_factory=dict)

    def of(self, partition: int) -> Held:
        if partition not in self._held:
            self._held[partition] = Held(PartitionMemory(self.log, partition))
        return self._held[partition]

    @property
    def sessions(self) -> int:
        """How many there is something to remember of."""
        return sum(len(held.memory.decisions.sessions) for held in self._held.values())

    async def hand_over(self, partitions: Collection[int], is_member: IsMember) -> None:
        """The worker has ``partitions`` now and no others.

        While they were elsewhere, others may have decided. Read one by one, each with its first
        event, the pasts of all would add up to seconds in which nothing is decided.
        """
        for gone in self._held.keys() - set(partitions):
            del self._held[gone]
        await asyncio.gather(*(self.of(number).memory.reload(is_member) for number in partitions))
