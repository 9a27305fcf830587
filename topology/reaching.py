"""Reaching the brokers as a worker starts: they may be away, for as long as it takes them."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread
from types import FrameType

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported without __all__
    ClusterMetadata,
)

from .settings import Settings
from .topic_admin import BrokersAway, find_topics

log = logging.getLogger(__name__)

_ATTEMPT_SECONDS = 10.0
"""Within one librdkafka connects again at least every second: what has come back is seen soon."""
_PAUSE_SECONDS = 1.0
_TELL_SECONDS = 60.0


def reach_brokers(settings: Settings, bootstrap: str) -> ClusterMetadata:
    """The brokers and their topics, once they answer. To be called on the main thread.

    Until then it tells the log now and then. A signal to end ends the process at once, with 0.

    Raises ``BrokersAway`` where ``settings.broker_wait`` is over, and at once ``TopicsUnreadable``
    and ``SettingsInvalid`` where waiting mends nothing.
    """
    found: Future[ClusterMetadata] = Future()
    # On a thread: librdkafka's call lasts for seconds, in which no signal would be heard.
    asking = Thread(target=_ask, args=(settings, bootstrap, found), name="reaching", daemon=True)
    with _ended_by_signals():
        asking.start()
        return found.result()


def _ask(settings: Settings, bootstrap: str, found: Future[ClusterMetadata]) -> None:
    begun = time.monotonic()
    tell_at = begun
    while True:
        waited = time.monotonic() - begun
        left = float("inf") if settings.broker_wait is None else settings.broker_wait - waited
        try:
            found.set_result(
                find_topics(settings, bootstrap, min(_ATTEMPT_SECONDS, max(left, 0.1)))
            )
            return
        except BrokersAway as error:
            waited = time.monotonic() - begun
            if settings.broker_wait is not None and waited >= settings.broker_wait:
                found.set_exception(error)
                return
            if time.monotonic() >= tell_at:
                log.warning("no Kafka for %.0f s, this worker waits for it: %s", waited, error)
                tell_at = time.monotonic() + _TELL_SECONDS
        # Whatever else it is, it is for the main thread.
        except BaseException as error:  # noqa: BLE001
            found.set_exception(error)
            return
        time.sleep(_PAUSE_SECONDS)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """As Faust ends at them; they come as soon as they are sent, as the main thread only waits."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    before = {it: signal.signal(it, end) for it in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for it, handler in before.items():
            signal.signal(it, handler)
