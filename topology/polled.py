"""A librdkafka producer with the thread that serves its delivery reports."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Producer

from .kafka_config import PRODUCER

_POLL_SECONDS = 0.1
_FLUSH_SECONDS = 10.0


class PolledProducer:
    """``producer`` is librdkafka's, set up by ``PRODUCER`` and then by ``config``.

    Reports are called on the polling thread, and on that of whoever flushes.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.producer = Producer({**PRODUCER, **config})
        self._stopping = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="producer-poll", daemon=True)
        self._poller.start()

    def close(self, seconds: float = _FLUSH_SECONDS) -> None:
        """Deliver what is queued, for at most so long, and stop."""
        self.producer.flush(seconds)
        self._stopping.set()
        self._poller.join()

    def _poll(self) -> None:
        while not self._stopping.is_set():
            self.producer.poll(_POLL_SECONDS)
