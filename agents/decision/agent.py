"""The decision agent: risk, news, answers and orders in; effects out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

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
from ..intake import Intake, coordinates, read
from ..publishing import Outgoing, ProcessUnfit, outgoing
from ..records import Record, Run
from .controls import Controls
from .memories import Memories
from .policies import Policies
from .state_log import StateLog

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
    memories = Memories(state_log)

    async def step(records: Sequence[Record]) -> list[Outgoing]:
        (record,) = records
        source = coordinates(record)
        held = memories.of(source.partition)
        await held.memory.catch_up(source.topic, source.offset)
        told = read(codec, record, _INPUTS[source.topic])
        if isinstance(told, Rejection):
            return [intake.reject(record, told)]
        outcome, effects = await held.take(source, told, policies(), controls)
        for refusal in outcome.refusals:
            intake.count_refused(refusal)
        for effect in outcome.effects:
            intake.count(f"issued {type(effect).__name__}")
        # What is remembered is out before the effects: a replay issues those again, word for word.
        await intake.publish([outgoing(it, source.traceparent, _partition(it)) for it in effects])
        await held.memory.let_go(outcome)
        return []

    async def handed_over(*given: Any, **_: Any) -> None:
        """Until this returns nothing is fetched, and the worker is not ready."""
        _app, assigned = given
        try:
            await memories.hand_over({tp.partition for tp in assigned if tp.topic == topics.RISK})
        except ProcessUnfit as error:
            intake.give_up(error)

    app.on_partitions_assigned.connect(handed_over, weak=False)

    @app.agent(topic, name="decision")
    async def decision_agent(stream: StreamT[Run]) -> None:
        await intake.each(stream, step)


def _partition(event: Event) -> int | None:
    """Counts are written where they are about; all else goes by its key."""
    return event.partition if isinstance(event, StreamsCounted) else None
