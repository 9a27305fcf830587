"""The same work as peers of the topology do it, each written as its own documentation has it.

``python -m tests.bench.peers NAME`` runs one, with the Python that has what it needs. Each
publishes risks and effects only: where the topology is two workers with a topic between them, so
that judging scales apart from deciding and windows can be rebuilt from detections, a peer does both
in one place and keeps no detections. Nor does any of them shed, dead-letter, count, tell which
streams are watched, or take orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

OWN_PYTHON = Path("build/peers/bin/python")
"""Of the environment that ``tests/bench/peers/install`` makes."""


@dataclass(frozen=True, slots=True)
class Guarantees:
    """What a peer, as it is written here, promises of the frames and of what it knows."""

    at_least_once: bool
    """Every frame's outputs are with the brokers before its offset is committed."""
    state: Literal["memory", "changelog", "snapshots"]
    """Where windows and decisions are kept besides memory."""
    survives_restart: bool
    """After an end by force the decisions are those that would have come without it."""
    moves_with_partition: bool
    """So they are where a partition is handed over to another process."""
    note: str


@dataclass(frozen=True, slots=True)
class Peer:
    """How a peer is started, and what it promises."""

    module: str
    own_python: bool
    """It needs packages that the project does not have."""
    guarantees: Guarantees


GUARANTEES = {
    "quixstreams": Guarantees(
        at_least_once=True,
        state="changelog",
        survives_restart=True,
        moves_with_partition=True,
        note="state in RocksDB and a changelog topic, both written as offsets are committed; "
        "frames after the last commit are judged again, and a frame judged twice counts once",
    ),
    "bytewax": Guarantees(
        at_least_once=True,
        state="snapshots",
        survives_restart=True,
        moves_with_partition=False,
        note="offsets and state go back to the last snapshot together; the workers are a fixed "
        "number, and snapshots are on their disks",
    ),
    "aiokafka": Guarantees(
        at_least_once=True,
        state="memory",
        survives_restart=False,
        moves_with_partition=False,
        note="windows and decisions are lost with the process or the partition: an attack that "
        "is under way starts anew, and is taken down again",
    ),
    "confluent-kafka": Guarantees(
        at_least_once=True,
        state="memory",
        survives_restart=False,
        moves_with_partition=False,
        note="windows and decisions are lost with the process or the partition: an attack that "
        "is under way starts anew, and is taken down again",
    ),
    "faust": Guarantees(
        at_least_once=False,
        state="changelog",
        survives_restart=True,
        moves_with_partition=False,
        note="without the mends of topology/faust_mend.py, Faust loses frames when workers come "
        "and go; the changelog is written for every frame, but not waited for",
    ),
}
"""By the peer's name."""

PEERS = {
    "quixstreams": Peer("quixstreams_app", True, GUARANTEES["quixstreams"]),
    "bytewax": Peer("bytewax_dataflow", True, GUARANTEES["bytewax"]),
    "aiokafka": Peer("aiokafka_loop", False, GUARANTEES["aiokafka"]),
    "confluent-kafka": Peer("confluent_loop", False, GUARANTEES["confluent-kafka"]),
    "faust": Peer("plain_faust", False, GUARANTEES["faust"]),
}
