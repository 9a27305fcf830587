"""Load as it is in life: paced by the clock, with attacks that begin now and then.

An attack is a stream whose frames, six seconds of event time in one of the clock's, show what takes
it down. Which frame tipped it is told by the risk that the takedown names as its cause.

Times are the brokers' own where they stamp records on arrival (``LogAppendTime``); the embedded
broker does not, and there they are this process's clock as deliveries and takedowns reach it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from confluent_kafka import (
    OFFSET_END,
    TIMESTAMP_LOG_APPEND_TIME,
    Consumer,
    Message,
    Producer,
    TopicPartition,
)

from schemas import MICROSECONDS, Codec, FrameSampled, RiskAssessed, TakedownRequested, topics
from topology.kafka_config import PRODUCER

from .harness import Ground
from .job import Footage, renamed

ATTACK_FRAMES = 14
"""At two a second: more than it takes by the default policy."""
ATTACK_SECONDS = 1.0
"""Of the clock, for all of them."""
ATTACKS_A_SECOND = 16.0
STREAMS_OF_ATTACK_SHARE = 0.5
"""At most this share of the load is attacks: with few frames a second there are fewer of them."""
_SHORTEST_WAIT = 0.002

Place = tuple[int, int]
"""Partition and offset of a frame sample."""


@dataclass
class Times:
    """When frames and takedowns were with the brokers, in seconds, and how they belong together."""

    frames: dict[Place, float] = field(default_factory=dict)
    causes: dict[str, Place] = field(default_factory=dict)
    """Of risks, by their id: the frame that moved them."""
    takedowns: dict[str, float] = field(default_factory=dict)
    """By the id of the risk that caused them."""

    def milliseconds(self) -> list[float]:
        return sorted(
            (at - self.frames[place]) * 1000
            for cause, at in self.takedowns.items()
            if (place := self.causes.get(cause)) in self.frames
        )


def attacks_in(rate: float, seconds: float) -> int:
    most = rate * STREAMS_OF_ATTACK_SHARE / ATTACK_FRAMES
    return max(int(min(ATTACKS_A_SECOND, most) * (seconds - ATTACK_SECONDS)), 1)


@dataclass
class Load:
    """``rate`` frames a second for ``seconds``: calm streams, and attacks one after the other.

    Streams of loads of one ``name`` are the same.
    """

    footage: Footage
    rate: float
    seconds: float
    name: str

    def __post_init__(self) -> None:
        self._attacks = attacks_in(self.rate, self.seconds)
        self._calm = max(self.rate - self._attacks * ATTACK_FRAMES / self.seconds, 1.0)
        self._streams = max(int(self._calm / 2), 1)

    def first_frames(self) -> list[FrameSampled]:
        """One of each calm stream."""
        now = time.time_ns() // 1000
        return [self._frame(-1 - stream, 0, now) for stream in range(self._streams)]

    def planned(self) -> Iterator[tuple[float, FrameSampled]]:
        """When to send, in seconds from the start, and what; in order of time."""
        every = (self.seconds - ATTACK_SECONDS) / self._attacks
        attacks = [
            (number * every + step * ATTACK_SECONDS / ATTACK_FRAMES, number, step)
            for number in range(self._attacks)
            for step in range(ATTACK_FRAMES)
        ]
        calm = [
            (n / self._calm, -1 - n % self._streams, 1 + n)
            for n in range(int(self._calm * self.seconds))
        ]
        begin = time.time_ns() // 1000
        for at, stream, step in sorted([*attacks, *calm]):
            behind = (ATTACK_FRAMES - step) * MICROSECONDS // 2 if stream >= 0 else 0
            yield at, self._frame(stream, step, begin + int(at * MICROSECONDS) - behind)

    def _frame(self, stream: int, step: int, captured_at: int) -> FrameSampled:
        attack = stream >= 0
        clip = self.footage.attack[-4:] if attack else self.footage.ordinary
        label = f"{'attack' if attack else 'calm'}-{self.name}-{abs(stream)}"
        return renamed(clip[step % len(clip)], label, step, captured_at, attack)


def send(ground: Ground, times: Times, load: Iterator[tuple[float, FrameSampled]]) -> int:
    """Send ``load`` when it is due, within some milliseconds; how many frames it was."""
    codec, sent = Codec(), 0
    producer = Producer({"bootstrap.servers": ground.bootstrap, **PRODUCER, "linger.ms": 1})

    def delivered(error: object, message: Message) -> None:
        if error is None:
            times.frames[message.partition() or 0, message.offset() or 0] = _appended(message)

    began = time.monotonic()
    for at, frame in load:
        while (wait := began + at - time.monotonic()) > 0:
            # In milliseconds, as what polls counts in them: for less it would not wait at all.
            time.sleep(max(wait, _SHORTEST_WAIT))
            producer.poll(0)
        producer.produce(
            topics.FRAME_SAMPLES,
            codec.encode(frame),
            frame.stream_id.encode(),
            on_delivery=delivered if frame.drill else None,
        )
        producer.poll(0)
        sent += 1
    producer.flush(30)
    return sent


def watch(ground: Ground, times: Times, done: threading.Event) -> None:
    consumer = Consumer(
        {
            "bootstrap.servers": ground.bootstrap,
            "group.id": "bench-latency",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": ground.fetch_wait_ms,
        }
    )
    numbers = range(ground.partitions)
    followed = (topics.RISK, topics.TAKEDOWNS)
    consumer.assign([TopicPartition(name, n, OFFSET_END) for name in followed for n in numbers])
    codec = Codec()
    while not done.is_set():
        message = consumer.poll(0.05)
        if message is None or message.error() is not None:
            continue
        value = message.value()
        if message.topic() == topics.RISK:
            risk = codec.decode(value, RiskAssessed)
            times.causes[risk.risk_id] = (risk.cause.partition, risk.cause.offset)
        else:
            takedown = codec.decode(value, TakedownRequested)
            times.takedowns.setdefault(takedown.cause_id, _appended(message))
    consumer.close()


def _appended(message: Message) -> float:
    kind, milliseconds = message.timestamp()
    return milliseconds / 1000 if kind == TIMESTAMP_LOG_APPEND_TIME else time.time()
