"""Ticks: that time passes, told to every partition that this worker has."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

import faust

from schemas import Ticked, topics

from ..intake import Intake
from ..publishing import PublishFailed, outgoing

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0


def register(
    app: faust.App, intake: Intake, now_us: Callable[[], int] = lambda: time.time_ns() // 1000
) -> None:
    """Tick once a second; ``now_us`` is the clock that ticks tell."""

    @app.timer(TICK_SECONDS)  # type: ignore[untyped-decorator]  # Faust's
    async def make_ticks() -> None:
        assigned = app.consumer.assignment()
        mine = sorted(tp.partition for tp in assigned if tp.topic == topics.TICKS)
        await publish_ticks(intake, mine, now_us())


async def publish_ticks(intake: Intake, partitions: Iterable[int], now: int) -> None:
    """Publish to each of ``partitions`` that it is ``now``, unless the brokers are away."""
    try:
        await intake.publish([outgoing(Ticked(number, now), None, number) for number in partitions])
    except PublishFailed as failure:
        # The next second comes; what is overdue then is no less so.
        log.warning("no tick: %s", failure)
