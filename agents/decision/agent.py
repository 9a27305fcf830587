"""The decision agent: risk, news, answers and orders in; effects out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import faust
from faust.types import StreamT

from schemas import (
    Codec,
    Event,
    OperatorCommanded,
    RiskAssessed,
    StreamsCounted,
    StreamsHeard,
    StreamUpdated,
    TakedownAcknowledged,
    topics,
)

from ..dead_letters import Rejection
from ..intake import Intake, Record, coordinates, read
from ..publishing import Outgoing, outgoing
from .controls import Controls
from .policies import Policies
from .shadow import Shadow
from .state_log import PartitionMemory, StateLog
from .turn import Outcome
from .watching import Key

_INPUTS: dict[str, type[Event]] = {
    topics.RISK: RiskAssessed,
    topics.HEARD: StreamsHeard,
    topics.STREAM_UPDATES: StreamUpdated,
    topics.ACKNOWLEDGEMENTS: TakedownAcknowledged,
    topics.OPERATOR_COMMANDS: OperatorCommanded,
}


def register(
    app: faust.App,
    codec: Codec,
    intake: Intake,
    *,
    policies: Callable[[], Policies],
    controls: Controls,
    state_log: StateLog,
) -> None:
    """Put the decision agent on ``app``; ``policies`` are those in force."""
    topic = app.topic(*_INPUTS, value_serializer="raw", key_serializer="raw")
    partitions: dict[int, tuple[PartitionMemory, Shadow]] = {}

    async def step(events: Sequence[Record]) -> list[Outgoing]:
        (event,) = events
        source = coordinates(event)
        memory, shadow = partitions.setdefault(
            source.partition, (PartitionMemory(state_log, source.partition), Shadow())
        )
        place = source.topic, source.offset
        await memory.catch_up(*place)
        told = read(codec, event, _INPUTS[source.topic])
        if isinstance(told, Rejection):
            return [intake.reject(event, told)]
        done = memory.done(*place)
        again = memory.effects_of(*place)
        in_force = policies()
        outcome = _take(memory, told, in_force, controls, done)
        for refusal in outcome.refusals:
            intake.count_refused(refusal)
        # What is remembered is out before the effects: a replay issues those again, word for word.
        await memory.remember(*place, outcome)
        differs = shadow.follow(told, outcome, memory.decisions, in_force, controls)
        effects = [*again, *outcome.effects, *([differs] if differs else [])]
        await intake.publish([outgoing(it, source.traceparent, _partition(it)) for it in effects])
        await memory.let_go(outcome)
        return []

    async def reload(*_: object, **__: object) -> None:
        # While partitions were elsewhere, others may have decided.
        for memory, _shadow in partitions.values():
            memory.reload()

    app.on_partitions_assigned.connect(reload, weak=False)

    @app.agent(topic, name="decision")
    async def decision_agent(stream: StreamT[bytes]) -> None:
        await intake.each(stream, step)


def _take(
    memory: PartitionMemory,
    event: Event,
    policies: Policies,
    controls: Controls,
    done: Collection[Key],
) -> Outcome:
    match event:
        case RiskAssessed() | StreamUpdated() | TakedownAcknowledged():
            if (event.stream_id, event.session_id) in done:
                return Outcome()
    return memory.decisions.take(event, policies, controls, done)


def _partition(event: Event) -> int | None:
    """Counts are written where they are about; all else goes by its key."""
    return event.partition if isinstance(event, StreamsCounted) else None
