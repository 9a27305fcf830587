"""The demo's takedown service: stops the streams that are to be taken down, and says so.

In the small it is what a platform runs beside its shards, in this order: read a request, stop the
stream, answer, and only then commit. Whatever breaks in between, the request comes again under the
same id; to stop a stream that has ended is to find nothing left to stop, and the answer has the
same id too. A request that nobody answers is repeated, and then put before people.

With the keys that decisions are signed with, it obeys nothing else. As each request is read by
itself, an old one that somebody writes again is obeyed again: its stream has ended by then.

It differs from a real one in one thing: it stops drills. The demo is the drill. A real takedown
service must leave a stream alone whose request says ``drill``.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, cast

from confluent_kafka import Consumer, KafkaException, Message

from agents.publishing import PublishFailed, outgoing
from schemas import (
    Codec,
    EventUnreadable,
    TakedownAcknowledged,
    TakedownRequested,
    derive_id,
    read_traceparent,
    topics,
)
from schemas.headers import ReadHeaders
from schemas.signatures import NotIssued, Verifier
from topology.publisher import KafkaPublisher
from topology.sampler import StopOutcome, Stops

logger = logging.getLogger(__name__)

SERVICE = "demo-takedowns"
_JOIN_SECONDS = 30.0
_POLL_SECONDS = 0.2
_RETRY_SECONDS = 1.0


class TakedownService:
    """Obeys takedowns of what ``stops`` carry, on a thread of its own.

    ``config`` is librdkafka's. Services of one ``group`` share the requests out among them. A
    stream has ``stop_within`` seconds to end, which is less than the policy waits for an answer.
    Without a ``verifier`` whoever may write to the topic is obeyed.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        codec: Codec,
        stops: Stops,
        *,
        group: str = SERVICE,
        stop_within: float = 5.0,
        verifier: Verifier | None = None,
    ) -> None:
        self._codec = codec
        self._stops = stops
        self._stop_within = stop_within
        self._verifier = verifier
        self._publisher = KafkaPublisher(config, codec, f"firebreak/{SERVICE}")
        self._consumer = Consumer(
            {
                **config,
                "group.id": group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                # Some brokers take half of this to let the first member of a group in.
                "session.timeout.ms": 6_000,
                "heartbeat.interval.ms": 2_000,
            }
        )
        self._joined = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="takedowns", daemon=True)

    def __enter__(self) -> Self:
        """Return once it serves, or after a while in which Kafka did not let it into its group."""
        self._consumer.subscribe([topics.TAKEDOWNS], on_assign=lambda *_: self._joined.set())
        self._thread.start()
        self._joined.wait(_JOIN_SECONDS)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._thread.join()
        self._consumer.close()
        self._publisher.close()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            message = self._consumer.poll(_POLL_SECONDS)
            if message is None:
                continue
            if (error := message.error()) is not None:
                # librdkafka goes on by itself as soon as it can.
                logger.warning("takedowns can't be read now: %s", error.str())
                continue
            self._serve_until_answered(message)

    def _serve_until_answered(self, message: Message) -> None:
        while not self._stopping.is_set():
            try:
                self._obey(message)
                self._consumer.commit(message=message)
            except (PublishFailed, KafkaException) as failure:
                logger.warning("a takedown could not be answered: %s", failure)
                self._stopping.wait(_RETRY_SECONDS)
            else:
                return

    def _obey(self, message: Message) -> None:
        headers = cast(ReadHeaders, message.headers())
        value = message.value() or b""
        try:
            if self._verifier is not None:
                self._verifier.verify(TakedownRequested, value, headers)
            takedown = self._codec.decode(value, TakedownRequested)
        except (NotIssued, EventUnreadable) as refused:
            place = f"{message.topic()}/{message.partition()}/{message.offset()}"
            logger.warning("%s is not obeyed: %s", place, refused)
            return
        outcome = self._stops.stop(takedown.stream_id, takedown.session_id, self._stop_within)
        if outcome is StopOutcome.NOT_CARRIED:
            return
        cause = read_traceparent(headers)
        answer = _answer(takedown, outcome is StopOutcome.STOPPED, time.time_ns() // 1000)
        asyncio.run(self._publisher.publish([outgoing(answer, cause)]))


def _answer(takedown: TakedownRequested, stopped: bool, now: int) -> TakedownAcknowledged:
    """What is told about ``takedown``: the same id for the same, however often it is asked."""
    cause = [takedown.takedown_id] if stopped else [takedown.takedown_id, "failed"]
    return TakedownAcknowledged(
        acknowledgement_id=derive_id("acknowledgement", *cause),
        takedown_id=takedown.takedown_id,
        stream_id=takedown.stream_id,
        session_id=takedown.session_id,
        outcome="stopped" if stopped else "failed",
        detail="" if stopped else "it did not end in time",
        service=SERVICE,
        acknowledged_at=now,
    )
