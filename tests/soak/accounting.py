"""What became of every frame of a soak, by where it lies."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from schemas import EventDeadLettered, topics
from tests.chaos.reading import Place, end_offsets, events, judged_at, read_topic, shed

_SETTLED_SECONDS = 120.0
_LOOK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Account:
    """How many frames were judged, left out by rule, dead-lettered, and none of it."""

    frames_in: int
    unjudged: int
    shed: int
    dead_lettered: int


def account(
    frames: Collection[Place],
    judged: Collection[Place],
    left_out: Collection[Place],
    dead: Collection[Place],
) -> Account:
    """Of ``frames``; what is told of others, as those of the warm-up, counts for nothing."""
    ours = set(frames)
    return Account(
        frames_in=len(ours),
        unjudged=len(ours.difference(judged, left_out, dead)),
        shed=len(ours.intersection(left_out)),
        dead_lettered=len(ours.intersection(dead)),
    )


def settle_account(bootstrap: str, begun: Mapping[int, int]) -> Account:
    """The account of the frames from ``begun``, an offset of each partition, on: once all of them
    are settled, or they have not been for so long that they won't be."""
    ends = end_offsets(bootstrap, topics.FRAME_SAMPLES)
    frames = {
        (partition, offset)
        for partition, end in ends.items()
        for offset in range(begun.get(partition, 0), end)
    }
    deadline = time.monotonic() + _SETTLED_SECONDS
    while True:
        found = _look(bootstrap, frames)
        if not found.unjudged or time.monotonic() > deadline:
            return found
        time.sleep(_LOOK_SECONDS)


def _look(bootstrap: str, frames: Collection[Place]) -> Account:
    letters = events(bootstrap, EventDeadLettered)
    return account(
        frames,
        judged_at(read_topic(bootstrap, topics.DETECTIONS)).keys(),
        shed(read_topic(bootstrap, topics.SHED)),
        {(it.partition, it.offset) for it in letters if it.topic == topics.FRAME_SAMPLES},
    )
