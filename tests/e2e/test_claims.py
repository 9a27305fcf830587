"""Frames whose payload lies in a store, on a running topology: an attack is stopped."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Container, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from msgspec.structs import replace

from schemas import (
    MICROSECONDS,
    DetectionsMade,
    EventDeadLettered,
    TakedownRequested,
    topics,
)
from tests.bench.job import Footage, renamed
from tests.brokers import BrokerKind
from tests.e2e.support import CODEC, Reader, produce, running_stack
from tests.waiting import wait_until
from topology.sampler import Mode

pytestmark = pytest.mark.e2e
FRAMES = 40
HANGS, FAILS_TWICE = 3, 5
"""Of the frames of the attack: one that the store never gives, and one that it gives when it is
asked a third time."""
LIMIT = 90.0


class Store(ThreadingHTTPServer):
    """Gives ``payloads`` by their number, and counts how often it is asked for each. Those that
    hang it gives once it is told to end."""

    daemon_threads = True

    def __init__(self, payloads: list[bytes], hangs: Container[int]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.hangs = hangs
        self.payloads = payloads
        self.asked: Counter[int] = Counter()
        self.ended = threading.Event()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Store

    def do_GET(self) -> None:
        number = int(self.path.lstrip("/"))
        self.server.asked[number] += 1
        if number in self.server.hangs:
            self.server.ended.wait()
        fails = number == FAILS_TWICE and self.server.asked[number] <= 2
        self.send_response(503 if fails else 200)
        self.end_headers()
        self.wfile.write(self.server.payloads[number])

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def store(payloads: list[bytes], hangs: Container[int]) -> Iterator[Store]:
    with Store(payloads, hangs) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.ended.set()
        running.shutdown()
        thread.join()


def test_an_attack_whose_frames_lie_in_a_store_is_stopped(
    tmp_path: Path, broker_kind: BrokerKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    filmed = Footage.of(Mode.JPEG)
    begin = time.time_ns() // 1000 - (FRAMES // 2 + 1) * MICROSECONDS
    attack, calm = (
        [
            renamed(clip[n % len(clip)], name, n, begin + n * MICROSECONDS // 2, drill=True)
            for n in range(FRAMES)
        ]
        for name, clip in (("claimed", filmed.attack[-4:]), ("inline", filmed.ordinary))
    )
    with store([frame.payload for frame in attack], {HANGS}) as kept:
        monkeypatch.setenv("FIREBREAK_PAYLOAD_ORIGINS", f'["{kept.origin}"]')
        monkeypatch.setenv("FIREBREAK_PAYLOAD_NETWORKS", '["127.0.0.0/8"]')
        claims = [
            replace(frame, payload=b"", payload_uri=f"{kept.origin}/{number}")
            for number, frame in enumerate(attack)
        ]
        elsewhere = replace(claims[0], sequence=FRAMES, payload_uri="http://127.0.0.1:9/secret")
        with running_stack(tmp_path, broker_kind) as stack:
            records = [
                (frame.stream_id.encode(), CODEC.encode(frame))
                for frame in sorted([*claims, elsewhere, *calm], key=lambda it: it.captured_at)
            ]
            produce(stack.bootstrap, topics.FRAME_SAMPLES, records)
            _see(stack.bootstrap, kept)


def _see(bootstrap: str, kept: Store) -> None:
    with (
        Reader(bootstrap, DetectionsMade) as detections,
        Reader(bootstrap, EventDeadLettered) as letters,
        Reader(bootstrap, TakedownRequested) as takedowns,
    ):

        def judged(stream: str) -> set[int]:
            return {
                item.sequence
                for batch in detections.events()
                for item in batch.detections
                if item.stream_id == stream
            }

        wait_until(lambda: judged("inline") == set(range(FRAMES)), LIMIT)
        wait_until(lambda: judged("claimed") == set(range(FRAMES)) - {HANGS}, LIMIT)
        wait_until(lambda: bool(takedowns.events()), LIMIT)
        wait_until(lambda: len(letters.events()) == 2, LIMIT)
        assert {event.stream_id for event in takedowns.events()} == {"claimed"}
        told = {event.cause: event.detail for event in letters.events()}
        assert told == {
            "payload-refused": "payload_uri is of an origin that is not allowed",
            "payload-unavailable": f"4 attempts; the last: {kept.origin}: no answer in time",
        }
        assert (kept.asked[FAILS_TWICE], kept.asked[HANGS]) == (3, 4)
