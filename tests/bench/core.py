"""What the pure cores cost, on one core: ``python -m tests.bench.core``, or ``make bench-core``.

Prints, and writes to ``build/bench-core.json``:

``detections_per_second``           aggregation and decision of decoded detections
``backtest_detections_per_second``  a record read from its file and replayed: four minutes, in which
                                    one stream in a hundred sees a firearm for fifteen seconds
``bytes_per_stream``                the windows of one stream as bytes, with full rings

Each with the median and the spread of its repeats. The machine is shared, so a figure is to be held
against another of the same run: ``reading_detections_per_second`` is what reading the file alone
comes to. ``microseconds`` tells what a frame of a clear stream costs, and one of a stream at risk.
"""

from __future__ import annotations

import gc
import json
import random
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from agents.aggregation.risk import PartitionWindows
from agents.aggregation.snapshot import pack
from agents.aggregation.windows import KNOWN_SIGNALS, SessionWindows, WindowSpec
from agents.decision.controls import Controls
from agents.decision.defaults import default_policy
from agents.decision.partition import PartitionDecisions
from agents.decision.policies import Policies
from schemas import Detection, DetectionsMade
from tests.builders import SECOND, START
from topology.backtest.record import read_record, write_record
from topology.backtest.replay import Replay

REPEATS = 5
STREAMS = 100_000
FRAMES_EACH = 4
RECORD_STREAMS, RECORD_FRAMES, RECORD_ATTACK = 2_000, 480, 30
AT_RISK = 100
"""One stream in so many sees a firearm."""
BATCH = 16
OUT = Path("build/bench-core.json")


def rows(
    streams: int, frames: int, at_risk: int, attack: int | None = None
) -> Iterator[list[dict[str, Any]]]:
    """Micro-batches of ``streams`` streams at two frames a second, side by side.

    One in ``at_risk`` sees a firearm in the first ``attack`` frames, or in all.
    """
    chance = random.Random(4)
    for frame in range(frames):
        for first in range(0, streams, BATCH):
            at = START + frame * SECOND // 2
            yield [
                {
                    "stream_id": f"stream-{stream}",
                    "session_id": f"session-{stream}",
                    "sequence": frame,
                    "captured_at": at,
                    "offset": frame * streams + stream,
                    "appended_at": at + 50_000,
                    "drill": False,
                    "scores": [
                        0.85
                        if stream % at_risk == 0 and (attack is None or frame < attack)
                        else chance.random() * 0.3,
                        0.1,
                    ],
                }
                for stream in range(first, min(first + BATCH, streams))
            ]


def batch(of: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "bundle": "bench/1",
        "bundle_digest": "b" * 64,
        "frame_topic": "firebreak.frame-samples.v1",
        "frame_partition": 0,
        "signals": ["firearm", "fictional"],
        "detections": of,
    }


def decoded(streams: int, frames: int, at_risk: int) -> list[DetectionsMade]:
    return [
        DetectionsMade(**{**batch(of), "detections": [Detection(**row) for row in of]})
        for of in rows(streams, frames, at_risk)
    ]


def judge(
    windows: PartitionWindows, decisions: PartitionDecisions, batches: list[DetectionsMade]
) -> int:
    """``batches`` through both cores, with a tick each second; how many detections they were."""
    policies, controls, told_at, detections = Policies(default_policy()), Controls(), 0, 0
    for offset, made in enumerate(batches):
        for risk in windows.observe(made, offset):
            decisions.take(risk, policies, controls)
        detections += len(made.detections)
        now = made.detections[-1].appended_at // SECOND * SECOND
        if now > told_at:
            told_at = now
            decisions.take(windows.tick(now, 0), policies, controls)
    return detections


def rate(work: Callable[[], int]) -> float:
    gc.collect()
    began = time.process_time()
    done = work()
    return done / (time.process_time() - began)


def live(streams: int, frames: int, at_risk: int) -> float:
    """Detections a second, the sessions having begun before."""
    windows, decisions = PartitionWindows(WindowSpec()), PartitionDecisions()
    batches = decoded(streams, frames + 1, at_risk)
    begun = len(batches) // (frames + 1)
    judge(windows, decisions, batches[:begun])
    return rate(lambda: judge(windows, decisions, batches[begun:]))


def replayed(path: Path) -> float:
    gc.disable()  # as `firebreak backtest` does
    try:
        replay = Replay([Policies(default_policy())])

        def work() -> int:
            replay.play(read_record(path))
            return replay.detections

        return rate(work)
    finally:
        gc.enable()


def read(path: Path) -> float:
    return rate(lambda: sum(len(it["detections"]) for it in read_record(path)))


def bytes_per_stream() -> int:
    """Of a stream at 30 frames a second that says all that is kept."""
    windows = SessionWindows(WindowSpec(), KNOWN_SIGNALS)
    for number in range(2_000):
        windows.observe(START + number * SECOND // 30, 2**40 + number, number, [0.9] * 4)
    return len(pack(windows))


def memory_per_stream(streams: int = 20_000) -> float:
    """Bytes that a clear stream takes in the process, windows and decisions."""
    windows, decisions = PartitionWindows(WindowSpec()), PartitionDecisions()
    batches = decoded(streams, 2, streams + 1)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    judge(windows, decisions, batches)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return grown / streams


def spread(figures: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(figures), 2),
        "least": round(min(figures), 2),
        "most": round(max(figures), 2),
    }


def main() -> None:
    OUT.parent.mkdir(exist_ok=True)
    record = OUT.with_name("bench-core.avro")
    write_record(record, map(batch, rows(RECORD_STREAMS, RECORD_FRAMES, AT_RISK, RECORD_ATTACK)))
    figures: dict[str, list[float]] = {
        name: [] for name in ("live", "replayed", "read", "clear", "risk")
    }
    for _ in range(REPEATS):
        figures["live"].append(live(STREAMS, FRAMES_EACH, AT_RISK))
        figures["read"].append(read(record))
        figures["replayed"].append(replayed(record))
        figures["clear"].append(1e6 / live(1_000, 100, 1_001))
        figures["risk"].append(1e6 / live(100, 100, 1))
    record.unlink()
    told = {
        "detections_per_second": spread(figures["live"]),
        "backtest_detections_per_second": spread(figures["replayed"]),
        "reading_detections_per_second": spread(figures["read"]),
        "bytes_per_stream": bytes_per_stream(),
        "memory_per_stream": round(memory_per_stream()),
        "microseconds": {
            "clear_frame": spread(figures["clear"]),
            "frame_at_risk": spread(figures["risk"]),
        },
        "streams": STREAMS,
        "repeats": REPEATS,
    }
    OUT.write_text(json.dumps(told, indent=2) + "\n")
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
