"""A store that never answers keeps no worker from leaving, and none from joining."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from schemas import DetectionsMade, EventDeadLettered, topics
from tests.brokers import BrokerKind, running_broker
from tests.builders import SECOND, frame_sampled
from tests.detection.test_decode import picture
from tests.e2e.support import CODEC, Reader, produce
from tests.e2e.test_claims import Store, store
from tests.e2e.workers import Workers
from tests.waiting import wait_until
from topology.app import Role
from topology.settings import Settings
from topology.topic_admin import apply_topics

pytestmark = pytest.mark.e2e
STREAMS, FRAMES = 8, 16
LIMIT = 120.0
HANGS = 600.0
"""Seconds that a worker would wait for one payload: no assertion here is met by its end."""
LETS_GO = 20.0
"""Work is waited for at most five seconds; the rest is what a busy machine takes."""


def test_workers_leave_and_join_while_a_store_hangs_and_no_frame_is_lost(
    tmp_path: Path, broker_kind: BrokerKind
) -> None:
    payloads = [picture()] * (STREAMS * FRAMES)
    with (
        store(payloads, hangs=range(len(payloads))) as kept,
        running_broker(broker_kind, tmp_path) as bootstrap,
    ):
        apply_topics(Settings(runtime_dir=tmp_path), bootstrap)
        workers = Workers(
            bootstrap,
            tmp_path / "workers",
            role=Role.DETECTION,
            environment={
                "FIREBREAK_PAYLOAD_ORIGINS": f'["{kept.origin}"]',
                "FIREBREAK_PAYLOAD_NETWORKS": '["127.0.0.0/8"]',
                "FIREBREAK_PAYLOAD_TIMEOUT": str(HANGS),
            },
        )
        try:
            _see(bootstrap, kept, workers)
        finally:
            workers.end_all()


def _see(bootstrap: str, kept: Store, workers: Workers) -> None:
    with (
        Reader(bootstrap, DetectionsMade) as detections,
        Reader(bootstrap, EventDeadLettered) as letters,
    ):

        def judged(kind: str) -> set[tuple[str, int]]:
            return {
                (item.stream_id, item.sequence)
                for batch in detections.events()
                for item in batch.detections
                if item.stream_id.startswith(kind)
            }

        workers.start()
        produce(bootstrap, topics.FRAME_SAMPLES, _records(kept))
        wait_until(lambda: len(judged("inline")) == STREAMS * FRAMES, LIMIT)
        wait_until(lambda: kept.asked.total() >= 16, LIMIT)
        workers.start()
        (first, _), _ = workers.running
        began = time.monotonic()
        first.send_signal(signal.SIGTERM)
        assert first.wait(LIMIT) == 0
        assert time.monotonic() - began < LETS_GO
        workers.running.pop(0)
        assert judged("claimed") == set()
        kept.ended.set()
        wait_until(lambda: len(judged("claimed")) == STREAMS * FRAMES, LIMIT)
        assert letters.events() == []


def _records(kept: Store) -> list[tuple[bytes, bytes]]:
    begin = int(time.time()) * SECOND
    records = []
    for number in range(STREAMS * FRAMES):
        inline = replace(
            frame_sampled(payload=kept.payloads[number]),
            stream_id=f"inline-{number % STREAMS}",
            sequence=number // STREAMS,
            captured_at=begin + number,
        )
        claimed = replace(
            inline,
            stream_id=f"claimed-{number % STREAMS}",
            payload=b"",
            payload_uri=f"{kept.origin}/{number}",
        )
        records += [(it.stream_id.encode(), CODEC.encode(it)) for it in (claimed, inline)]
    return records
