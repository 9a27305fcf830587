"""Sampling faster for a while, where the topology asks for it (``SamplingBoostRequested``)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from types import TracebackType
from typing import Any, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas import MICROSECONDS, Codec, EventUnreadable, SamplingBoostRequested, topics

from .options import FASTEST, MAX_DENOMINATOR

logger = logging.getLogger(__name__)

MAX_LASTS = 3600 * MICROSECONDS
"""From when it is heard: what was asked for by a clock that is wrong does not stay for ever."""
_ANSWER_SECONDS = 3.0
_POLL_SECONDS = 0.2
_RETRY_SECONDS = 5.0
_BATCH = 100


@dataclass(frozen=True, slots=True)
class _Boost:
    rate: Fraction
    until: int


class Boosts:
    """The rates asked for, of ``streams`` only. Safe to use from any thread."""

    def __init__(self, streams: Iterable[str]) -> None:
        self._streams = frozenset(streams)
        self._boosts: dict[str, _Boost] = {}

    def take(self, asked: SamplingBoostRequested, now: int) -> bool:
        """Obey ``asked`` from ``now`` on, microseconds since the epoch; the newest word counts.

        False where there is nothing to obey: another's stream, a time that is over, no rate.
        """
        fps = asked.frames_per_second
        known = asked.stream_id in self._streams
        if not known or asked.until <= now or not (isfinite(fps) and fps > 0):
            return False
        rate = Fraction(min(fps, FASTEST)).limit_denominator(MAX_DENOMINATOR)
        self._boosts[asked.stream_id] = _Boost(rate, min(asked.until, now + MAX_LASTS))
        return True

    def rate(self, stream_id: str, own: Fraction, now: int) -> Fraction:
        """Samples a second of a stream at ``now``: never fewer than its ``own``."""
        boost = self._boosts.get(stream_id)
        return own if boost is None or now >= boost.until else max(own, boost.rate)


class BoostFeed:
    """Reads what is asked for from now on into ``boosts``, on a thread of its own.

    No group is joined: each sampler reads everything and takes what is its own. Sampling does not
    wait for it: while Kafka can't be read, streams are sampled at the rate that they have.
    ``config`` is librdkafka's, ``now_us`` the wall clock in microseconds since the epoch.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        boosts: Boosts,
        *,
        codec: Codec | None = None,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._consumer = Consumer(
            {
                # Required by librdkafka even where partitions are assigned by hand.
                "group.id": "firebreak-sampler",
                "enable.auto.commit": False,
                "auto.offset.reset": "latest",
                **config,
            }
        )
        self._boosts = boosts
        self._codec = codec or Codec()
        self._now_us = now_us
        self._tried = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="boosts", daemon=True)

    def __enter__(self) -> Self:
        """What is asked for from here on is heard, unless Kafka can't be read now."""
        self._thread.start()
        self._tried.wait()
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

    def _follow(self) -> None:
        while not self._stopping.is_set():
            try:
                self._consumer.assign(_ends(self._consumer))
            except KafkaException as error:
                logger.warning("boosts are not heard: %s", error.args[0].str())
                self._tried.set()
                self._stopping.wait(_RETRY_SECONDS)
            else:
                self._tried.set()
                break
        while not self._stopping.is_set():
            for message in self._consumer.consume(_BATCH, timeout=_POLL_SECONDS):
                self._hear(message)

    def _hear(self, message: Message) -> None:
        if (error := message.error()) is not None:
            # librdkafka goes on by itself, where it was, as soon as it can.
            logger.warning("boosts are not heard now: %s", error.str())
            return
        try:
            asked = self._codec.decode(message.value() or b"", SamplingBoostRequested)
        except EventUnreadable as unreadable:
            place = f"{message.topic()}/{message.partition()}/{message.offset()}"
            logger.warning("%s: %s", place, unreadable)
        else:
            self._boosts.take(asked, self._now_us())


def _ends(consumer: Consumer) -> list[TopicPartition]:
    """Where each partition ends now. Raises ``KafkaException``."""
    # All topics: to ask for one by name creates it on brokers that create them on demand.
    found = consumer.list_topics(timeout=_ANSWER_SECONDS).topics.get(topics.SAMPLING)
    if found is None:
        raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, topics.SAMPLING))
    ends = []
    for number in found.partitions:
        partition = TopicPartition(topics.SAMPLING, number)
        _, end = consumer.get_watermark_offsets(partition, timeout=_ANSWER_SECONDS)
        ends.append(TopicPartition(topics.SAMPLING, number, end))
    return ends
