"""A partition's events on a timeline, in seconds from START, and what is decided of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

from agents.decision.controls import Controls
from agents.decision.defaults import default_policy
from agents.decision.partition import PartitionDecisions
from agents.decision.policies import Policies
from agents.decision.states import Refusal, State
from schemas import (
    Event,
    FrameRef,
    OperatorCommanded,
    RiskAssessed,
    SignalEvidence,
    SignalSummary,
    StreamHeard,
    StreamsHeard,
    StreamUpdated,
    TakedownAcknowledged,
    TakedownRequested,
    derive_id,
    topics,
)
from tests.builders import SECOND, START, risk_assessed, window

E = TypeVar("E", bound=Event)
STREAM, SESSION = "stream-1", "session-1"
MINUTE = 60


def at(seconds: float) -> int:
    return START + round(seconds * SECOND)


def risk(
    seconds: float,
    hits: int,
    *,
    fictional: float = 0.0,
    known: int = 0,
    stream: str = STREAM,
    session: str = SESSION,
    **given: Any,
) -> RiskAssessed:
    """At two frames a second; ``hits`` of the last 20 frames, the latest of them, see a firearm."""
    windows = []
    for length in (3.0, 10.0, 30.0):
        frames = round(length * 2)
        seen = min(hits, frames)
        mean = 0.8 * seen / frames
        signals = [
            SignalSummary("firearm", seen, seen, mean),
            SignalSummary("fictional", 0, 0, fictional),
            SignalSummary("known_content", known, known, 0.0),
        ]
        windows.append(
            window(
                length,
                seen,
                mean,
                frames=frames,
                observed=frames,
                fictional=fictional,
                signals=signals,
            )
        )
    evidence = SignalEvidence("firearm", 0.0 if fictional > 0.9 else 1.4 * hits, at(seconds))
    frame = FrameRef(topics.FRAME_SAMPLES, 0, round(seconds * 10), at(seconds), 0.9)
    about: dict[str, Any] = {
        "risk_id": derive_id("risk", stream, session, at(seconds)),
        "stream_id": stream,
        "session_id": session,
        "assessed_at": at(seconds),
        "signals": [evidence],
        "evidence": [frame] if hits or known else [],
        "cause": frame,
    }
    return risk_assessed(*windows, **{**about, **given})


def update(
    seconds: float, change: str, stream: str = STREAM, session: str = SESSION, **given: Any
) -> StreamUpdated:
    return StreamUpdated(stream, session, "shard-1", change, at(seconds), **given)


def heard(seconds: float, *streams: tuple[str, str, float]) -> StreamsHeard:
    """A tick; of each stream and session a frame was judged that was appended at a time."""
    told = [StreamHeard(stream, session, at(when), at(when)) for stream, session, when in streams]
    return StreamsHeard(0, at(seconds), told)


def order(
    seconds: float,
    command: str,
    until: float = 0,
    *,
    stream: str = STREAM,
    session: str = "",
    scope: str = "",
    **given: Any,
) -> OperatorCommanded:
    about: dict[str, Any] = {
        "command_id": derive_id("command", command, at(seconds)),
        "command": command,
        "operator": "operator-7",
        "reason": "looked at it",
        "issued_at": at(seconds),
        "stream_id": "" if scope else stream,
        "session_id": session,
        "scope": scope,
        "until": at(until) if until else 0,
    }
    return OperatorCommanded(**{**about, **given})


@dataclass
class Timeline:
    """Plays events into one partition."""

    policies: Policies = field(default_factory=lambda: Policies(default_policy()))
    controls: Controls = field(default_factory=Controls)
    decisions: PartitionDecisions = field(default_factory=PartitionDecisions)
    effects: list[Event] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    def play(self, *events: Event) -> list[Event]:
        """The effects of ``events``."""
        begun = len(self.effects)
        for event in events:
            outcome = self.decisions.take(event, self.policies, self.controls)
            self.effects += outcome.effects
            self.refusals += outcome.refusals
        return self.effects[begun:]

    def tick(self, seconds: float, *streams: tuple[str, str, float]) -> list[Event]:
        return self.play(heard(seconds, *streams))

    def acknowledge(self, seconds: float, outcome: str = "stopped") -> list[Event]:
        """The takedown service's answer to the takedown that was asked for last."""
        asked = self.all(TakedownRequested)[-1]
        answer = derive_id("acknowledgement", asked.takedown_id, at(seconds))
        about = (asked.takedown_id, asked.stream_id, asked.session_id)
        return self.play(
            TakedownAcknowledged(answer, *about, outcome, "", "service-1", at(seconds))
        )

    def all(self, event_type: type[E]) -> list[E]:
        return [effect for effect in self.effects if isinstance(effect, event_type)]

    def state(self, stream: str = STREAM, session: str = SESSION) -> State:
        found = self.decisions.sessions.get((stream, session))
        return found.state if found else State.CLEAR
