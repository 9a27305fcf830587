"""Events as lines for people: event time, what it is, of what, and why. Safe on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas import (
    AlertRaised,
    BreakerTripped,
    BundlesDisagreed,
    CommandAnswered,
    DecisionReversed,
    DetectionsMade,
    DrillOrdered,
    EscalationRaised,
    Event,
    EventDeadLettered,
    EventRedriven,
    EvidenceViewed,
    FramesShed,
    IncidentClosed,
    OperatorCommanded,
    PoliciesDisagreed,
    ReferralPrepared,
    RiskAssessed,
    SamplingBoostRequested,
    StreamUnwatched,
    TakedownAcknowledged,
    TakedownRequested,
    WorkerReported,
)

from .watch import printable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


def to_lines(event: Event) -> Iterator[str]:
    """One line an event, and for detections one a frame. Raises ``KeyError`` where none is told."""
    if isinstance(event, DetectionsMade):
        for detection in event.detections:
            scores = zip(event.signals, detection.scores, strict=False)
            yield _line(
                detection.captured_at,
                "frame",
                detection.stream_id,
                detection.drill,
                f"#{detection.sequence}",
                ", ".join(f"{signal} {score:.3f}" for signal, score in scores),
            )
        return
    what, *rest = _TOLD[type(event)](event)
    yield _line(event.time, what, event.subject, getattr(event, "drill", False), *rest)


def _takedown(event: TakedownRequested) -> tuple[str, ...]:
    ordered = (f"ordered by {event.operator}",) if event.operator else ()
    return "TAKEDOWN", f"risk {event.risk:.2f}", _why(event), *ordered, _incident(event)


def _escalation(event: EscalationRaised) -> tuple[str, ...]:
    what = " ".join(["ESCALATION", event.severity, *_unless("opened", event.change)])
    routes = (f"for {', '.join(event.routes)}",) if event.routes else ()
    answer = (f"answer by {_when(event.answer_by)}",) if event.answer_by else ()
    return what, f"risk {event.risk:.2f}", _why(event), *routes, *answer, _incident(event)


def _boost(event: SamplingBoostRequested) -> tuple[str, ...]:
    asked = f"{event.frames_per_second:g} frames/s until {_when(event.until)}"
    return "sampling", asked, _why(event), _incident(event)


def _referral(event: ReferralPrepared) -> tuple[str, ...]:
    region = f" ({event.region})" if event.region else ""
    confirmed = f"confirmed by {event.operator}" if event.operator else "confirmed by nobody yet"
    return "REFERRAL", f"for {event.recipient}{region}", _why(event), confirmed, _incident(event)


def _reversal(event: DecisionReversed) -> tuple[str, ...]:
    by = f"by {event.operator}: {event.reason}"
    return "REVERSAL", f"of takedown {event.takedown_id}", by, _incident(event)


def _closure(event: IncidentClosed) -> tuple[str, ...]:
    by = f"by {event.operator}" if event.operator else "by nobody"
    return "closed", event.outcome, f"{by}: {event.reason}", _incident(event)


def _answer(event: CommandAnswered) -> tuple[str, ...]:
    outcome = "applied" if event.applied else f"refused: {event.refusal}"
    became = (f"{event.state_before} -> {event.state_after}",) if event.state_after else ()
    return f"answer {event.command}", outcome, *became, f"by {event.operator}: {event.reason}"


def _command(event: OperatorCommanded) -> tuple[str, ...]:
    until = (f"until {_when(event.until)}",) if event.until else ()
    session = (f"session {event.session_id}",) if event.session_id else ()
    by = f"by {event.operator}: {event.reason}"
    return f"command {event.command}", *session, *until, by


def _acknowledgement(event: TakedownAcknowledged) -> tuple[str, ...]:
    by = f"by {event.service}"
    detail = (event.detail,) if event.detail else ()
    return "acknowledged", event.outcome, by, *detail, f"takedown {event.takedown_id}"


def _unwatched(event: StreamUnwatched) -> tuple[str, ...]:
    what = "watched again" if event.watched_again else "UNWATCHED"
    viewers = (f"{event.viewers} viewers",) if event.viewers >= 0 else ()
    return what, event.reason, f"since {_when(event.since)}", event.state, *viewers


def _breaker(event: BreakerTripped) -> tuple[str, ...]:
    until = f"open until {_when(event.expires_at)}"
    return "BREAKER", event.cause, event.explanation, until


def _alert(event: AlertRaised) -> tuple[str, ...]:
    return f"ALERT {event.kind}", event.detail


def _shed(event: FramesShed) -> tuple[str, ...]:
    frames = sum(len(stream.offsets) for stream in event.streams)
    at_risk = sum(len(stream.offsets) for stream in event.streams if stream.at_risk)
    what = f"{frames} frames of {len(event.streams)} streams, {at_risk} of streams at risk"
    backlog = f"a backlog of {event.backlog_seconds:.1f} s"
    return "SHED", what, *_unless("backlog", event.reason), backlog


def _dead_letter(event: EventDeadLettered) -> tuple[str, ...]:
    of = (f"stream {event.stream_id}",) if event.stream_id else ()
    return "DEAD LETTER", event.agent, f"{event.cause}: {event.detail}", f"#{event.attempt}", *of


def _redriven(event: EventRedriven) -> tuple[str, ...]:
    return "redriven", f"by {event.operator}: {event.reason}"


def _viewed(event: EvidenceViewed) -> tuple[str, ...]:
    frame = (f"{event.topic}/{event.partition}/{event.offset}",) if event.topic else ()
    by = f"by {event.operator}: {event.reason}" if event.reason else f"by {event.operator}"
    return f"viewed {event.kind}", *frame, by, _incident(event)


def _worker(event: WorkerReported) -> tuple[str, ...]:
    waiting = sum(topic.waiting for topic in event.topics)
    lag = max((topic.lag_seconds for topic in event.topics), default=0.0)
    lacking = (f"lacks {', '.join(event.not_ready)}",) if event.not_ready else ()
    wait = "record waits" if waiting == 1 else "records wait"
    what = f"{waiting} {wait}, the oldest for {lag:.1f} s"
    return f"worker {event.role}", what, *lacking, *event.errors


def _drill(event: DrillOrdered) -> tuple[str, ...]:
    return f"drill {event.change}", f"by {event.operator}: {event.reason}"


def _risk(event: RiskAssessed) -> tuple[str, ...]:
    windows = ", ".join(f"{w.hits}/{w.frames} in {w.seconds:g} s" for w in event.windows)
    return "risk", f"{event.risk:.3f}", windows


def _bundles(event: BundlesDisagreed) -> tuple[str, ...]:
    live = f"{event.bundle} {event.score:.3f} (from {event.threshold:g})"
    shadow = f"{event.shadow_bundle} {event.shadow_score:.3f} (from {event.shadow_threshold:g})"
    return "disagreement", event.signal, live, f"shadow {shadow}"


def _policies(event: PoliciesDisagreed) -> tuple[str, ...]:
    live = f"{event.policy} {_asked(event.effects)}: {event.explanation}"
    shadow = f"{event.shadow_policy} {_asked(event.shadow_effects)}: {event.shadow_explanation}"
    return "disagreement", live, f"shadow {shadow}"


_TOLD: dict[type[Event], Callable[[Any], tuple[str, ...]]] = {
    TakedownRequested: _takedown,
    EscalationRaised: _escalation,
    SamplingBoostRequested: _boost,
    ReferralPrepared: _referral,
    DecisionReversed: _reversal,
    IncidentClosed: _closure,
    CommandAnswered: _answer,
    OperatorCommanded: _command,
    TakedownAcknowledged: _acknowledgement,
    StreamUnwatched: _unwatched,
    BreakerTripped: _breaker,
    AlertRaised: _alert,
    RiskAssessed: _risk,
    FramesShed: _shed,
    EventDeadLettered: _dead_letter,
    EventRedriven: _redriven,
    EvidenceViewed: _viewed,
    WorkerReported: _worker,
    DrillOrdered: _drill,
    BundlesDisagreed: _bundles,
    PoliciesDisagreed: _policies,
}


def _why(event: Any) -> str:
    return f"{event.rule}: {event.explanation}"


def _incident(event: Any) -> str:
    return f"incident {event.incident_id}"


def _unless(usual: str, said: str) -> tuple[str, ...]:
    return () if said == usual else (said,)


def _asked(effects: list[str]) -> str:
    return f"asks for {', '.join(effects)}" if effects else "asks for nothing"


def _when(at: int) -> str:
    """``at`` (microseconds since the epoch) as ISO 8601; what no calendar has is its last day."""
    try:
        when = _EPOCH + timedelta(microseconds=at)
    except OverflowError:
        when = _LAST
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _line(at: int, what: str, subject: str, drill: bool, *rest: str) -> str:
    return printable("  ".join((_when(at), what, subject, *(["DRILL"] if drill else ()), *rest)))
