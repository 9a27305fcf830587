"""Builds what judges frames from the settings: the line-up, the threads, the size of batches."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agents.batches import Batching
from agents.detection.batch_size import BatchSize, work_budget
from agents.detection.bundle import load_bundle
from agents.detection.claims import Claims
from agents.detection.decode import DecodeBounds
from agents.detection.decoders import Decoders
from agents.detection.detector import Detector, Judge
from agents.detection.lineup import LineUpInvalid, Part
from agents.detection.serving import Serving
from agents.detection.shadow import Shadow
from agents.detection.shedding import Pressed, Risky, Shedder, ShedLimits
from agents.detection.sifting import Pressure, Sifting
from agents.intake import Intake
from schemas import MICROSECONDS, Codec, Event, RiskAssessed

from .payloads import PayloadFetcher
from .settings import Settings, SettingsInvalid

_BATCHES_HELD = 2
"""Frames are held for this many full batches: from them streams take turns."""
_FRAMES_SHADOWED = 64
"""Frames may wait for the shadow."""
_SHADOW_BATCH = 16
"""It has a tenth of a core where that is busy: in larger batches its word would come late."""

_SHED_PATIENCE = 2.0

MakeDetector = Callable[[int, float], Detector]
"""Makes a detector of so many threads, and with so many seconds for a batch."""


@dataclass(frozen=True, slots=True)
class DetectionWork:
    """What the detection agent works with."""

    serving: Serving
    detector: Detector
    batching: Batching
    size: BatchSize
    risky: Risky
    sifting: Sifting
    claims: Claims
    fetcher: PayloadFetcher | None

    def note_risk(self, event: Event, at: int) -> None:
        """A risk was told, ``at`` in microseconds since the epoch by the brokers' clock."""
        if isinstance(event, RiskAssessed):
            self.risky.take((event.stream_id, event.session_id), event.risk, at)

    def status(self) -> Mapping[str, object]:
        """Who judges and in what batches, for people to read."""
        cost = self.size.cost
        batch = {
            "size": self.size.size,
            "most": self.size.most,
            "fixed_seconds": round(cost.fixed, 6),
            "acknowledged_seconds": round(self.size.acknowledged, 6),
            "seconds_per_frame": round(cost.per_frame, 6),
        }
        return {**self.serving.status(), "batch": batch}


def detection_work(
    settings: Settings,
    codec: Codec,
    intake: Intake,
    waiting: Callable[[], int],
    detector: MakeDetector,
    *,
    brokers_now: Callable[[], int | None],
) -> DetectionWork:
    """Loads the line-up, which takes seconds. ``waiting`` tells how many frames wait, and
    ``brokers_now`` the brokers' time, in microseconds since the epoch, where it is known.

    Raises ``SettingsInvalid`` where the line-up can't be read and ``BundleInvalid`` where its live
    bundle can't be used.
    """
    cores = os.cpu_count() or 1
    bounds = DecodeBounds(settings.max_payload_bytes, settings.max_pixels)
    decoders = Decoders(bounds, ahead=cores)
    serving = Serving(
        settings.bundle,
        partial(_load, settings, decoders),
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
    risky = Risky(settings.shed_at_risk)
    limits = ShedLimits(
        settings.shed_backlog,
        int(settings.shed_keep_every * MICROSECONDS),
        _SHED_PATIENCE,
        int(settings.shed_age * MICROSECONDS),
    )
    judging = detector(cores, settings.inference_timeout)
    fetcher = PayloadFetcher(settings) if settings.payload_origins else None
    claims = Claims(codec, fetcher)

    def to_judge() -> float:
        return size.seconds_for(waiting() + claims.waiting) / at_once

    # Frames that wait for a slow origin are shed for it, and no others.
    pressures = [Pressure(Pressed(limits), to_judge)] + [
        Pressure(Pressed(limits), origin.seconds, partial(claims.lies_at, name))
        for name, origin in claims.origins.items()
    ]
    sifting = Sifting(codec, Shedder(limits, risky), pressures, intake, brokers_now=brokers_now)
    return DetectionWork(serving, judging, batching, size, risky, sifting, claims, fetcher)


def _load(settings: Settings, decoders: Decoders, folder: Path, _part: Part) -> Judge:
    # Batches are judged side by side, each on one thread.
    bundle = load_bundle(folder, settings.execution_providers, threads=1)
    return Judge(bundle, partial(decoders.decode, bundle.manifest.input))
