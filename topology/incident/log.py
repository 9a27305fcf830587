"""Topics read as a log: to their end as it is now, or at one place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from ..errors import OperatorError
from ..reading import messages
from .records import Place

_REQUEST_SECONDS = 10.0
_SILENCE_SECONDS = 30.0
_PLACE_SECONDS = 10.0


class RecordsUnreadable(OperatorError):
    """Kafka did not give the records: start it, create the topic or grant access to it."""


class TopicLog:
    """A consumer of its own that belongs to no group and commits nothing.

    ``config`` is librdkafka's. Everything raises ``RecordsUnreadable``.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._consumer = Consumer(
            {
                **config,
                # Required by librdkafka even where partitions are assigned by hand.
                "group.id": "firebreak-incident",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                # From a place that is gone to the oldest that is not: nothing is passed over.
                "auto.offset.reset": "earliest",
                # What is wanted is there already: the brokers need not wait for more.
                "fetch.wait.max.ms": 10,
            }
        )
        self._topics: dict[str, Collection[int]] | None = None

    def close(self) -> None:
        self._consumer.close()

    def read(
        self,
        names: Iterable[str],
        partitions: Collection[int] | None = None,
        since: int | None = None,
    ) -> Iterator[Message]:
        """Every record of the topics ``names``, up to their end, in no order between partitions.

        Of ``partitions`` alone where they are given, and from ``since`` on, by Kafka's time in
        microseconds.
        """
        with _told():
            places = [
                TopicPartition(name, number, OFFSET_BEGINNING)
                for name in names
                for number in self._partitions(name)
                if partitions is None or number in partitions
            ]
            yield from self._to_the_end(places if since is None else self._from(places, since))

    def at(self, topic: str, partition: int, offset: int) -> Message | None:
        """The record at a place, if it is still there."""
        with _told():
            if partition not in self._partitions(topic):
                return None
            wanted = TopicPartition(topic, partition, offset)
            # The end is not asked for: the embedded broker tells the beginning of its last batch,
            # and at a place beyond the end it is silent; others have the reader begin anew.
            oldest, _ = self._consumer.get_watermark_offsets(wanted, timeout=_REQUEST_SECONDS)
            if offset < oldest:
                return None
            for message in self._read([wanted], _PLACE_SECONDS):
                found = message.error() is None and message.offset() == offset
                return message if found else None
            return None

    def _to_the_end(self, places: list[TopicPartition]) -> Iterator[Message]:
        left = len(places)
        for message in self._read(places, _SILENCE_SECONDS):
            # The only error that is told here is the end of a partition.
            if message.error() is None:
                yield message
            else:
                left -= 1
            if not left:
                return
        if left:
            raise RecordsUnreadable(f"Kafka gave nothing for {_SILENCE_SECONDS:g} s")

    def _read(self, places: list[TopicPartition], seconds: float) -> Iterator[Message]:
        """What comes of ``places``, ends of partitions among it, until nothing does for so long."""
        self._consumer.assign(places)
        silent = not places
        while not silent:
            silent = True
            for message in messages(self._consumer, seconds):
                silent = False
                yield message

    def _from(self, places: list[TopicPartition], since: int) -> list[TopicPartition]:
        # Kafka's time index is in milliseconds; rounding down only reads more.
        at = [TopicPartition(p.topic, p.partition, max(since, 0) // 1000) for p in places]
        found = self._consumer.offsets_for_times(at, timeout=_REQUEST_SECONDS) if at else []
        for place in found:
            if place.error is not None:
                raise KafkaException(place.error)
        # -1, the end: there is nothing as new as that.
        return [place for place in found if place.offset >= 0]

    def _partitions(self, name: str) -> Collection[int]:
        if self._topics is None:
            # All topics: to ask for one by name creates it on brokers that create them on demand.
            found = self._consumer.list_topics(timeout=_REQUEST_SECONDS).topics
            self._topics = {each: frozenset(found[each].partitions) for each in found}
        if name not in self._topics:
            raise RecordsUnreadable(f"there is no topic {name}: see `firebreak topics check`")
        return self._topics[name]


def place_of(message: Message) -> Place:
    """Where ``message`` lies. Its time is -1 where the broker gave none."""
    _, milliseconds = message.timestamp()
    return Place(
        topic=cast(str, message.topic()),
        partition=cast(int, message.partition()),
        offset=cast(int, message.offset()),
        appended_at=milliseconds * 1000 if milliseconds >= 0 else -1,
    )


@contextmanager
def _told() -> Iterator[None]:
    """What librdkafka raises, as an error that names what the operator has to look at."""
    try:
        yield
    except KafkaException as error:
        raise RecordsUnreadable(f"Kafka: {error.args[0].str()}") from error
