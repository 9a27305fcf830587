"""A thousand streams that come and go, each sending a frame now and then."""

from __future__ import annotations

import random
import threading
import time
from collections import deque

from confluent_kafka import Message, Producer

from schemas import Codec, FrameSampled, StreamUpdated, topics
from tests.bench.job import Footage, renamed
from topology.kafka_config import PRODUCER

FRAMES_OF_A_STREAM = 30
_ATTACK_IN = 500
"""One stream in so many shows the drill."""
_TURN_SECONDS = 0.02
_FLUSH_SECONDS = 60


class ComingAndGoing:
    """``rate`` frames a second of ``streams`` streams by turns; one that has sent its frames ends,
    is told to have ended, and another one begins."""

    def __init__(self, bootstrap: str, footage: Footage, rate: float, streams: int) -> None:
        self._footage = footage
        self._rate = rate
        self._streams = streams
        self._codec = Codec()
        self._chance = random.Random(1)
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "message.max.bytes": 8 << 20, **PRODUCER}
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="soak", daemon=True)
        self._began = time.monotonic()
        self.sent = 0
        self.begun = 0
        self.acknowledged = 0
        """Frames that the brokers have."""
        self.failed: list[str] = []

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def __enter__(self) -> ComingAndGoing:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Send no more, and wait until the brokers have all that was sent.

        Raises ``RuntimeError`` where they have not.
        """
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._thread.join()
        left = self._producer.flush(_FLUSH_SECONDS)
        # Else it would go on to tell of brokers that are gone.
        del self._producer
        if left or self.failed:
            raise RuntimeError(
                f"{left} records not delivered, {len(self.failed)} failed: {self.failed[:1]}"
            )

    def _run(self) -> None:
        # Of each stream its number, and how many frames it has left; not all end at once.
        live = deque(
            (self._begin(), self._chance.randint(1, FRAMES_OF_A_STREAM))
            for _ in range(self._streams)
        )
        while not self._stopping.wait(_TURN_SECONDS):
            while self.sent < self.seconds * self._rate:
                stream, left = live.popleft()
                self._send_frame(stream, left)
                if left > 1:
                    live.append((stream, left - 1))
                else:
                    self._send_news(stream, "ended")
                    live.append((self._begin(), FRAMES_OF_A_STREAM))
            self._producer.poll(0)

    def _begin(self) -> int:
        self.begun += 1
        self._send_news(self.begun, "started")
        return self.begun

    def _send_frame(self, stream: int, left: int) -> None:
        attack = stream % _ATTACK_IN == 0
        clip = self._footage.attack if attack else self._footage.ordinary
        frame = renamed(
            clip[(stream + left) % len(clip)],
            f"stream-{stream}",
            FRAMES_OF_A_STREAM - left,
            time.time_ns() // 1000,
            attack,
        )
        self._produce(topics.FRAME_SAMPLES, frame)
        self.sent += 1

    def _send_news(self, stream: int, change: str) -> None:
        name = f"stream-{stream}"
        at = time.time_ns() // 1000
        news = StreamUpdated(name, f"{name}-session", "soak", change, at)
        self._produce(topics.STREAM_UPDATES, news)

    def _produce(self, topic: str, event: FrameSampled | StreamUpdated) -> None:
        value, key = self._codec.encode(event), event.stream_id.encode()
        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=self._report)
                return
            except BufferError:
                self._producer.poll(0.05)

    def _report(self, error: object, message: Message) -> None:
        if error is not None:
            self.failed.append(str(error))
        elif message.topic() == topics.FRAME_SAMPLES:
            self.acknowledged += 1
