"""Where a bundle on trial judges a frame otherwise than the one that counts. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from schemas import BundlesDisagreed, FrameRef, derive_id

from ..publishing import Outgoing
from .batching import Judged, Model


def disagreements(judged: Judged, shadow: Model, scores: Sequence[float]) -> list[Outgoing]:
    """One event for each signal of both bundles that is on for one of them only.

    ``scores`` are the shadow's, one for each of its signals. Each bundle is held against its own
    thresholds, as their scores need not mean the same.
    """
    counting = _by_signal(judged.model, judged.scores)
    tried = _by_signal(shadow, scores)
    return [
        _disagreement(judged, shadow, signal, counting[signal], tried[signal])
        for signal in counting
        if signal in tried and _is_on(counting[signal]) != _is_on(tried[signal])
    ]


_ScoreAndThreshold = tuple[float, float]


def _by_signal(model: Model, scores: Sequence[float]) -> dict[str, _ScoreAndThreshold]:
    pairs = zip(model.manifest.signals, scores, strict=True)
    return {signal.name: (score, signal.threshold) for signal, score in pairs}


def _is_on(found: _ScoreAndThreshold) -> bool:
    score, threshold = found
    return score >= threshold


def _disagreement(
    judged: Judged,
    shadow: Model,
    signal: str,
    counting: _ScoreAndThreshold,
    tried: _ScoreAndThreshold,
) -> Outgoing:
    frame, source, model = judged.frame, judged.source, judged.model
    firearm, _ = _by_signal(model, judged.scores)["firearm"]
    place = (source.topic, source.partition, source.offset)
    event = BundlesDisagreed(
        disagreement_id=derive_id("disagreement", *place, signal, model.digest, shadow.digest),
        stream_id=frame.stream_id,
        session_id=frame.session_id,
        frame=FrameRef(*place, captured_at=frame.captured_at, score=firearm),
        signal=signal,
        bundle=model.label,
        bundle_digest=model.digest,
        score=counting[0],
        threshold=counting[1],
        shadow_bundle=shadow.label,
        shadow_digest=shadow.digest,
        shadow_score=tried[0],
        shadow_threshold=tried[1],
        drill=frame.drill,
    )
    return Outgoing(
        event=event,
        id=event.disagreement_id,
        time=frame.captured_at,
        key=frame.stream_id.encode(),
        cause_traceparent=source.traceparent,
    )
