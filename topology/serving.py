"""Builds what judges frames from the settings: the line-up, the threads, the size of batches."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agents.batches import Batching
from agents.detection.batch_size import BatchSize, work_budget
from agents.detection.bundle import load_bundle
from agents.detection.decode import DecodeBounds, Decoder
from agents.detection.detector import Detector, Judge
from agents.detection.lineup import LineUpInvalid, Part
from agents.detection.serving import Serving
from agents.detection.shadow import Shadow
from agents.intake import Intake

from .settings import Settings, SettingsInvalid

_BATCHES_HELD = 2
"""Frames are held for this many full batches: from them streams take turns."""
_FRAMES_SHADOWED = 64
"""Frames may wait for the shadow."""
_SHADOW_BATCH = 16
"""It has a tenth of a core where that is busy: in larger batches its word would come late."""

MakeDetector = Callable[[int, float], Detector]
"""Makes a detector of so many threads, and with so many seconds for a batch."""


@dataclass(frozen=True, slots=True)
class DetectionWork:
    """What the detection agent works with."""

    serving: Serving
    detector: Detector
    batching: Batching
    size: BatchSize

    def status(self) -> Mapping[str, object]:
        """Who judges and in what batches, for people to read."""
        cost = self.size.cost
        batch = {
            "size": self.size.size,
            "most": self.size.most,
            "fixed_seconds": round(cost.fixed, 6),
            "seconds_per_frame": round(cost.per_frame, 6),
        }
        return {**self.serving.status(), "batch": batch}


def detection_work(settings: Settings, intake: Intake, detector: MakeDetector) -> DetectionWork:
    """Loads the line-up, which takes seconds.

    Raises ``SettingsInvalid`` where the line-up can't be read and ``BundleInvalid`` where its live
    bundle can't be used.
    """
    cores = os.cpu_count() or 1
    serving = Serving(
        settings.bundle,
        partial(_load, settings),
        partial(
            Shadow,
            publish=intake.publish,
            count=intake.count,
            capacity=_FRAMES_SHADOWED,
            batch=_SHADOW_BATCH,
        ),
    )
    try:
        serving.begin()
    except LineUpInvalid as error:
        raise SettingsInvalid(f"FIREBREAK_BUNDLE: {error}") from error
    budget = work_budget(settings.latency_target, settings.batch_wait)
    size = BatchSize(budget, settings.batch_size)
    # One more than there are threads, so that none waits while a batch is being published.
    at_once = cores + 1
    hold = _BATCHES_HELD * settings.batch_size
    batching = Batching(size, hold, settings.batch_wait, at_once)
    return DetectionWork(serving, detector(cores, settings.inference_timeout), batching, size)


def _load(settings: Settings, folder: Path, _part: Part) -> Judge:
    # Batches are judged side by side, each on one thread.
    bundle = load_bundle(folder, settings.execution_providers, threads=1)
    bounds = DecodeBounds(settings.max_payload_bytes, settings.max_pixels)
    return Judge(bundle, Decoder(bundle.manifest.input, bounds, time.thread_time))
