"""One fault, in many rounds on a ground of its own, and what is told of it.

Whatever ends a fault before its rounds are done is told as its cause, with the rounds that were
done and what came of them, as far as that can still be found out. It holds only if all was done.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from schemas import topics
from tests.bench.harness import spread

from .faults import EXCLUSIVE, LEFT_WITH, RESTLESS, SURROUNDINGS, Fault
from .ground import LEAVES_WITHIN, Ground, await_judged, await_quiet, ground
from .load import SteadyLoad
from .outcome import compare
from .ownership import claimed_twice, handovers, taken_twice
from .progress import longest_stalls, resumed, taken_down_after
from .reading import judged_at, read_topic, shed
from .surroundings import NotHere

COPIES = 3
NO_STALL_OVER = 10.0

Told = dict[str, Any]


@dataclass
class Rounds:
    """How far a fault has come."""

    periods: list[tuple[float, float]] = field(default_factory=list)
    """Of each round that is done, when it began and when the fault was over."""
    broken_off: list[str] = field(default_factory=list)
    """What ended it early, and what could not be found out after that."""

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Note what goes wrong in this context, which is left then."""
        try:
            yield
        # An hour of other faults, and the rounds that are done, are not to be lost for any error.
        except Exception as error:  # noqa: BLE001
            self.broken_off.append(f"{type(error).__name__}: {error}")


def try_fault(name: str, fault: Fault, *, rounds: int, seed: int = 1) -> Told:
    """Do ``fault`` in ``rounds``, and tell what came of it. Where this machine does not let it be
    done it is ``skipped``, with the reason, and nothing is said of whether it holds."""
    done = Rounds()
    told: Told = {}
    with done.noting(), ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="firebreak-chaos-")))
        surroundings = None
        if name in SURROUNDINGS:
            try:
                surroundings = SURROUNDINGS[name](folder)
            except NotHere as missing:
                return {"fault": name, "skipped": str(missing)}
            running.callback(surroundings.remove)
        on = running.enter_context(
            ground(folder, copies=COPIES, seed=seed, surroundings=surroundings)
        )
        load = running.enter_context(SteadyLoad(on.kafka.bootstrap))
        with done.noting():
            await_judged(on, load)
            for number in range(1, rounds + 1):
                # Frames come after the last one in any case, or nothing could tell that judging
                # has resumed.
                settled = name not in RESTLESS or number == rounds
                done.periods.append(_round(fault, on, load, settled=settled))
                began, over = done.periods[-1]
                _say(f"{name}, round {number} of {rounds}: {over - began:.1f} s")
        stopped = time.time()
        with done.noting():
            load.stop()
            await_judged(on, load)
            await_quiet(on)
        with done.noting():
            told = _told(name, on, load, done.periods, stopped)
    return _summed_up(name, rounds, done, told)


def _round(fault: Fault, on: Ground, load: SteadyLoad, *, settled: bool) -> tuple[float, float]:
    began = time.time()
    over = fault(on)
    if settled:
        on.crew.await_ready()
        await_judged(on, load)
    return began, over


def _summed_up(name: str, rounds: int, done: Rounds, told: Told) -> Told:
    summed = {"fault": name, "rounds": len(done.periods), **told}
    if done.broken_off:
        summed |= {
            "broken_off": "; then ".join(done.broken_off),
            "rounds_asked": rounds,
            "holds": False,
        }
    return summed


def _told(
    name: str,
    on: Ground,
    load: SteadyLoad,
    periods: Sequence[tuple[float, float]],
    stopped: float,
) -> Told:
    outcome = compare(on.kafka.bootstrap, on.crew.policy)
    frames = read_topic(on.kafka.bootstrap, topics.FRAME_SAMPLES)
    judged = judged_at(read_topic(on.kafka.bootstrap, topics.DETECTIONS))
    left_out = shed(read_topic(on.kafka.bootstrap, topics.SHED))
    began = periods[0][0] if periods else stopped
    stalls = longest_stalls(frames, judged, left_out, (began, stopped))
    by_round = [resumed(frames, judged, over) for _, over in periods]
    again = [seconds for seconds in by_round if seconds is not None]
    waits = [min(judged[frame.place]) - frame.at for frame in frames if frame.place in judged]
    stops = taken_down_after(frames, read_topic(on.kafka.bootstrap, topics.TAKEDOWNS))
    notes = on.crew.notes()
    told: Told = {
        **asdict(outcome),
        "frames_acknowledged": load.acknowledged,
        "handovers": handovers(notes),
        "claimed_twice": claimed_twice(notes),
        "taken_twice": taken_twice(notes),
        "longest_gap_seconds": max(waits, default=None),
        "longest_stall_seconds": round(stalls[0].seconds, 1) if stalls else None,
        "longest_stall_by_partition": {it.partition: round(it.seconds, 1) for it in stalls},
        "no_stall_over_10_s": bool(stalls) and stalls[0].seconds <= NO_STALL_OVER,
        "taken_down_after_seconds": spread(stops, 1) if stops else None,
        "resumed_seconds": spread(again, 1) if again else None,
        "resumed_seconds_by_round": [
            seconds if seconds is None else round(seconds, 1) for seconds in by_round
        ],
        "rounds_not_resumed": len(by_round) - len(again),
    }
    promised = {
        "every frame judged, every effect as it should be": outcome.holds,
        "every acknowledged frame on the topic": outcome.frames == load.acknowledged,
        f"workers left as they may within {LEAVES_WITHIN:g} s": on.left_in_time(
            LEFT_WITH.get(name, ())
        ),
    }
    if name in EXCLUSIVE:
        twice = told["claimed_twice"] or told["taken_twice"]
        promised["each partition one worker's alone"] = bool(told["handovers"] and not twice)
    told["not_held"] = [what for what, held in promised.items() if not held]
    told["holds"] = not told["not_held"]
    if on.left_after:
        told["left_uncleanly"] = on.left_with
        told["left_after_seconds"] = spread(on.left_after, 1)
    return told


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
