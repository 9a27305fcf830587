"""A bundle on trial: it judges the same frames besides, and nothing waits for it."""

from __future__ import annotations

import asyncio
import os
import queue
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from ..dead_letters import Rejection
from ..publishing import Outgoing, ProcessUnfit
from .batching import Judged
from .detector import Judge, Scored
from .disagreement import disagreements
from .resize import Pixels

_NICENESS = 10
"""Linux gives such a thread about a tenth of what one of the live path gets of a busy core."""

Publish = Callable[[Sequence[Outgoing]], Awaitable[None]]
Count = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class _Shown:
    """A frame that was judged; its pixels where the shadow takes them as they are."""

    judged: Judged
    pixels: Pixels | None


class Shadow:
    """Judges what it is shown on a thread of its own, and publishes where it disagrees.

    At most ``capacity`` frames wait for it, and it judges up to ``batch`` at a time. Frames that
    find the line full are skipped. What is skipped, fails or can't be published is counted, and
    that is all that comes of it.
    """

    def __init__(
        self, judge: Judge, publish: Publish, count: Count, *, capacity: int, batch: int
    ) -> None:
        self.judge = judge
        self._publish = publish
        self._count = count
        self._batch = batch
        self._shown: queue.Queue[_Shown | None] = queue.Queue(capacity)
        self._thread: threading.Thread | None = None
        self._closed = False

    def show(self, judged: Judged, scored: Scored) -> None:
        """Have a frame judged besides; on the event loop, which it does not hold up."""
        if self._thread is None:
            # A daemon: a model that never answers must not keep the process from ending.
            loop = asyncio.get_running_loop()
            self._thread = threading.Thread(
                target=self._run, args=(loop,), name="shadow", daemon=True
            )
            self._thread.start()
        same = scored.bundle.manifest.input == self.judge.bundle.manifest.input
        try:
            self._shown.put_nowait(_Shown(judged, scored.pixels if same else None))
        except queue.Full:
            self._count("shadow frames skipped", 1)

    def close(self) -> None:
        """Let the thread end after the frames it has in work; those that wait are skipped."""
        self._closed = True
        skipped = 0
        while not self._shown.empty():
            self._shown.get_nowait()
            skipped += 1
        if skipped:
            self._count("shadow frames skipped", skipped)
        self._shown.put_nowait(None)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        if sys.platform == "linux":  # elsewhere it would be the whole process's
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        while not self._closed and (shown := self._next()):
            try:
                telling = self._tell(*self._compare(shown))
                asyncio.run_coroutine_threadsafe(telling, loop).result()
            # Whatever a bundle on trial does, the rest goes on.
            except Exception:  # noqa: BLE001
                if loop.is_closed():
                    return
                loop.call_soon_threadsafe(self._count, "shadow frames failed", len(shown))

    def _next(self) -> list[_Shown]:
        """What waits, at least one frame; nothing once the shadow is closed."""
        shown: list[_Shown] = []
        while len(shown) < self._batch and (not shown or not self._shown.empty()):
            item = self._shown.get()
            if item is None:
                return []
            shown.append(item)
        return shown

    def _compare(self, shown: Sequence[_Shown]) -> tuple[int, int, list[Outgoing]]:
        """How many frames were judged and how many could not be decoded, and the disagreements.

        Raises whatever the bundle and the decoder do.
        """
        unseen = [item.judged.frame for item in shown if item.pixels is None]
        looked_at = iter(self.judge.decode(unseen))
        decoded = [
            (item.judged, next(looked_at) if item.pixels is None else item.pixels) for item in shown
        ]
        readable = [
            (judged, pixels) for judged, pixels in decoded if not isinstance(pixels, Rejection)
        ]
        bundle = self.judge.bundle
        rows = bundle.judge([pixels for _, pixels in readable]) if readable else ()
        found = [
            outgoing
            for (judged, _), row in zip(readable, rows, strict=True)
            for outgoing in disagreements(judged, bundle, [float(score) for score in row])
        ]
        return len(readable), len(shown) - len(readable), found

    async def _tell(self, judged: int, failed: int, found: Sequence[Outgoing]) -> None:
        self._count("shadow frames judged", judged)
        if failed:
            self._count("shadow frames failed", failed)
        try:
            await self._publish(found)
        except ProcessUnfit:
            self._count("shadow disagreements not published", len(found))
        else:
            self._count("shadow disagreements", len(found))
