"""Decodes and judges micro-batches on threads, so that the event loop never waits for a frame."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import cast

from schemas import FrameSampled

from ..dead_letters import DeadLetterCause, Rejection
from ..publishing import ProcessUnfit
from .bundle import InferenceFailed, ModelBundle
from .lineup import in_canary
from .resize import Pixels

_LOOKS = 10
"""How often within the time for a batch it is seen to."""


class InferenceStuck(ProcessUnfit):
    """A batch was not judged in time; its thread can't be taken back."""


@dataclass(frozen=True, slots=True)
class Judge:
    """A bundle, and what decodes frames as it wants them: an outcome a frame, in order."""

    bundle: ModelBundle
    decode: Callable[[Sequence[FrameSampled]], list[Pixels | Rejection]]


@dataclass(frozen=True, slots=True)
class Judges:
    """Who judges so that it counts: the canary its ``share`` of the streams, live all others."""

    live: Judge
    canary: Judge | None = None
    share: float = 0.0

    def by_canary(self, frame: FrameSampled) -> bool:
        return self.canary is not None and in_canary(frame.stream_id, self.share)


@dataclass(frozen=True, slots=True)
class Scored:
    """What ``bundle`` says of ``pixels``: a score, 0 to 1, for each of its signals."""

    bundle: ModelBundle
    pixels: Pixels | None
    """``None`` where they were not looked at."""
    scores: list[float]


Outcome = Scored | Rejection


class Detector:
    """Judges batches, each on one of ``threads`` threads from its payloads to its scores.

    PyAV and ONNX Runtime release the interpreter lock while they work, so that batches go on side
    by side. A batch is never handed from thread to thread, nor a model's operator spread over
    threads that wait for each other: on the same cores that judges more frames for less CPU.
    ``timeout`` is in seconds, for a bundle to judge a batch. Decoders are ended frame by frame.
    """

    def __init__(self, threads: int, timeout: float) -> None:
        self.threads = threads
        self._timeout = timeout
        self._judging = ThreadPoolExecutor(threads, thread_name_prefix="judge")

    async def judge(self, judges: Judges, frames: Sequence[FrameSampled]) -> list[Outcome]:
        """One outcome a frame, in order; each frame's by one bundle.

        What the canary can't judge is judged by the live bundle: a bundle that is tried out must
        not leave its streams unwatched. Raises ``InferenceStuck``.
        """
        loop = asyncio.get_running_loop()
        inferring = _Inferring()
        running = loop.run_in_executor(self._judging, judge_batch, judges, frames, inferring)
        while not running.done():
            await asyncio.wait({running}, timeout=self._timeout / _LOOKS)
            if not running.done() and inferring.seconds > self._timeout:
                label = judges.live.bundle.label
                raise InferenceStuck(f"{label}: no answer in {self._timeout} s")
        return running.result()

    def close(self) -> None:
        """Let the threads end; batches in work are finished first."""
        self._judging.shutdown()


class _Inferring:
    """Entered while a model computes; another thread may ask for how long it has."""

    def __init__(self) -> None:
        self._since: float | None = None

    def __enter__(self) -> None:
        self._since = time.monotonic()

    def __exit__(self, *exc_info: object) -> None:
        self._since = None

    @property
    def seconds(self) -> float:
        """0 while nothing is computed."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since


def judge_batch(
    judges: Judges,
    frames: Sequence[FrameSampled],
    inferring: AbstractContextManager[None] | None = None,
) -> list[Outcome]:
    """One outcome a frame, in order. Blocks while it decodes and computes.

    ``inferring`` is entered while a model computes.
    """
    inferring = inferring or nullcontext()
    outcomes: dict[int, Outcome] = {}
    if judges.canary is not None:
        share = [number for number, frame in enumerate(frames) if judges.by_canary(frame)]
        found = _judge(judges.canary, [frames[number] for number in share], inferring)
        outcomes = {n: it for n, it in zip(share, found, strict=True) if isinstance(it, Scored)}
    rest = [number for number in range(len(frames)) if number not in outcomes]
    found = _judge(judges.live, [frames[number] for number in rest], inferring)
    outcomes |= dict(zip(rest, found, strict=True))
    return [outcomes[number] for number in range(len(frames))]


def _judge(
    judge: Judge, frames: Sequence[FrameSampled], inferring: AbstractContextManager[None]
) -> list[Outcome]:
    decoded = judge.decode(frames)
    readable = [pixels for pixels in decoded if not isinstance(pixels, Rejection)]
    with inferring:
        inferred = iter(_infer(judge.bundle, readable))
    outcomes: list[Outcome] = []
    for frame, pixels in zip(frames, decoded, strict=True):
        if isinstance(pixels, Rejection):
            outcomes.append(pixels)
            continue
        scores = next(inferred)
        outcomes.append(
            Rejection(DeadLetterCause.INFERENCE_FAILED, str(scores), frame.stream_id)
            if isinstance(scores, InferenceFailed)
            else Scored(judge.bundle, pixels, scores)
        )
    return outcomes


def _infer(bundle: ModelBundle, batch: Sequence[Pixels]) -> list[list[float] | InferenceFailed]:
    """A batch that the model fails on is halved until the frames it fails on stand alone, so that
    one frame can't take its neighbours with it."""
    if not batch:
        return []
    try:
        scores = bundle.judge(batch)
    except InferenceFailed as error:
        if len(batch) == 1:
            return [error]
        middle = len(batch) // 2
        halves = batch[:middle], batch[middle:]
        return [scores for half in halves for scores in _infer(bundle, half)]
    return cast(list[list[float] | InferenceFailed], scores.tolist())
