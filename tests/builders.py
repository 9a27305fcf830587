"""Events for tests: each builder fills in what a test does not care about."""

from __future__ import annotations

from typing import Any

from schemas import (
    Detection,
    DetectionsMade,
    FrameRef,
    FrameSampled,
    RiskAssessed,
    WindowSummary,
    topics,
)

SECOND = 1_000_000
START = 1_700_000_000 * SECOND


def frame_sampled(**given: Any) -> FrameSampled:
    defaults: dict[str, Any] = {
        "stream_id": "stream-1",
        "session_id": "session-1",
        "shard_id": "shard-1",
        "sequence": 0,
        "captured_at": START,
        "codec": "jpeg",
        "width": 64,
        "height": 48,
        "payload": b"payload",
    }
    return FrameSampled(**{**defaults, **given})


def detection(number: int = 0, score: float = 0.0, **given: Any) -> Detection:
    """The detection of frame ``number`` at two frames a second."""
    defaults: dict[str, Any] = {
        "stream_id": "stream-1",
        "session_id": "session-1",
        "sequence": number,
        "captured_at": START + number * SECOND // 2,
        "offset": number,
        "appended_at": START + number * SECOND // 2,
        "drill": False,
        "scores": [score],
    }
    return Detection(**{**defaults, **given})


def detections_made(*detections: Detection, **given: Any) -> DetectionsMade:
    defaults: dict[str, Any] = {
        "bundle": "test/1",
        "bundle_digest": "b" * 64,
        "frame_topic": topics.FRAME_SAMPLES,
        "frame_partition": 0,
        "signals": ["firearm"],
        "detections": list(detections),
    }
    return DetectionsMade(**{**defaults, **given})


def window(seconds: float, hits: int, mean: float = 0.0, **given: Any) -> WindowSummary:
    defaults: dict[str, Any] = {
        "seconds": seconds,
        "frames": max(hits, 1),
        "hits": hits,
        "coverage": 1.0,
        "mean": mean,
        "peak": mean,
    }
    return WindowSummary(**{**defaults, **given})


def risk_assessed(*windows: WindowSummary, **given: Any) -> RiskAssessed:
    cause = FrameRef(topics.FRAME_SAMPLES, 0, 7, START, 0.9)
    defaults: dict[str, Any] = {
        "risk_id": "risk-1",
        "stream_id": "stream-1",
        "session_id": "session-1",
        "assessed_at": START,
        "risk": 0.5,
        "windows": list(windows),
        "evidence": [cause],
        "cause": cause,
        "bundle": "test/1",
        "bundle_digest": "b" * 64,
    }
    return RiskAssessed(**{**defaults, **given})
