"""Bundles to serve in tests, and what serves them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from agents.detection.bundle import load_bundle
from agents.detection.decode import DecodeBounds, Decoder
from agents.detection.detector import Judge
from agents.detection.lineup import Part
from agents.detection.serving import Load, Serving
from agents.detection.shadow import Shadow
from agents.detection.shedding import Key, Pressed, Risky, Shedder, ShedLimits
from agents.detection.sifting import Pressure, Sifting
from schemas import Codec
from tests.builders import SECOND, START
from tests.detection.tiny_bundle import write_bundle
from tests.shell import Bench

BOUNDS = DecodeBounds(payload_bytes=200_000, pixels=640 * 480)
CPU = ("CPUExecutionProvider",)


def write_version(folder: Path, version: str, *edits: tuple[str, str]) -> Path:
    """The tiny bundle as ``version``, with other edits to its manifest."""
    return write_bundle(folder, None, None, ('version = "1"', f'version = "{version}"'), *edits)


def load(folder: Path, part: Part) -> Judge:
    bundle = load_bundle(folder, CPU, threads=1)
    return Judge(bundle, Decoder(bundle.manifest.input, BOUNDS).decode_all)


def serve(made: Bench, source: Path, load: Load = load) -> Serving:
    """What serves the bundle or line-up at ``source``, not begun."""
    intake = made.intake
    shadow = partial(Shadow, publish=intake.publish, count=intake.count, capacity=64, batch=4)
    return Serving(source, load, shadow)


def serving_of(made: Bench, live: Judge) -> Serving:
    """What serves ``live`` from nowhere on disk."""
    serving = serve(made, Path("nowhere"), lambda folder, part: live)
    serving.begin()
    return serving


def sifting_of(
    made: Bench,
    backlog: Callable[[], float] = lambda: 0.0,
    at_risk: Iterable[Key] = (),
    brokers_now: Callable[[], int | None] = lambda: None,
) -> Sifting:
    """What sheds when ``backlog`` is over five seconds, and what is older than two minutes;
    ``at_risk`` are known to be so."""
    risky = Risky(0.1)
    for key in at_risk:
        risky.take(key, 1.0, START)
    limits = ShedLimits(5.0, 2 * SECOND, patience=0.0, age=120 * SECOND)
    pressures = [Pressure(Pressed(limits), backlog)]
    shedder = Shedder(limits, risky)
    return Sifting(Codec(), shedder, pressures, made.intake, brokers_now=brokers_now)


async def settle(serving: Serving) -> None:
    """Two looks, between which nothing changes."""
    await serving.refresh()
    await serving.refresh()
