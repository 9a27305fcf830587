"""What end-to-end tests stand on: stacks on free ports, and readers of whole topics."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.error import URLError
from urllib.request import Request, urlopen

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition
from pydantic import SecretStr

from schemas import Codec, Event, EventUnreadable, topics
from tests import signed_in
from tests.brokers import BrokerKind, running_broker
from tests.waiting import wait_until
from topology.fleet import Fleet
from topology.settings import Settings
from topology.stack import Stack, run_stack

CODEC = Codec()
READY_SECONDS = 60.0
E = TypeVar("E", bound=Event)


def free_port_pair() -> int:
    """A port that is free now, with the next one free too."""
    while True:
        with closing(socket.socket()) as first, closing(socket.socket()) as second:
            first.bind(("127.0.0.1", 0))
            port = cast(int, first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


@contextmanager
def running_stack(
    runtime_dir: Path, kind: BrokerKind = "embedded", *, bootstrap: str | None = None
) -> Iterator[Stack]:
    """A broker unless there is one at ``bootstrap``, the topics and both workers, ready."""
    key = SecretStr(signed_in.KEY)
    settings = Settings(runtime_dir=runtime_dir, web_port=free_port_pair(), web_key=key)
    with ExitStack() as running:
        if kind == "kafka" and bootstrap is None:
            bootstrap = running.enter_context(running_broker(kind, runtime_dir))
        if bootstrap is not None:
            settings = settings.model_copy(update={"bootstrap_servers": bootstrap})
        stack = running.enter_context(run_stack(settings))
        wait_until(lambda: ready(stack.fleet), READY_SECONDS)
        yield stack


def ready(fleet: Fleet) -> bool:
    return all(get(f"{url}/ready").get("ready") for url in fleet.web_urls.values())


def get(url: str) -> dict[str, Any]:
    """The JSON at ``url``, for a signed-in admin; nothing while it does not answer 200."""
    try:
        with urlopen(Request(url, headers=signed_in.headers()), timeout=2) as answer:
            return cast(dict[str, Any], json.load(answer))
    except (URLError, OSError):
        return {}


def produce(
    bootstrap: str, topic: str, records: list[tuple[bytes, bytes]], at: int | None = None
) -> None:
    """Produce keys and values, and see them delivered; ``at`` is their time, in microseconds since
    the epoch, where brokers leave records the time that they come with."""
    failed: list[str] = []
    producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random"})

    def report(error: object, _: object) -> None:
        if error is not None:
            failed.append(str(error))

    for key, value in records:
        # 0 is the moment of producing.
        stamp = 0 if at is None else at // 1000
        producer.produce(topic, key=key, value=value, on_delivery=report, timestamp=stamp)
        producer.poll(0)
    assert producer.flush(60) == 0
    assert failed == []


class Reader:
    """All records of one topic from its beginning; ``events`` reads on and gives all so far.

    On brokers that tests share there may be records of others that can't be read: with ``shared``
    they are left out.
    """

    def __init__(self, bootstrap: str, event_type: type[E], *, shared: bool = False) -> None:
        self._type = event_type
        self._shared = shared
        self._consumer = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": "test", "enable.auto.commit": False}
        )
        topic = topics.TOPIC_OF[event_type.__name__]
        partitions = self._consumer.list_topics(timeout=10).topics[topic].partitions
        self._consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in partitions])
        self.messages: list[Message] = []

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._consumer.close()

    def events(self) -> list[Any]:
        self.messages += [m for m in self._consumer.consume(1000, timeout=0.2) if not m.error()]
        found = []
        for message in self.messages:
            try:
                found.append(CODEC.decode(message.value(), self._type))
            except EventUnreadable:
                if not self._shared:
                    raise
        return found
