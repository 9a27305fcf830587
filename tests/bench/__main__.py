"""``make bench``: what the topology costs, beside a bare loop and beside its peers.

``python -m tests.bench [SECTION …]`` measures all sections, or those named, and puts them into
``build/bench.json`` beside what is there; then it prints the figures and draws them.
Figures are ratios of things measured by turns in one run: machines differ, and are shared.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from topology.sampler import Mode

from .compare import compare
from .efficiency import efficiency
from .gpu import gpu
from .harness import BrokerKind, kafka_missing
from .latency import latency
from .overhead import overhead
from .plots import draw
from .report import table
from .scale import scale

OUT = Path("build/bench.json")
BROKERS: tuple[BrokerKind, ...] = ("embedded", "kafka")
FRAMES_JUDGED = 800
FRAMES_NULL = 16_000
"""Forty seconds of each of the streams: risks that begin a stream are not most of what is told."""

Section = Callable[[BrokerKind, int], Any]
SECTIONS: Mapping[str, Section] = {
    "overhead_us": lambda kind, repeats: overhead(kind, repeats=repeats, frames=FRAMES_NULL),
    "e2e_efficiency": lambda kind, repeats: {
        mode: efficiency(kind, mode, repeats=repeats, frames=FRAMES_JUDGED) for mode in Mode
    },
    "peers": lambda kind, repeats: compare(kind, repeats, FRAMES_NULL),
    "latency": lambda kind, _: latency(kind),
    "scale": lambda kind, repeats: scale(kind, repeats=repeats),
}


def machine() -> dict[str, object]:
    """What it was measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "cores": os.cpu_count(),
        "cpu": model,
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
        "at": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="What the topology costs.")
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help=", ".join([*SECTIONS, "gpu"])
    )
    parser.add_argument("--broker", choices=[*BROKERS, "both"], default="both")
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    kinds = BROKERS if given.broker == "both" else (cast(BrokerKind, given.broker),)
    wanted = given.sections or [*SECTIONS, "gpu"]
    told: dict[str, Any] = json.loads(OUT.read_text()) if OUT.exists() else {}
    for name in wanted:
        if name == "gpu":
            told["gpu"] = gpu()
            _keep(told)
            continue
        for kind in kinds:
            missing = kafka_missing() if kind == "kafka" else None
            ran = {"skipped": missing} if missing else SECTIONS[name](kind, given.repeats)
            told.setdefault(name, {})[kind] = ran
            told[name].setdefault("machine", {})[kind] = machine()
            _keep(told)
    print(table(told))
    draw(told, OUT.parent)


def _keep(told: Mapping[str, Any]) -> None:
    """After each section: a run that is cut off leaves what it has."""
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
