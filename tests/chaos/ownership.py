"""Who had which partitions, by the workers' own notes, and whether each was one worker's alone.

A worker notes what the group has handed it, and what it takes of it, with the generation of the
group that it was handed in. Within one generation a partition is one worker's; from one to the next
it may go to another, and what was in work is taken again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import msgspec

_SUFFIX = ".jsonl"


class Handed(msgspec.Struct, frozen=True, tag=True):
    """The partitions that a worker has in a generation; a handover leaves it no others."""

    worker: str
    role: str
    generation: int
    partitions: list[tuple[str, int]]
    """Topic and number."""


class Taken(msgspec.Struct, frozen=True, tag=True):
    """Records that a worker has given to its agent, from ``first`` to ``last``."""

    worker: str
    role: str
    generation: int
    topic: str
    partition: int
    first: int
    last: int


Note = Handed | Taken
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Note)


class Notes:
    """A worker's own file of notes in a folder. Each is with the system once it is written, so that
    SIGKILL loses none."""

    def __init__(self, folder: Path, worker: str) -> None:
        folder.mkdir(exist_ok=True)
        self._file = (folder / f"{worker}{_SUFFIX}").open("ab", buffering=0)

    def write(self, note: Note) -> None:
        self._file.write(_ENCODER.encode(note) + b"\n")


def read_notes(folder: Path) -> list[Note]:
    """Of all workers; what one that was killed has not written to its end is left out."""
    return [
        _DECODER.decode(line)
        for path in sorted(folder.glob(f"*{_SUFFIX}"))
        for line in path.read_bytes().splitlines(keepends=True)
        if line.endswith(b"\n")
    ]


def claimed_twice(notes: Iterable[Note]) -> int:
    """How many partitions two workers of a role were handed in one generation."""
    owners: dict[tuple[str, int, str, int], set[str]] = defaultdict(set)
    for note in notes:
        if isinstance(note, Handed):
            for topic, number in note.partitions:
                owners[note.role, note.generation, topic, number].add(note.worker)
    return sum(len(workers) > 1 for workers in owners.values())


def taken_twice(notes: Iterable[Note]) -> int:
    """How many records two workers of a role took in one generation."""
    takers: dict[tuple[str, int, str, int], dict[str, set[int]]] = defaultdict(dict)
    for note in notes:
        if isinstance(note, Taken):
            of_worker = takers[note.role, note.generation, note.topic, note.partition]
            offsets = range(note.first, note.last + 1)
            of_worker.setdefault(note.worker, set()).update(offsets)
    counted = (Counter(chain(*of_worker.values())) for of_worker in takers.values())
    return sum(workers > 1 for offsets in counted for workers in offsets.values())


def handovers(notes: Iterable[Note]) -> int:
    """How often a worker was handed partitions: where it is 0, nothing was noted."""
    return sum(isinstance(note, Handed) for note in notes)
