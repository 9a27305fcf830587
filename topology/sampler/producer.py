"""Frames into Kafka: idempotent, acknowledged by all replicas, with bounded back-pressure."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from time import monotonic
from types import TracebackType
from typing import Any, Self

from confluent_kafka import KafkaError

from schemas import CloudEvent, Codec, FrameSampled, StreamUpdated, topics, write_headers
from topology.kafka_config import ENVELOPE_BYTES
from topology.polled import PolledProducer, Record

DeliveryReport = Callable[[str | None], None]
"""Called once the brokers have an event, with ``None``, or never will, with the reason."""


class FrameTooLarge(Exception):
    """A payload is over the limit: the frame is not sent. Sample smaller or raise the limit."""


class DeliveryFailed(Exception):
    """The brokers take no frames, or not fast enough: their operator must act."""


class FrameProducer:
    """Produces the sampler's events, keyed by stream, from any number of threads.

    ``config`` is librdkafka's. Payloads of over ``max_payload_bytes`` are refused. A full queue
    is waited on for ``queue_wait`` seconds at most.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        max_payload_bytes: int,
        codec: Codec | None = None,
        queue_wait: float = 30.0,
    ) -> None:
        self._polled = PolledProducer(
            {
                "queue.buffering.max.kbytes": 256 * 1024,
                "message.max.bytes": max_payload_bytes + ENVELOPE_BYTES,
                **config,
            }
        )
        self._codec = codec or Codec()
        self._max_payload_bytes = max_payload_bytes
        self._queue_wait = queue_wait
        self._room = threading.Condition()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def send(
        self, event: FrameSampled | StreamUpdated, on_delivery: DeliveryReport | None = None
    ) -> None:
        """Queue ``event``; ``on_delivery`` is called on another thread, or before this returns
        where it is refused, one call at a time.

        Raises ``FrameTooLarge``, and ``DeliveryFailed`` where the queue stays full.
        """
        record = self._record(event)
        deadline = monotonic() + self._queue_wait
        # Reports take the same lock, so room can't be made unseen between trying and waiting.
        with self._room:
            while True:
                try:
                    self._polled.produce([(record, lambda e, _: self._report(e, on_delivery))])
                    return
                except BufferError:
                    if not self._room.wait(deadline - monotonic()):
                        raise DeliveryFailed(
                            f"the queue stayed full for {self._queue_wait:g} s"
                        ) from None

    def flush(self, seconds: float) -> int:
        """Wait for the brokers for at most ``seconds``; how many events they still lack."""
        return self._polled.flush(seconds)

    def close(self) -> None:
        """Deliver what is queued, for at most ten seconds, and stop."""
        self._polled.close()

    def _record(self, event: FrameSampled | StreamUpdated) -> Record:
        if isinstance(event, FrameSampled) and len(event.payload) > self._max_payload_bytes:
            raise FrameTooLarge(
                f"{event.stream_id}: frame {event.sequence} has {len(event.payload)} bytes, "
                f"over the limit of {self._max_payload_bytes}"
            )
        name = type(event).__name__
        cloud_event = CloudEvent(
            id=event.id,
            type=f"firebreak.{name}",
            source=f"firebreak/sampler/{event.shard_id}",
            subject=event.subject,
            time=event.time,
        )
        return {
            "topic": topics.TOPIC_OF[name],
            "key": event.stream_id.encode(),
            "value": self._codec.encode(event),
            "headers": write_headers(cloud_event, None),
        }

    def _report(self, error: KafkaError | None, on_delivery: DeliveryReport | None) -> None:
        # Polling and flushing both end here, on threads of their own.
        with self._room:
            if on_delivery is not None:
                on_delivery(None if error is None else error.str())
            self._room.notify()
