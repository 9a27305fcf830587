"""The decision agent: risk in, takedowns and escalations out."""

from __future__ import annotations

from collections.abc import Sequence

import faust
from faust.types import StreamT

from schemas import Codec, RiskAssessed, TakedownRequested, topics

from ..dead_letters import Coordinates, Rejection
from ..intake import Intake, Record, coordinates, read
from ..publishing import Outgoing
from .machine import Effect, decide
from .policy import Policy
from .state_log import PartitionDecisions, StateLog


def register(
    app: faust.App, codec: Codec, policy: Policy, state_log: StateLog, intake: Intake
) -> None:
    """Put the decision agent on ``app``."""
    topic = app.topic(topics.RISK, value_serializer="raw", key_serializer="raw")
    partitions: dict[int, PartitionDecisions] = {}

    async def step(events: Sequence[Record]) -> list[Outgoing]:
        (event,) = events
        source = coordinates(event)
        decisions = partitions.setdefault(
            source.partition, PartitionDecisions(state_log, source.partition)
        )
        await decisions.catch_up(source.offset)
        risk = read(codec, event, RiskAssessed)
        if isinstance(risk, Rejection):
            return [intake.reject(event, risk)]
        decision = decide(policy, decisions.known(risk.stream_id, risk.session_id), risk)
        if decision.refusal:
            intake.count_refused(decision.refusal)
        # Effects leave before the state that would make a replay pass over them.
        await intake.publish([_outgoing(effect, source) for effect in decision.effects])
        await decisions.remember(risk.stream_id, risk.session_id, decision.state)
        return []

    @app.agent(topic, name="decision")
    async def decision_agent(stream: StreamT[bytes]) -> None:
        await intake.each(stream, step)


def _outgoing(effect: Effect, source: Coordinates) -> Outgoing:
    return Outgoing(
        event=effect,
        id=effect.takedown_id if isinstance(effect, TakedownRequested) else effect.escalation_id,
        time=effect.requested_at if isinstance(effect, TakedownRequested) else effect.raised_at,
        key=effect.stream_id.encode(),
        cause_traceparent=source.traceparent,
    )
