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
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from agents.aggregation.risk import PartitionWindows
from agents.aggregation.snapshot import pack
from agents.aggregation.windows import WindowSpec
from schemas import MICROSECONDS, FrameSampled, topics
from topology.app import Role
from topology.sampler import Mode

from .core import bytes_per_stream, decoded
from .harness import BrokerKind, Cost, Ground, cpu_seconds, fresh_ground, spread
from .job import ATTACK_IN, END, FRAMES_A_SECOND, Footage, Source, renamed
from .ours import OurWorkers, our_workers

SIZES = (10, 1_000, 100_000)
LOST_WITH = (0, 1_000, 10_000, 100_000)
FRAMES = 40_000
FRAME_BYTES = 512
_LIMIT_SECONDS = 600.0
_SIDE_BY_SIDE, _IN_A_ROW = 2_000, 10
_AGO = 20 * 3600 * MICROSECONDS
"""Event time begins so long ago: few streams get far in it."""
_WARM_TURNS = 20
_RECENT_SECONDS = 60.0
"""Windows are rebuilt from two minutes of the log; streams are heard again before it has passed."""
_IDLE_CORES = 0.15


class Told:
    """Waits for risks by their streams' names, and does not look into them."""

    def __init__(self, ground: Ground) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": ground.bootstrap,
                "group.id": "bench-scale",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 20,
            }
        )
        numbers = range(ground.partitions)
        self._consumer.assign([TopicPartition(topics.RISK, n, OFFSET_BEGINNING) for n in numbers])

    def wait_for(self, streams: Sequence[str]) -> list[float]:
        """When, by the monotonic clock, a risk of each was read, in order of time.

        Raises ``TimeoutError``.
        """
        wanted, times = {stream.encode() for stream in streams}, []
        deadline = time.monotonic() + _LIMIT_SECONDS
        while wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no risk of {sorted(wanted)}")
            for message in self._consumer.consume(500, timeout=0.02):
                if (key := message.key()) in wanted and message.error() is None:
                    wanted.discard(key)
                    times.append(time.monotonic())
        return times

    def close(self) -> None:
        self._consumer.close()


class Lane:
    """Workers on a ground of their own, and the streams that they hear: ``streams`` may grow.

    ``started``: seconds that the workers took until they were ready.
    """

    def __init__(
        self, ground: Ground, workers: OurWorkers, footage: Footage, streams: int, started: float
    ) -> None:
        self.streams, self.workers, self.started = streams, workers, started
        self._ground, self._footage = ground, footage
        self._source, self._told = Source(ground.bootstrap), Told(ground)
        self._begin = time.time_ns() // 1000 - _AGO
        self._sent: Counter[int] = Counter()
        self._next = self._ends = 0

    def close(self) -> None:
        self._told.close()

    def settle(self) -> None:
        """Return once the workers have next to nothing left to do: what follows a frame at the
        ticks after it is not to be taken for another part's cost."""
        deadline = time.monotonic() + _LIMIT_SECONDS
        while time.monotonic() < deadline:
            before = cpu_seconds(self.workers.pids)
            time.sleep(1)
            if cpu_seconds(self.workers.pids) - before < _IDLE_CORES:
                return
        raise TimeoutError("the workers do not come to rest")

    def run(self, frames: int, in_a_row: int = _IN_A_ROW, *, live: bool = False) -> Cost:
        """``frames`` more; ``live``: captured now, and in one stream of a hundred the drill."""
        pids = self.workers.pids
        cpu, broker, began = cpu_seconds(pids), cpu_seconds(self._ground.pids), time.monotonic()
        self._source.send_frames((frame, None) for frame in self._frames(frames, in_a_row, live))
        self._told.wait_for(self.send_ends())
        return Cost(
            frames,
            time.monotonic() - began,
            cpu_seconds(pids) - cpu,
            cpu_seconds(self._ground.pids) - broker,
        )

    def send_ends(self) -> list[str]:
        """A frame of a new stream to each partition; the streams, whose risks are to come."""
        self._ends += 1
        names = [f"{END}{self._ends}-{number}" for number in range(self._ground.partitions)]
        picture, now = self._footage.ordinary[0], time.time_ns() // 1000
        self._source.send_frames(
            (renamed(picture, name, 0, now, False), number) for number, name in enumerate(names)
        )
        return names

    def wait_for(self, streams: Sequence[str]) -> list[float]:
        return self._told.wait_for(streams)

    def judgement_rss(self) -> int:
        """Bytes."""
        return int(psutil.Process(self.workers.pid_of(Role.JUDGEMENT)).memory_info().rss)

    def _frames(self, left: int, in_a_row: int, live: bool) -> Iterator[FrameSampled]:
        picture = self._footage.ordinary[0]
        while left:
            group = range(self._next, min(self._next + _SIDE_BY_SIDE, self.streams))
            for stream in in_a_row * [*group]:
                if left == 0:
                    return
                sent, left = self._sent[stream], left - 1
                self._sent[stream] += 1
                at = self._begin + sent * MICROSECONDS // FRAMES_A_SECOND
                drill = live and stream % ATTACK_IN == ATTACK_IN // 2
                now = time.time_ns() // 1000
                yield renamed(picture, f"stream-{stream}", sent, now if live else at, drill)
            self._next = group.stop % self.streams


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


def _lane(
    stack: ExitStack, kind: BrokerKind, footage: Footage, streams: int, copies: int = 1
) -> Lane:
    ground = stack.enter_context(fresh_ground(kind))
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="firebreak-scale")))
    began = time.monotonic()
    workers = stack.enter_context(our_workers(ground, folder / "ours", "null", copies))
    lane = Lane(ground, workers, footage, streams, time.monotonic() - began)
    stack.callback(lane.close)
    return lane


def _cost(
    kind: BrokerKind, footage: Footage, sizes: Sequence[int], repeats: int, frames: int
) -> dict[str, Any]:
    with ExitStack() as stack:
        lanes = {size: _lane(stack, kind, footage, min(size, 1_000)) for size in sizes}
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
        lanes = {copies: _lane(stack, kind, footage, 1_000, copies) for copies in rates}
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
        lane = _lane(stack, kind, footage, streams)
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
