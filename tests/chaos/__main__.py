"""``make chaos``: faults, each in many rounds under load, and what came of them.

``python -m tests.chaos [FAULT …] [--rounds 20]`` starts three brokers and three workers of each
role for a fault, feeds them steadily, and does the fault again and again. Then the load stops, and
what is on the topics is held against what the pure cores make of it. ``build/chaos.json`` has what
was seen, beside what was there of other faults, each with the revision it was seen at; the exit
code is 1 where a promise was broken or a fault could not be gone through with. A fault that this
machine does not let be done is told as skipped, and breaks nothing.
"""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from deploy.kafka.jars import kafka_missing

from .faults import FAULTS
from .report import table
from .trying import try_fault

OUT = Path("build/chaos.json")


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
        ran = {"revision": _revision(), "ran_at": datetime.now(UTC).isoformat(timespec="seconds")}
        found = {**try_fault(name, FAULTS[name], rounds=rounds, seed=seed), **ran}
        broken = broken or not ("skipped" in found or found["holds"])
        told["faults"] = [it for it in told["faults"] if it["fault"] != name] + [found]
        OUT.parent.mkdir(exist_ok=True)
        OUT.write_text(json.dumps(told, indent=2) + "\n")
    click.echo(table(told["faults"]))
    raise SystemExit(broken)


def _revision() -> str:
    """Of what is tried; with changes that are in no commit it ends in ``-dirty``."""
    words = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
