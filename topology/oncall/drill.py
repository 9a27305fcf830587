"""The drill button: a marked stream, sampled from a clip into production on a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mode import Service

from agents.oncall.drills import FAILED, AlreadyRunning, IsStopped
from agents.oncall.giving import GiveOrder, NotOrdered
from schemas import Codec, DrillOrdered, derive_id

from ..sampler import (
    DeliveryFailed,
    FrameProducer,
    Pace,
    RunReport,
    SampleOptions,
    SourceSpec,
    run,
)

log = logging.getLogger(__name__)

SHARD = "drill"
_LOOK_SECONDS = 0.25
_END_SECONDS = 15.0
"""Longer than a producer takes to give up what can't be delivered."""

Sample = Callable[[SourceSpec, threading.Event], RunReport]
"""Samples a source into Kafka until it ends or the event is set. Blocks."""


def sampling(config: Mapping[str, Any], codec: Codec, max_payload_bytes: int) -> Sample:
    """As a shard samples a live stream; ``config`` is librdkafka's."""

    def sample(source: SourceSpec, stop: threading.Event) -> RunReport:
        options = SampleOptions(pace=Pace.REALTIME, shard_id=SHARD)
        with FrameProducer(config, max_payload_bytes=max_payload_bytes, codec=codec) as producer:
            return run([source], options, producer, stop=stop)

    return sample


class DrillRuns(Service):
    """Runs drills, one at a time; itself it runs with the Faust app and ends with it.

    ``give`` puts orders on record. ``is_stopped`` is asked while a drill runs: whoever stops it may
    be served by another worker.
    """

    def __init__(
        self,
        clip: Path,
        give: GiveOrder,
        sample: Sample,
        is_stopped: IsStopped,
        *,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        **service: Any,
    ) -> None:
        super().__init__(**service)
        self._clip = clip
        self._give = give
        self._sample = sample
        self._is_stopped = is_stopped
        self._now_us = now_us
        self._last: DrillOrdered | None = None
        self._busy = False
        self._running: asyncio.Task[None] | None = None

    async def begin(self, order: DrillOrdered) -> None:
        """See ``RunDrills``."""
        if self._last is not None and self._last.order_id == order.order_id:
            return
        if self._busy:
            raise AlreadyRunning
        if not self._clip.exists():
            raise NotOrdered("the clip that FIREBREAK_DRILL_CLIP names is not there")
        # Before anything is waited for: of two starts at once, the second finds the first.
        before, self._last, self._busy = self._last, order, True
        try:
            await self._give(order)
        except BaseException:
            self._last, self._busy = before, False
            raise
        self._running = asyncio.create_task(self._run(order))

    async def end(self, order: DrillOrdered) -> None:
        """See ``RunDrills``."""
        await self._give(order)

    async def over(self) -> None:
        """Return once the drill that runs here, if one does, is over."""
        if self._running is not None:
            await asyncio.wait([self._running])

    async def on_stop(self) -> None:
        """A worker that ends, ends its drill."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running], timeout=_END_SECONDS)

    async def _run(self, order: DrillOrdered) -> None:
        ended = threading.Event()
        source = SourceSpec(str(self._clip), order.stream_id, drill=True)
        sampling = asyncio.create_task(asyncio.to_thread(self._attempt, source, ended))
        try:
            while not (sampling.done() or self._is_over(order)):
                await asyncio.wait([sampling], timeout=_LOOK_SECONDS)
            ended.set()
            await asyncio.wait([sampling], timeout=_END_SECONDS)
            if sampling.done() and (failure := sampling.result()):
                await self._tell_failed(order, failure)
        finally:
            ended.set()
            # The thread is not left behind: it still has to say that the stream ended.
            await asyncio.wait([sampling], timeout=_END_SECONDS)
            self._busy = False

    def _is_over(self, order: DrillOrdered) -> bool:
        return self._is_stopped(order.stream_id) or self._now_us() >= order.until

    async def _tell_failed(self, order: DrillOrdered, failure: str) -> None:
        """Put it on record; where the brokers are away, again until the drill were over anyway."""
        log.warning("the drill failed: %s", failure)
        now = self._now_us()
        failed = DrillOrdered(
            order_id=derive_id("drill-failed", order.order_id),
            change=FAILED,
            stream_id=order.stream_id,
            operator=order.operator,
            reason=failure,
            ordered_at=now,
            until=now,
        )
        while True:
            try:
                await self._give(failed)
            except NotOrdered as error:
                if self._now_us() >= order.until:
                    log.warning("that the drill failed is not on record: %s", error)
                    return
                await asyncio.sleep(_LOOK_SECONDS)
            else:
                return

    def _attempt(self, source: SourceSpec, ended: threading.Event) -> str:
        """What it failed on; empty where it did not. On a thread."""
        try:
            report = self._sample(source, ended)
        except DeliveryFailed as error:
            return f"not delivered: {error}"
        # A drill that fails costs the worker nothing but the drill.
        except Exception as error:
            log.exception("the drill failed")
            return f"unexpected {type(error).__name__}"
        return "; ".join(it.failure for it in report.failed if it.failure)
