"""``scale``: what more streams cost, what more workers bring, how soon a lost one is replaced.

Nothing looks at the frames here, and payloads are small. Streams come by groups side by side, as
many as can be heard at two frames a second here; each group has ten frames of each of its streams
in a row. So the rest of what is done for a stream, which is done every five seconds, has its due
share, though there be more streams than these cores can hear at once. The end of a part is told by
streams that nobody has seen, as in ``tests.bench.job``.

Sizes are compared by CPU time and by turns: workers of each size stand ready on brokers of their
own, and those that do not have their turn are idle.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from agents.aggregation.risk import PartitionWindows
from agents.aggregation.snapshot import pack
from agents.aggregation.windows import WindowSpec
from schemas import FrameSampled
from topology.app import Role
from topology.sampler import Mode

from .core import bytes_per_stream, decoded
from .harness import BrokerKind, spread
from .job import Footage
from .lane import Lane, lane_of

SIZES = (10, 1_000, 100_000)
LOST_WITH = (0, 1_000, 10_000, 100_000)
FRAMES = 40_000
FRAME_BYTES = 512
_WARM_TURNS = 20
_RECENT_SECONDS = 60.0
"""Windows are rebuilt from two minutes of the log; streams are heard again before it has passed."""


def scale(
    kind: BrokerKind,
    *,
    repeats: int = 5,
    frames: int = FRAMES,
    sizes: Sequence[int] = SIZES,
    lost_with: Sequence[int] = LOST_WITH,
) -> dict[str, Any]:
    """By number of streams: CPU and memory, and a lost worker's replacement; and two workers.

    ``frames`` are sent in each repeat, whatever the number of streams.
    """
    footage = _small(Footage.of(Mode.JPEG))
    return {
        **_cost(kind, footage, sizes, repeats, frames),
        "two_workers": _two_workers(kind, footage, repeats, frames),
        "lost_worker": {str(size): _lost(kind, footage, size, repeats) for size in lost_with},
        "frames": frames,
        "repeats": repeats,
    }


def _small(footage: Footage) -> Footage:
    """One frame of little: nothing looks at it."""
    frame = footage.ordinary[0]
    payload = (frame.payload or b"")[:FRAME_BYTES]
    fields = {name: getattr(frame, name) for name in frame.__struct_fields__}
    return Footage(footage.mode, [FrameSampled(**{**fields, "payload": payload})], [])


def _cost(
    kind: BrokerKind, footage: Footage, sizes: Sequence[int], repeats: int, frames: int
) -> dict[str, Any]:
    with ExitStack() as stack:
        lanes = {size: lane_of(stack, kind, footage, min(size, 1_000)) for size in sizes}
        for lane in lanes.values():
            lane.run(_WARM_TURNS * 1_000)
        grown = _grow(lanes[max(sizes)], max(sizes))
        costs: dict[int, list[float]] = {size: [] for size in sizes}
        for _ in range(repeats):
            for size, lane in lanes.items():
                lane.settle()
                cost = lane.run(frames)
                costs[size].append(cost.cpu / cost.frames * 1e6)
    least = costs[min(sizes)]
    return {
        "cpu_us": {str(size): spread(found, 1) for size, found in costs.items()},
        "cpu_to_fewest": {
            str(size): spread([it / few for it, few in zip(found, least, strict=True)])
            for size, found in costs.items()
            if found is not least
        },
        "bytes_per_stream": {"judgement_worker_rss": grown, **_packed()},
    }


def _grow(lane: Lane, streams: int) -> int:
    """Bytes that the judgement worker grows by for each stream more, of all that it knows of it."""
    before, known = lane.judgement_rss(), lane.streams
    lane.streams = streams
    lane.run(streams, 1)
    return round((lane.judgement_rss() - before) / max(streams - known, 1))


def _packed() -> dict[str, int]:
    """Bytes of a stream's windows alone, of a clear stream and of one that says all there is."""
    windows = PartitionWindows(WindowSpec())
    for offset, batch in enumerate(decoded(1, 2, at_risk=2)):
        windows.observe(batch, offset)
    (session,) = windows.sessions.values()
    return {"windows_packed": len(pack(session.windows)), "windows_packed_full": bytes_per_stream()}


def _two_workers(kind: BrokerKind, footage: Footage, repeats: int, frames: int) -> dict[str, Any]:
    """Frames a second with two workers of each role, and with one."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    with ExitStack() as stack:
        lanes = {copies: lane_of(stack, kind, footage, 1_000, copies) for copies in rates}
        for lane in lanes.values():
            lane.run(_WARM_TURNS * 1_000)
        for _ in range(repeats):
            for copies, lane in lanes.items():
                lane.settle()
                cost = lane.run(frames)
                rates[copies].append(cost.frames / cost.wall)
    return {
        "to_one": spread([two / one for one, two in zip(rates[1], rates[2], strict=True)]),
        "one_frames_per_second": spread(rates[1], 0),
        "two_frames_per_second": spread(rates[2], 0),
        "cores": os.cpu_count(),
    }


def _lost(kind: BrokerKind, footage: Footage, streams: int, repeats: int) -> dict[str, Any]:
    """Seconds from a judgement worker's end by force, whose place another takes at once.

    Until the new one is ready; until the first partition, and until the last, tells the risk of a
    frame sent after. Each of the streams was heard once in the last minute or two.
    """
    times: dict[str, list[float]] = {"ready_s": [], "first_risk_s": [], "last_partition_s": []}
    with ExitStack() as stack:
        lane = lane_of(stack, kind, footage, streams)
        heard_at = 0.0
        for _ in range(repeats):
            if not heard_at or time.monotonic() - heard_at > _RECENT_SECONDS:
                lane.run(streams, 1, live=True)
                heard_at = time.monotonic()
            ready, risks = _replace(lane)
            times["ready_s"].append(ready)
            times["first_risk_s"].append(risks[0])
            times["last_partition_s"].append(risks[-1])
    return {name: spread(seconds, 2) for name, seconds in times.items()}


def _replace(lane: Lane) -> tuple[float, list[float]]:
    began = time.monotonic()
    lane.workers.kill_and_start(Role.JUDGEMENT)

    def when(done: Callable[[], None]) -> float:
        done()
        return time.monotonic() - began

    with ThreadPoolExecutor(1) as beside:
        ready = beside.submit(when, lane.workers.wait_until_ready)
        risks = [at - began for at in lane.wait_for(lane.send_ends())]
        return ready.result(), risks


def main() -> None:
    kind: BrokerKind = "kafka" if "kafka" in sys.argv else "embedded"
    short = "short" in sys.argv
    told = (
        scale(kind, repeats=2, frames=8_000, sizes=(10, 1_000, 10_000), lost_with=(0, 1_000))
        if short
        else scale(kind)
    )
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
