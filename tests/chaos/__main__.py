"""``make chaos``: faults, each in many rounds under load, and what came of them.

``python -m tests.chaos [FAULT …] [--rounds 20]`` starts three brokers and three workers of each
role for a fault, feeds them steadily, and does the fault again and again. Then the load stops, and
what is on the topics is held against what the pure cores make of it. ``build/chaos.json`` has what
was seen, beside what was there of other faults; the exit code is 1 where a promise was broken.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from confluent_kafka import KafkaException

from deploy.kafka.jars import kafka_missing
from schemas import topics
from tests.bench.harness import spread

from .faults import FAULTS, RESTLESS, SURROUNDINGS, Fault
from .ground import Ground, await_judged, await_quiet, ground
from .load import SteadyLoad
from .outcome import Outcome, compare
from .reading import Read, judged_at, read_topic
from .report import table
from .surroundings import NotHere

OUT = Path("build/chaos.json")
COPIES = 3


def try_fault(name: str, fault: Fault, *, rounds: int, seed: int = 1) -> dict[str, Any]:
    """Do ``fault`` in ``rounds`` on a ground of its own, and tell what came of it."""
    with ExitStack() as running:
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
        periods: list[tuple[float, float]] = []
        with SteadyLoad(on.kafka.bootstrap) as load:
            await_judged(on, load)
            for number in range(rounds):
                began = time.time()
                over = fault(on)
                if name not in RESTLESS:
                    on.crew.await_ready()
                    await_judged(on, load)
                periods.append((began, over))
                _say(f"{name}, round {number + 1} of {rounds}: {over - began:.1f} s")
            load.stop()
            await_judged(on, load)
            await_quiet(on)
        outcome = compare(on.kafka.bootstrap, on.crew.policy)
        return _told(name, rounds, outcome, on, periods)


def _told(
    name: str, rounds: int, outcome: Outcome, on: Ground, periods: list[tuple[float, float]]
) -> dict[str, Any]:
    frames = read_topic(on.kafka.bootstrap, topics.FRAME_SAMPLES)
    judged = judged_at(read_topic(on.kafka.bootstrap, topics.DETECTIONS))
    resumed = [round(_resumed(frames, judged, over), 1) for _, over in periods]
    told: dict[str, Any] = {
        "fault": name,
        "rounds": rounds,
        **asdict(outcome),
        "holds": outcome.holds and not on.left_with,
        "longest_gap_seconds": max(
            min(judged[place]) - frame.at
            for frame in frames
            if (place := (frame.partition, frame.offset)) in judged
        ),
        "resumed_seconds": spread(resumed, 1),
        "resumed_seconds_by_round": resumed,
    }
    if on.left_after:
        told["left_uncleanly"] = on.left_with
        told["left_after_seconds"] = spread(on.left_after, 1)
    return told


def _resumed(frames: list[Read], judged: dict[tuple[int, int], list[float]], over: float) -> float:
    """Seconds from ``over`` until frames that came after it have been judged in all partitions."""
    first: dict[int, float] = {}
    for frame in frames:
        place = frame.partition, frame.offset
        if frame.at >= over and place in judged:
            at = min(judged[place])
            first[frame.partition] = min(first.get(frame.partition, at), at)
    return max(first.values()) - over if first else 0.0


@click.command()
@click.argument("names", nargs=-1, metavar="[FAULT]...")
@click.option("--rounds", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def main(names: tuple[str, ...], rounds: int, seed: int) -> None:
    """Do faults to the topology on three brokers of Apache Kafka, and tell what came of it."""
    if missing := kafka_missing():
        raise click.ClickException(missing)
    if unknown := set(names) - FAULTS.keys():
        raise click.ClickException(f"{min(unknown)}: none of {', '.join(FAULTS)}")
    told: dict[str, Any] = json.loads(OUT.read_text()) if OUT.exists() else {"faults": []}
    broken = False
    for name in names or tuple(FAULTS):
        try:
            found = try_fault(name, FAULTS[name], rounds=rounds, seed=seed)
        except (TimeoutError, AssertionError, KafkaException) as error:
            # An hour of the others is not to be lost for it.
            found = {"fault": name, "rounds": rounds, "broken_off": str(error), "holds": False}
        broken = broken or not found.get("holds", True)
        told["faults"] = [it for it in told["faults"] if it["fault"] != name] + [found]
        OUT.parent.mkdir(exist_ok=True)
        OUT.write_text(json.dumps(told, indent=2) + "\n")
    click.echo(table(told["faults"]))
    raise SystemExit(broken)


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
