"""What the sampler makes, detection can read: both ways of sampling, on the clips of the demo."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from agents.detection.bundle import load_bundle
from agents.detection.decode import DecodeBounds, Decoder
from topology.sampler import Mode, SampleOptions, SourceSpec, WallClock, sample_source

ROOT = Path(__file__).parents[2]
DRILL = ROOT / "deploy/demo/drill/drill.mp4"
BUNDLE = ROOT / "agents/detection/bundles/lite0"


@pytest.mark.parametrize("mode", Mode)
def test_the_drill_is_seen_in_jpegs_and_in_its_own_key_frames(mode: Mode) -> None:
    clock = WallClock(threading.Event())
    frames = list(sample_source(SourceSpec(str(DRILL), "s"), SampleOptions(mode=mode), clock))
    bundle = load_bundle(BUNDLE, ("CPUExecutionProvider",), threads=2)
    decoder = Decoder(bundle.manifest.input, DecodeBounds(4 << 20, 1 << 25))
    pictures = [decoder.decode(frame) for frame in frames]
    scores = bundle.judge([pixels for pixels in pictures if isinstance(pixels, np.ndarray)])[:, 0]
    assert len(scores) == len(frames) > 0
    seconds = [(frame.captured_at - frames[0].captured_at) / 1e6 for frame in frames]
    armed = [score for at, score in zip(seconds, scores, strict=True) if 8 <= at <= 18]
    clear = [score for at, score in zip(seconds, scores, strict=True) if at < 7 or at > 19]
    assert max(clear) < 0.2
    assert all(score > 0.5 for score in armed)
