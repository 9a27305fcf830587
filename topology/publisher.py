"""Publishing through librdkafka: idempotent, acknowledged by all replicas, off the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, Message

from agents.publishing import Outgoing, OutputTooLarge, PublishFailed
from schemas import CloudEvent, Codec, topics, write_headers
from schemas.signatures import SIGNATURE, SIGNED, Signer

from .brokers_clock import BrokersClock
from .polled import PolledProducer, Record, Report

log = logging.getLogger(__name__)

_NO_OFFSET = -1
_CLOSE_SECONDS = 1.0
_QUEUE_RETRY_SECONDS = 0.01
_REPORT_SECONDS = 330.0
"""Within 300 librdkafka reports what could not be delivered. Its threads wait by the wall clock,
and where that is set back they wait for as long as it was set back: a new process does not."""


class KafkaPublisher:
    """A ``Publisher`` on librdkafka.

    ``config`` is librdkafka's; ``source`` is the CloudEvents source, say ``firebreak/detection``.
    Decisions are signed where there is a ``signer``.
    """

    def __init__(
        self, config: Mapping[str, Any], codec: Codec, source: str, signer: Signer | None = None
    ) -> None:
        self._codec = codec
        self._source = source
        self._signer = signer
        self._away = False
        self.written: Counter[str] = Counter()
        """Records that the brokers have, by topic."""
        self.clock = BrokersClock()
        """The brokers', by the times of what was published."""
        self._polled = PolledProducer({"error_cb": self._note_error, **config})

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        await self._deliver([self._record(item) for item in outgoing])

    async def put(
        self,
        topic: str,
        partition: int,
        key: bytes,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> int:
        """Its offset, once the brokers have acknowledged the record; below 0 where it had to be
        sent again and they do not say. A ``value`` of ``None`` is a tombstone.

        Raises ``PublishFailed``.
        """
        record: Record = {
            "topic": topic,
            "partition": partition,
            "key": key,
            "value": value,
            "headers": list(headers),
        }
        return await self._deliver([record])

    def _record(self, item: Outgoing) -> Record:
        name = type(item.event).__name__
        cloud_event = CloudEvent(
            id=item.id,
            type=f"firebreak.{name}",
            source=self._source,
            subject=item.event.subject,
            time=item.time,
        )
        value = self._codec.encode(item.event)
        headers = write_headers(cloud_event, item.cause_traceparent)
        if self._signer is not None and type(item.event) in SIGNED:
            headers.append((SIGNATURE, self._signer.sign(type(item.event), value)))
        record: Record = {
            "topic": topics.TOPIC_OF[name],
            "key": item.key,
            "value": value,
            "headers": headers,
        }
        if item.partition is not None:
            record["partition"] = item.partition
        return record

    async def _deliver(self, records: Sequence[Record]) -> int:
        """The last record's offset."""
        if not records:
            return _NO_OFFSET
        delivery = _Delivery(asyncio.get_running_loop(), len(records))
        await self._produce(
            [(record, partial(self._report, delivery, record["topic"])) for record in records]
        )
        try:
            async with asyncio.timeout(_REPORT_SECONDS):
                offset = await delivery.done
        except TimeoutError:
            raise PublishFailed(f"no report within {_REPORT_SECONDS:g} s") from None
        self.written.update(record["topic"] for record in records)
        return offset

    async def _produce(self, records: Sequence[tuple[Record, Report]]) -> None:
        while True:
            try:
                return self._polled.produce(records)
            except BufferError:
                # The local queue is full: the poller empties it as the brokers acknowledge.
                await asyncio.sleep(_QUEUE_RETRY_SECONDS)

    def _report(
        self, delivery: _Delivery, topic: str, error: KafkaError | None, message: Message | None
    ) -> None:
        self._away = self._away and error is not None
        if error is not None:
            delivery.settle(_failed(topic, error))
        elif message is not None:
            self.clock.hear(*message.timestamp())
            delivery.arrive(message.offset())

    def _note_error(self, error: KafkaError) -> None:
        """Log that the brokers are away, once each time."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN and not self._away:
            self._away = True
            log.warning("no broker can be reached; what is to be published waits: %s", error.str())

    def close(self) -> None:
        """Deliver what is queued, for a second at most, and stop. What must not be lost has been
        waited for: a worker that was told to stop has no more time for the rest."""
        self._polled.close(_CLOSE_SECONDS)


class _Delivery:
    """Counts the delivery reports of one ``publish`` and completes its future on the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, expected: int) -> None:
        self._loop = loop
        self._left = expected
        self.done: asyncio.Future[int] = loop.create_future()

    def arrive(self, offset: int | None) -> None:
        """One has. Called on the thread of whoever polls, one at a time."""
        self._left -= 1
        if self._left == 0:
            self.settle(_NO_OFFSET if offset is None else offset)

    def settle(self, outcome: int | PublishFailed) -> None:
        # After the loop has closed nobody waits any more: another event of the same batch failed
        # before, or the process is ending.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._set, outcome)

    def _set(self, outcome: int | PublishFailed) -> None:
        if self.done.done():
            return
        if isinstance(outcome, PublishFailed):
            self.done.set_exception(outcome)
        else:
            self.done.set_result(outcome)


def _failed(topic: str, error: KafkaError) -> PublishFailed:
    too_large = error.code() == KafkaError.MSG_SIZE_TOO_LARGE
    return (OutputTooLarge if too_large else PublishFailed)(f"{topic}: {error.str()}")
