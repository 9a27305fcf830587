"""A librdkafka producer with the thread that serves its delivery reports."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from time import monotonic
from typing import Any, TypedDict

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from .kafka_config import PRODUCER, partition_of
from .lanes import Lanes, Waiting

Report = Callable[[KafkaError | None, Message | None], None]
"""What became of a record: why it is not delivered, and the message where librdkafka had it."""

_POLL_SECONDS = 0.1
_FLUSH_SECONDS = 10.0
_ASK_SECONDS = 1.0
_ONE_LANE = 1
_HAND_OVER_SECONDS = PRODUCER["linger.ms"] / 1000 / 2
# librdkafka's, where the configuration leaves them out.
_MOST_RECORDS = 100_000
_MOST_KB = 1_048_576
_TIMEOUT_MS = 300_000
_LARGEST_RECORD = _BATCH_BYTES = 1_000_000
# At most, in a request: its own fields, and those of a record and of a header besides their bytes.
_REQUEST_BYTES = 1024
_RECORD_BYTES = 36
_HEADER_BYTES = 10


class Record(TypedDict, total=False):
    """As librdkafka takes it; a topic and a value at least."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class PolledProducer:
    """``config`` is librdkafka's, on top of ``PRODUCER``; to be used from any thread.

    Of each partition librdkafka has what it sends at once and no more (``topology.lanes``), in the
    order in which it came. Reports are called on the thread of whoever polls, flushes or produces.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        whole = {**PRODUCER, **config}
        self._producer = Producer(whole)
        self._room = int(whole.get("queue.buffering.max.messages", _MOST_RECORDS))
        self._room_bytes = int(whole.get("queue.buffering.max.kbytes", _MOST_KB)) * 1024
        self._timeout = int(whole.get("message.timeout.ms", _TIMEOUT_MS)) / 1000
        # `message.max.bytes` is a request's limit, too, where it holds more than one record.
        largest = int(whole.get("message.max.bytes", _LARGEST_RECORD))
        batch_bytes = min(largest, int(whole.get("batch.size", _BATCH_BYTES))) - _REQUEST_BYTES
        self._lock = threading.Lock()
        self._lanes: Lanes[_Entry] = Lanes(batch_bytes)
        self._partitions: dict[str, int] = {}
        self._asked: dict[str, list[Waiting[_Entry]]] = {}
        """What waits, by topic, until it is known how many partitions that has."""
        self._held = self._held_bytes = 0
        self._stopping = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="producer-poll", daemon=True)
        self._poller.start()

    def produce(self, records: Sequence[tuple[Record, Report]]) -> None:
        """Take all of ``records``, each with what is to be called once it is delivered, or never
        will be. Raises ``BufferError``, and takes none, where there is no room for all of them."""
        entries = [_Entry(record, report) for record, report in records]
        size = sum(entry.size for entry in entries)
        now = monotonic()
        with self._lock:
            if self._held and (
                self._held + len(entries) > self._room or self._held_bytes + size > self._room_bytes
            ):
                raise BufferError("no room for what is to be produced")
            self._held += len(entries)
            self._held_bytes += size
            for entry in entries:
                self._put(Waiting(entry, entry.size, now))
        self._send_due()

    def flush(self, seconds: float) -> int:
        """Wait for the brokers for at most so long; how many records they still lack."""
        deadline = monotonic() + seconds
        while self._held and (left := deadline - monotonic()) > 0:
            self._producer.poll(min(left, _POLL_SECONDS))
            self._send_due()
        return self._held

    def close(self, seconds: float = _FLUSH_SECONDS) -> None:
        """Deliver what is queued, for at most so long, and stop."""
        self.flush(seconds)
        self._stopping.set()
        self._poller.join()

    def _put(self, waiting: Waiting[_Entry]) -> None:
        """Into its lane, or with what waits for its topic. The lock is held."""
        record = waiting.item.record
        topic, partition = record["topic"], record.get("partition")
        if partition is None:
            if (count := self._partitions.get(topic)) is None:
                self._ask(topic)
                self._asked[topic].append(waiting)
                return
            partition = partition_of(record.get("key", b""), count)
        self._lanes.add((topic, partition), waiting)

    def _ask(self, topic: str) -> None:
        if topic not in self._asked:
            self._asked[topic] = []
            threading.Thread(target=self._learn, args=(topic,), daemon=True).start()

    def _learn(self, topic: str) -> None:
        """Find out how many partitions ``topic`` has. If it comes to have others, lanes are other
        than its partitions: then more may wait with librdkafka, and the order stays."""
        count = None
        while count is None:
            if self._stopping.is_set():
                return
            try:
                told = self._producer.list_topics(topic, timeout=_ASK_SECONDS).topics[topic]
                # Of a topic that is not there, librdkafka reports that.
                count = len(told.partitions) or _ONE_LANE
            except KafkaException:
                self._stopping.wait(_POLL_SECONDS)
        with self._lock:
            self._partitions[topic] = count
            for waiting in self._asked.pop(topic):
                self._put(waiting)
        self._send_due()

    def _poll(self) -> None:
        looked_at = monotonic()
        while not self._stopping.is_set():
            self._producer.poll(_POLL_SECONDS)
            self._send_due()
            # Through all lanes, so not after each of the reports, of which there may be hundreds.
            if (now := monotonic()) >= looked_at + _POLL_SECONDS:
                looked_at = now
                self._give_up_old(now - self._timeout)

    def _send_due(self) -> None:
        refused: list[tuple[_Entry, KafkaError]] = []
        with self._lock:
            for lane, due in self._lanes.due(monotonic()).items():
                refused += self._send(lane, due)
        for entry, error in refused:
            self._report(entry, error, None)

    def _send(
        self, lane: Hashable, due: Sequence[Waiting[_Entry]]
    ) -> list[tuple[_Entry, KafkaError]]:
        """What librdkafka refuses, and why. The lock is held: others' records come behind."""
        refused = []
        # Made before, so that librdkafka has all of them before it makes a request of what it has.
        calls: list[Any] = [
            {**it.item.record, "on_delivery": partial(self._arrived, lane, it.item)} for it in due
        ]
        until = monotonic() + _HAND_OVER_SECONDS
        for number, call in enumerate(calls):
            if number and monotonic() > until:
                # We were interrupted: what came now would wait behind that request.
                self._lanes.put_back(lane, due[number:])
                break
            try:
                self._producer.produce(**call)
            except BufferError:
                # It has not let go yet of what it has reported.
                self._lanes.put_back(lane, due[number:])
                break
            except KafkaException as error:
                self._lanes.done(lane, None)
                refused.append((due[number].item, error.args[0]))
        return refused

    def _arrived(
        self, lane: Hashable, entry: _Entry, error: KafkaError | None, message: Message
    ) -> None:
        with self._lock:
            self._lanes.done(lane, monotonic() if error is None else None)
        self._report(entry, error, message)

    def _give_up_old(self, since: float) -> None:
        """What has waited for as long as librdkafka itself would try: from before ``since``."""
        with self._lock:
            old = self._lanes.take_older(since)
            for topic, asked in self._asked.items():
                old += [waiting.item for waiting in asked if waiting.since < since]
                self._asked[topic] = [waiting for waiting in asked if waiting.since >= since]
        for entry in old:
            self._report(entry, KafkaError(KafkaError._MSG_TIMED_OUT), None)

    def _report(self, entry: _Entry, error: KafkaError | None, message: Message | None) -> None:
        with self._lock:
            self._held -= 1
            self._held_bytes -= entry.size
        entry.report(error, message)


class _Entry:
    __slots__ = ("record", "report", "size")

    def __init__(self, record: Record, report: Report) -> None:
        self.record = record
        self.report = report
        headers = record.get("headers", ())
        self.size = (
            _RECORD_BYTES
            + len(record.get("key", b""))
            + len(record.get("value") or b"")
            + sum(len(name) + len(value) + _HEADER_BYTES for name, value in headers)
        )
