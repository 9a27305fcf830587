"""The topology beside its peers, on the same work: ``python -m tests.bench.compare [NAME …]``.

First the same small job goes to each, on brokers of its own, and what was told and decided must be
the same: ids of risks, takedowns, escalations and the rest, which follow from the frames. A peer of
which they differ is not timed. Then the topology and the peer, each with its brokers, take turns at
parts of a job, first one that warms them up, and each repeat's figures are held against each other:
a machine that is shared is slower at one time than at another.

``fps_ratio`` and ``cpu_ratio`` are the topology's figure over the peer's: frames per second of wall
time, from the first frame sent to the last risk told, and microseconds of CPU for a frame, of all
processes that the one or the other consists of. What the brokers' CPU comes to stands beside it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import psutil

from schemas import MICROSECONDS
from topology.sampler import Mode

from .harness import BrokerKind, Cost, spread
from .job import Footage, Part, make_part
from .peers import PEERS
from .peers.side import Detector, Ids, side

STREAMS = 200
SAME_FRAMES = 10 * STREAMS
"""Enough of each stream that both detectors have one taken down."""
MODEL_SHARE = 20
"""With the model, so many times fewer frames are timed."""
_INSTALL = "tests/bench/peers/install"
_AGO = 600 * MICROSECONDS
_EXAMPLES = 3
_FAILED = (TimeoutError, psutil.Error)
"""What a peer that has ended, or does not get done, shows as."""


@dataclass(slots=True)
class Job:
    """Parts of a job, the same for whoever is given them."""

    footage: Footage
    begin: int = field(default_factory=lambda: time.time_ns() // 1000 - _AGO)
    number: int = 0

    def part(self, frames: int) -> Part:
        """The next ``frames``; every part of a job is to be of as many."""
        part = make_part(
            self.footage,
            self.number,
            streams=STREAMS,
            frames=frames,
            partitions=8,
            begin=self.begin,
        )
        self.number += 1
        self.begin = part.frames[-1].captured_at + MICROSECONDS
        return part


def differences(ours: Ids, theirs: Ids) -> dict[str, dict[str, Any]]:
    """By kind, how many only one of the two has, with examples."""
    return {
        kind: {
            "only_ours": len(ours[kind] - theirs[kind]),
            "only_theirs": len(theirs[kind] - ours[kind]),
            "examples": sorted(ours[kind] ^ theirs[kind])[:_EXAMPLES],
        }
        for kind in ours
        if ours[kind] != theirs[kind]
    }


def find_same(
    kind: BrokerKind, detector: Detector, names: Sequence[str], footage: Footage
) -> dict[str, dict[str, Any]]:
    """By peer, whether the same comes of the same frames, or what does not."""
    part = Job(footage).part(SAME_FRAMES)
    ours = _outcome(kind, "ours", detector, part)
    missing = [name for name in ours if not ours[name]]
    if missing:
        raise RuntimeError(f"the job is too small to compare by: no {missing}")
    told = {}
    for name in names:
        try:
            different = differences(ours, _outcome(kind, name, detector, part))
        except _FAILED as error:
            told[name] = {"equal": False, "failed": str(error)}
            continue
        told[name] = {"equal": not different, "compared": {it: len(ours[it]) for it in ours}}
        if different:
            told[name]["differences"] = different
    return told


def _outcome(kind: BrokerKind, name: str, detector: Detector, part: Part) -> Ids:
    _say(f"{name} ({detector}): what comes of {len(part.frames)} frames")
    with side(kind, name, detector) as one:
        one.play(part)
        return one.read_settled()


def time_beside(
    kind: BrokerKind, name: str, detector: Detector, job: Job, *, repeats: int, frames: int
) -> dict[str, Any]:
    """The topology's figures and the peer's, in turns at the same parts."""
    costs: list[tuple[Cost, Cost]] = []
    with side(kind, "ours", detector) as ours, side(kind, name, detector) as theirs:
        for number in range(1 + repeats):
            part = job.part(frames)
            pair = ours.play(part), theirs.play(part)
            _say(f"{name} ({detector}), part {number}: {' | '.join(map(_line, pair))}")
            if number > 0:
                costs.append(pair)
        different = differences(ours.read_settled(), theirs.read_settled())
    if different:
        return {"equal": False, "differences": different}
    return {
        "fps_ratio": spread([_fps(mine) / _fps(other) for mine, other in costs]),
        "cpu_ratio": spread([_cpu(mine) / _cpu(other) for mine, other in costs]),
        "ours": _figures([mine for mine, _ in costs]),
        "theirs": _figures([other for _, other in costs]),
    }


def _figures(costs: Sequence[Cost]) -> dict[str, Any]:
    return {
        "frames_per_second": spread([_fps(cost) for cost in costs], 1),
        "cpu_us_per_frame": spread([_cpu(cost) for cost in costs], 1),
        "broker_cpu_us_per_frame": spread([1e6 * it.broker_cpu / it.frames for it in costs], 1),
    }


def _fps(cost: Cost) -> float:
    return cost.frames / cost.wall


def _cpu(cost: Cost) -> float:
    """Microseconds a frame; the clock that CPU is counted by ticks every ten milliseconds."""
    return 1e6 * max(cost.cpu, 0.01) / cost.frames


def _line(cost: Cost) -> str:
    return f"{_fps(cost):.0f} frames/s, {_cpu(cost):.0f} µs of CPU a frame"


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def compare(
    kind: BrokerKind, repeats: int, frames: int, names: Sequence[str] = tuple(PEERS)
) -> dict[str, Any]:
    """By peer, with each detector: whether it is equal, and its figures beside the topology's.

    ``frames`` are those of a part with the null detector.
    """
    told: dict[str, dict[str, Any]] = {
        name: {"guarantees": asdict(PEERS[name].guarantees)} for name in names
    }
    missing = _install(names)
    for name in missing:
        told[name]["skipped"] = missing[name]
    names = [name for name in names if name not in missing]
    footage = Footage.of(Mode.JPEG)
    parts: dict[Detector, int] = {"null": frames, "model": max(frames // MODEL_SHARE, STREAMS)}
    for detector, size in parts.items():
        same = find_same(kind, detector, names, footage)
        for name in names:
            told[name][detector] = same[name]
            if not same[name]["equal"]:
                continue
            job = Job(footage)
            try:
                timed = time_beside(kind, name, detector, job, repeats=repeats, frames=size)
            except _FAILED as error:
                timed = {"failed": str(error)}
            told[name][detector] |= timed
    return told


def _install(names: Sequence[str]) -> Mapping[str, str]:
    """Why peers can't be run, of those that can't."""
    needing = [name for name in names if PEERS[name].own_python]
    if not needing:
        return {}
    install = [_INSTALL, sys.executable]
    done = subprocess.run(install, check=False, stderr=subprocess.PIPE, text=True)
    return dict.fromkeys(needing, done.stderr.strip()) if done.returncode else {}


def main() -> None:
    parser = argparse.ArgumentParser(description="The topology beside its peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PEERS))
    parser.add_argument("--broker", choices=["embedded", "kafka"], default="embedded")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--frames", type=int, default=4000, help="of a part, without the model")
    given = parser.parse_args()
    told = compare(given.broker, given.repeats, given.frames, given.names or tuple(PEERS))
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
