"""Decodes and judges micro-batches on threads, so that the event loop never waits for a frame."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from schemas import FrameSampled

from ..dead_letters import DeadLetterCause, Rejection
from ..publishing import ProcessUnfit
from .bundle import InferenceFailed, ModelBundle
from .decode import Decoder, Pixels

Outcome = list[float] | Rejection
"""One score for each signal of the bundle, or why there is none."""


class InferenceStuck(ProcessUnfit):
    """The model did not answer in time; its thread can't be taken back."""


class Detector:
    """One model and its decoders.

    PyAV and ONNX Runtime release the interpreter lock while they work. Decoding takes
    ``decode_threads``; inference takes one thread and lets the model's own threads do the rest.
    """

    def __init__(
        self, bundle: ModelBundle, decoder: Decoder, decode_threads: int, timeout: float
    ) -> None:
        self.bundle = bundle
        self._decoder = decoder
        self._timeout = timeout
        self._decoding = ThreadPoolExecutor(decode_threads, thread_name_prefix="decode")
        self._inferring = ThreadPoolExecutor(1, thread_name_prefix="infer")

    async def judge(self, frames: Sequence[FrameSampled]) -> list[Outcome]:
        """One outcome a frame, in order.

        A batch that the model fails on is halved until the frames it fails on stand alone, so
        that one frame can't take its neighbours with it.
        """
        loop = asyncio.get_running_loop()
        decoded = await asyncio.gather(
            *(loop.run_in_executor(self._decoding, self._decoder.decode, frame) for frame in frames)
        )
        readable = [pixels for pixels in decoded if not isinstance(pixels, Rejection)]
        scores = iter(await self._infer(readable))
        outcomes: list[Outcome] = []
        for frame, pixels in zip(frames, decoded, strict=True):
            outcome = pixels if isinstance(pixels, Rejection) else next(scores)
            if isinstance(outcome, InferenceFailed):
                outcome = Rejection(DeadLetterCause.INFERENCE_FAILED, str(outcome), frame.stream_id)
            outcomes.append(outcome)
        return outcomes

    async def _infer(self, batch: Sequence[Pixels]) -> list[list[float] | InferenceFailed]:
        if not batch:
            return []
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._inferring, self.bundle.judge, batch)
        try:
            scores = await asyncio.wait_for(running, self._timeout)
        except InferenceFailed as error:
            if len(batch) == 1:
                return [error]
            middle = len(batch) // 2
            return [*await self._infer(batch[:middle]), *await self._infer(batch[middle:])]
        except TimeoutError as error:
            raise InferenceStuck(f"{self.bundle.label}: no answer in {self._timeout} s") from error
        return [[float(score) for score in row] for row in scores]

    def close(self) -> None:
        """Let the threads end; frames in work are finished first."""
        self._decoding.shutdown()
        self._inferring.shutdown()
