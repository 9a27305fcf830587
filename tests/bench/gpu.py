"""``gpu``: what the topology makes of a GPU, beside ONNX Runtime alone on the same frames.

ONNX Runtime alone has its frames decoded and scaled beforehand, and runs them with I/O binding at
the batch size and number of threads that do best. Between the two stands what decodes payloads as
a worker does, on all cores, and judges them, with no Kafka around it: where that is far below ONNX
Runtime alone, it is the machine's cores that the GPU waits for.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from agents.detection.bundle import ModelBundle, load_bundle, prepare
from agents.detection.decode import DecodeBounds, Decoder
from agents.detection.detector import Judge, Judges, judge_batch
from agents.detection.execution import run_bound
from agents.detection.resize import Pixels
from schemas import FrameSampled
from topology.sampler import Mode
from topology.settings import Settings

from .efficiency import Job
from .harness import BrokerKind, fresh_ground, spread
from .job import Footage
from .ours import our_workers

CUDA, TENSORRT, CPU = (f"{name}ExecutionProvider" for name in ("CUDA", "Tensorrt", "CPU"))
BATCH_SIZES = (1, 8, 16, 32, 64, 128, 256)
THREADS = (1, 2, 4)
_SAMPLED_EVERY_MS = 100
_SMI = "nvidia-smi"


def gpu(
    *, kind: BrokerKind = "embedded", repeats: int = 5, seconds: float = 1.0, frames: int = 20_000
) -> dict[str, Any]:
    """Frames a second with the default bundle on CUDA, or why there is nothing to measure.

    ``seconds`` is for each thing that ONNX Runtime is timed at; ``frames`` for each repeat of the
    topology's.
    """
    bundle = load_on(CUDA)
    if isinstance(bundle, str):
        return {"skipped": f"{CUDA}: {bundle}"}
    told = measure(bundle, kind, repeats=repeats, seconds=seconds, frames=frames)
    other = load_on(TENSORRT)
    if isinstance(other, str):
        return {**told, "tensorrt": {"skipped": other}}
    pixels = _pixels(other, Footage.of(Mode.JPEG))
    return {**told, "tensorrt": _bare(other, pixels, told["best"], repeats, seconds)}


def load_on(provider: str) -> ModelBundle | str:
    """The default bundle once it has judged on ``provider``, or why it does not."""
    bundle = load_bundle(Settings().bundle, [provider, CPU], threads=1)
    return bundle if bundle.provider == provider else bundle.execution.passed_over[0].reason


def measure(
    bundle: ModelBundle, kind: BrokerKind, *, repeats: int, seconds: float, frames: int
) -> dict[str, Any]:
    """The topology and ONNX Runtime alone, by turns, on the provider of ``bundle``."""
    footage = Footage.of(Mode.JPEG)
    pixels = _pixels(bundle, footage)
    tried = {
        f"{size} by {threads}": round(_bound_rate(bundle, pixels, size, threads, seconds / 4))
        for size in BATCH_SIZES
        for threads in THREADS
    }
    best = max(tried, key=lambda name: tried[name])
    size, _, threads = best.partition(" by ")
    ours: list[float] = []
    bare: list[float] = []
    decoding: list[float] = []
    waited: list[float] = []
    with (
        fresh_ground(kind) as ground,
        TemporaryDirectory() as folder,
        our_workers(
            ground,
            Path(folder) / "ours",
            "model",
            settings={"FIREBREAK_EXECUTION_PROVIDERS": json.dumps([bundle.provider])},
        ) as workers,
        Job(ground, workers.pids, footage) as job,
    ):
        job.run(frames // 4)
        for _ in range(repeats):
            with _waiting(waited):
                cost = job.run(frames)
            ours.append(cost.frames / cost.wall)
            bare.append(_bound_rate(bundle, pixels, int(size), int(threads), seconds))
            decoding.append(_decoding_rate(bundle, footage, int(size), seconds))
        job.risks.close()
    return {
        "provider": bundle.provider,
        "topology_frames_per_second": spread(ours, 0),
        "bare_frames_per_second": spread(bare, 0),
        "bare_with_decoding_frames_per_second": spread(decoding, 0),
        "topology_to_bare": spread([o / b for o, b in zip(ours, bare, strict=True)]),
        "gpu_waits": spread(waited) if waited else f"{_SMI} tells nothing here",
        "best": best,
        "frames_per_second_of_batch_by_threads": tried,
        "repeats": repeats,
    }


def _bare(
    bundle: ModelBundle, pixels: NDArray[Any], best: str, repeats: int, seconds: float
) -> dict[str, Any]:
    size, _, threads = best.partition(" by ")
    rates = [_bound_rate(bundle, pixels, int(size), int(threads), seconds) for _ in range(repeats)]
    return {"bare_frames_per_second": spread(rates, 0), "batch_by_threads": best}


def _bound_rate(
    bundle: ModelBundle, pixels: NDArray[Any], size: int, threads: int, seconds: float
) -> float:
    """Frames a second of batches of ``size`` that ``threads`` threads have judged."""
    device = "cpu" if bundle.provider == CPU else "cuda"
    wanted = sorted({signal.output for signal in bundle.manifest.signals})
    batch = pixels[:size]

    def judge(_: int) -> None:
        run_bound(bundle.session, wanted, bundle.manifest.input.name, batch, device)

    with ThreadPoolExecutor(threads) as pool:
        # Warm: a provider makes room for each size, and for each thread.
        list(pool.map(judge, range(2 * threads)))
        done, began = 0, time.monotonic()
        while time.monotonic() - began < seconds:
            list(pool.map(judge, range(4 * threads)))
            done += 4 * threads
        return done * size / (time.monotonic() - began)


def _pixels(bundle: ModelBundle, footage: Footage) -> NDArray[Any]:
    """As many frames as the largest batch holds, as the model takes them."""
    decoder = _decoder(bundle)
    decoded = [cast(Pixels, decoder.decode(frame)) for frame in footage.ordinary]
    clip = prepare(decoded, bundle.manifest.input)
    return np.resize(clip, (max(BATCH_SIZES), *clip.shape[1:]))


def _decoder(bundle: ModelBundle) -> Decoder:
    settings = Settings()
    bounds = DecodeBounds(settings.max_payload_bytes, settings.max_pixels)
    return Decoder(bundle.manifest.input, bounds, time.thread_time)


def _decoding_rate(bundle: ModelBundle, footage: Footage, size: int, seconds: float) -> float:
    """Frames a second from payloads to scores, on all cores, with nothing else around it."""
    cores = os.cpu_count() or 1
    judges = Judges(Judge(bundle, _decoder(bundle).decode_all))
    clip: list[FrameSampled] = footage.ordinary
    batch = [clip[number % len(clip)] for number in range(size)]

    def judge(_: int) -> None:
        judge_batch(judges, batch)

    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(judge, range(cores)))
        done, began = 0, time.monotonic()
        while time.monotonic() - began < seconds:
            list(pool.map(judge, range(2 * cores)))
            done += 2 * cores
        return done * size / (time.monotonic() - began)


@contextmanager
def _waiting(told: list[float]) -> Iterator[None]:
    """Adds to ``told`` the share of the time in this context in which the GPU had nothing to do,
    by the driver's count; nothing where there is none to ask."""
    if shutil.which(_SMI) is None:
        yield
        return
    what = ["--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--id=0"]
    sampling = subprocess.Popen(
        [_SMI, *what, f"--loop-ms={_SAMPLED_EVERY_MS}"], stdout=subprocess.PIPE, text=True
    )
    try:
        yield
    finally:
        sampling.terminate()
        lines, _ = sampling.communicate()
        busy = [int(line) / 100 for line in lines.split() if line.isdigit()]
        if busy:
            told.append(1 - statistics.mean(busy))


if __name__ == "__main__":
    print(json.dumps(gpu(), indent=2))
