"""The decision agent: risk, news, answers and orders in; effects out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

import faust
from faust.types import TP, StreamT

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

from ..dead_letters import DeadLetterCause, Rejection
from ..intake import Intake, coordinates, read
from ..publishing import Outgoing, ProcessUnfit, outgoing
from ..records import Record, Run
from .controls import Controls
from .memories import Memories
from .policies import Policies
from .state_log import IsMember, StateLog

_INPUTS: dict[str, type[Event]] = {
    topics.RISK: RiskAssessed,
    topics.HEARD: StreamsHeard,
    topics.STREAM_UPDATES: StreamUpdated,
    topics.ACKNOWLEDGEMENTS: TakedownAcknowledged,
    topics.OPERATOR_COMMANDS: OperatorCommanded,
}
_MOST_BYTES = 16 * 1024
"""Of what comes from outside. Sessions remember ids and people's words, several of each, and what
is remembered must not outgrow what brokers take: there would be no way past such a record."""
_FROM_OUTSIDE = frozenset(
    {topics.STREAM_UPDATES, topics.ACKNOWLEDGEMENTS, topics.OPERATOR_COMMANDS}
)


@dataclass(frozen=True, slots=True)
class Deciding:
    """What others have to do with the agent."""

    sessions: Callable[[], int]
    """How many it remembers something of."""
    hand_over: Callable[[Collection[TP], IsMember], Awaitable[None]]
    """To be awaited before anything is fetched from the partitions that the worker has from now on:
    others may have decided of them meanwhile."""


def register(
    app: faust.App,
    codec: Codec,
    intake: Intake,
    *,
    policies: Callable[[], Policies],
    controls: Controls,
    state_log: StateLog,
) -> Deciding:
    """Put the decision agent on ``app``; ``policies`` are those in force."""
    topic = app.topic(*_INPUTS, value_serializer="raw", key_serializer="raw")
    memories = Memories(state_log)

    async def step(records: Sequence[Record]) -> list[Outgoing]:
        (record,) = records
        source = coordinates(record)
        held = memories.of(source.partition)
        await held.memory.catch_up(source.topic, source.offset)
        told = _read(codec, record)
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

    async def hand_over(partitions: Collection[TP], is_member: IsMember) -> None:
        mine = {tp.partition for tp in partitions if tp.topic == topics.RISK}
        try:
            await memories.hand_over(mine, is_member)
        except ProcessUnfit as error:
            intake.give_up(error)

    @app.agent(topic, name="decision")
    async def decision_agent(stream: StreamT[Run]) -> None:
        await intake.each(stream, step)

    return Deciding(lambda: memories.sessions, hand_over)


def _read(codec: Codec, record: Record) -> Event | Rejection:
    size = len(record.value or b"")
    if size > _MOST_BYTES and record.topic in _FROM_OUTSIDE:
        detail = f"{size} bytes, at most {_MOST_BYTES} are allowed"
        return Rejection(DeadLetterCause.EVENT_TOO_LARGE, detail)
    return read(codec, record, _INPUTS[record.topic])


def _partition(event: Event) -> int | None:
    """Counts are written where they are about; all else goes by its key."""
    return event.partition if isinstance(event, StreamsCounted) else None
