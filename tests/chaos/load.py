"""Frames at a steady pace for as long as a fault is tried, with attacks that begin now and then."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from schemas import MICROSECONDS, FrameSampled
from topology.sampler import FrameProducer

_PAYLOAD = bytes(512)
_TURN_SECONDS = 0.05
_ATTACK_EVERY = 1.0
ATTACK_FRAMES = 14
_ATTACK_STEP = 0.5
"""Seconds of event time from one frame of an attack to the next; they are sent faster."""


@dataclass
class SteadyLoad:
    """``rate`` frames a second of ``streams`` calm streams, and those of the attacks besides."""

    bootstrap: str
    rate: float = 220.0
    streams: int = 100
    sent: int = 0
    acknowledged: int = 0
    failed: list[str] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._sequences: dict[str, int] = {}
        self._attacks = 0
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._producer = FrameProducer(
            # A shard keeps what the brokers have not taken for longer than any fault lasts.
            {"bootstrap.servers": self.bootstrap, "message.timeout.ms": 300_000},
            max_payload_bytes=len(_PAYLOAD),
        )

    def __enter__(self) -> SteadyLoad:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Send no more, and wait until the brokers have all that was sent."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._thread.join()
        left = self._producer.flush(120)
        self._producer.close()
        # Else it would go on to tell of brokers that are gone.
        del self._producer
        if left or self.failed:
            raise RuntimeError(f"{left} frames not delivered, {len(self.failed)} failed")

    def _run(self) -> None:
        began = time.monotonic()
        calm = attack_steps = 0
        while not self._stopping.wait(_TURN_SECONDS):
            now = time.monotonic() - began
            while calm < now * self.rate:
                self._send(f"calm-{calm % self.streams}", time.time_ns() // 1000, drill=False)
                calm += 1
            while attack_steps < now / _ATTACK_EVERY * ATTACK_FRAMES:
                self._send_step(attack_steps)
                attack_steps += 1

    def _send_step(self, number: int) -> None:
        """The next frame of the attack that is under way."""
        attack, step = divmod(number, ATTACK_FRAMES)
        behind = (ATTACK_FRAMES - step) * _ATTACK_STEP
        at = time.time_ns() // 1000 - int(behind * MICROSECONDS)
        self._send(f"attack-{attack}", at, drill=True)

    def _send(self, stream: str, captured_at: int, *, drill: bool) -> None:
        sequence = self._sequences.get(stream, 0)
        self._sequences[stream] = sequence + 1
        frame = FrameSampled(
            stream_id=stream,
            session_id=f"{stream}-session",
            shard_id="chaos",
            sequence=sequence,
            captured_at=captured_at,
            codec="jpeg",
            width=64,
            height=48,
            payload=_PAYLOAD,
            drill=drill,
        )
        self._producer.send(frame, self._report)
        self.sent += 1

    def _report(self, error: str | None) -> None:
        if error is None:
            self.acknowledged += 1
        else:
            self.failed.append(error)
