"""Bad input on a running topology: all of it accounted for, and the stream watched on."""

from __future__ import annotations

import time

import pytest
from msgspec.structs import replace

from schemas import DetectionsMade, EventDeadLettered, topics
from tests.builders import SECOND, frame_sampled
from tests.detection.test_decode import picture
from tests.e2e.support import CODEC, Reader, produce
from tests.waiting import wait_until
from topology.stack import Stack

pytestmark = pytest.mark.e2e
NOW = int(time.time()) * SECOND
GOOD = frame_sampled(
    stream_id="bad-input", payload=picture(), captured_at=NOW, session_id="bad-input"
)
BAD: list[tuple[bytes, str]] = [
    (b"", "unreadable-event"),
    (b"\x7fnoise", "unreadable-event"),
    (CODEC.encode(GOOD)[:-9], "unreadable-event"),
    (CODEC.encode(GOOD) + b"x", "unreadable-event"),
    (b"\xc3\x01" + b"\x00" * 20, "unknown-schema"),
    (b"\x00\x00\x00\x00\x07datum", "unknown-schema"),
    (CODEC.encode(replace(GOOD, payload=b"")), "empty-payload"),
    (CODEC.encode(replace(GOOD, codec="tiff")), "unknown-codec"),
    (CODEC.encode(replace(GOOD, payload=b"no picture")), "undecodable-payload"),
    (CODEC.encode(replace(GOOD, width=1 << 20, height=1 << 10)), "too-many-pixels"),
    (CODEC.encode(replace(GOOD, stream_id="s" * 900_000)), "invalid-id"),
    (CODEC.encode(replace(GOOD, captured_at=NOW + 10**12)), "event-time-out-of-range"),
    (CODEC.encode(replace(GOOD, captured_at=NOW - 10**12)), "event-time-out-of-range"),
    (CODEC.encode(replace(GOOD, captured_at=2**63 - 1)), "event-time-out-of-range"),
]


def test_every_bad_record_is_dead_lettered_where_it_lay_and_every_good_one_judged(
    stack: Stack,
) -> None:
    pids = stack.fleet.pids
    records: list[tuple[bytes, bytes]] = []
    for number, (bad, _) in enumerate(BAD):
        good = replace(GOOD, sequence=number, captured_at=NOW + number * SECOND // 2)
        records += [(b"bad-input", bad), (b"bad-input", CODEC.encode(good))]
    produce(stack.bootstrap, topics.FRAME_SAMPLES, records)

    with (
        Reader(stack.bootstrap, EventDeadLettered) as letters,
        Reader(stack.bootstrap, DetectionsMade) as detections,
    ):

        def causes() -> list[str]:
            ours = [e for e in letters.events() if e.key == b"bad-input"]
            return [event.cause for event in sorted(ours, key=lambda event: event.offset)]

        def judged() -> list[int]:
            return sorted(
                item.sequence
                for batch in detections.events()
                for item in batch.detections
                if item.stream_id == "bad-input"
            )

        wait_until(lambda: len(causes()) == len(BAD) and len(judged()) == len(BAD), 30)
        assert causes() == [cause for _, cause in BAD]
        assert judged() == list(range(len(BAD)))
        places = [(e.topic, e.partition, e.offset) for e in letters.events()]
        assert len(set(places)) == len(places)
    assert stack.check() == []
    assert stack.fleet.pids == pids
