"""The decision agent: risk in, takedowns and escalations out."""

from __future__ import annotations

from collections.abc import Sequence

import faust
import msgspec
from faust.types import StreamT

from schemas import Codec, RiskAssessed, TakedownRequested, topics

from ..dead_letters import Coordinates, Rejection
from ..intake import Intake, Record, coordinates, read
from ..publishing import Outgoing
from .machine import Effect, SessionDecision, State, decide
from .policy import Policy

_KEY_SEPARATOR = "\x1f"
_STATE = msgspec.json.Decoder(SessionDecision)


def register(app: faust.App, codec: Codec, policy: Policy, intake: Intake) -> None:
    """Put the decision agent on ``app``."""
    topic = app.topic(topics.RISK, value_serializer="raw", key_serializer="raw")
    # Of type bytes, keys and values are raw on the wire; given a schema alone, Faust reads JSON.
    decisions = app.Table("decisions", key_type=bytes, value_type=bytes)

    async def step(events: Sequence[Record]) -> list[Outgoing]:
        (event,) = events
        risk = read(codec, event, RiskAssessed)
        if isinstance(risk, Rejection):
            return [intake.reject(event, risk)]
        key = _KEY_SEPARATOR.join((risk.stream_id, risk.session_id)).encode()
        stored = decisions.get(key)
        known = _STATE.decode(stored) if stored else None
        decision = decide(policy, known, risk)
        if decision.refusal:
            intake.count_refused(decision.refusal)
        # Effects leave before the state that would make a replay pass over them.
        await intake.publish([_outgoing(effect, coordinates(event)) for effect in decision.effects])
        if decision.state.state is State.CLEAR:
            # A clear session needs no remembering, so the table holds only those that are not.
            if stored:
                decisions.pop(key)
        elif decision.state != known:
            decisions[key] = msgspec.json.encode(decision.state)
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
