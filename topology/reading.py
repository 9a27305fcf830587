"""What readers of a partition's past share: polling until they have it, or for so long."""

from __future__ import annotations

import time
from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaError, KafkaException, Message

_POLL_SECONDS = 0.2
_BATCH = 1000


def messages(consumer: Consumer, seconds: float) -> Iterator[Message]:
    """What ``consumer`` is assigned to, for ``seconds`` at most.

    The end of a partition is told as a message with that error, where ``enable.partition.eof`` is
    set. Raises ``KafkaException`` for any other error.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for message in consumer.consume(_BATCH, timeout=_POLL_SECONDS):
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            yield message
