"""Workers on brokers of their own and the streams that they hear, for ``tests.bench.scale``."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from schemas import MICROSECONDS, FrameSampled, topics
from topology.app import Role

from .harness import BrokerKind, Cost, Ground, cpu_seconds, fresh_ground
from .job import ATTACK_IN, END, FRAMES_A_SECOND, Footage, Source, renamed
from .ours import OurWorkers, our_workers

_LIMIT_SECONDS = 600.0
_SIDE_BY_SIDE, _IN_A_ROW = 2_000, 10
_AGO = 20 * 3600 * MICROSECONDS
"""Event time begins so long ago: few streams get far in it."""
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


def lane_of(
    stack: ExitStack, kind: BrokerKind, footage: Footage, streams: int, copies: int = 1
) -> Lane:
    """A lane on fresh brokers, for as long as ``stack`` lasts; ``copies`` workers of each role."""
    ground = stack.enter_context(fresh_ground(kind))
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="firebreak-scale")))
    began = time.monotonic()
    workers = stack.enter_context(our_workers(ground, folder / "ours", "null", copies))
    lane = Lane(ground, workers, footage, streams, time.monotonic() - began)
    stack.callback(lane.close)
    return lane
