"""Recorded detections for tests, drawn as timelines of half seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from schemas import topics
from tests.builders import SECOND, START

SCORES = {
    ".": (0.0625, 0.125),
    "x": (0.875, 0.125),
    "g": (0.875, 0.984375),
    "m": (0.875, 0.6875),
    "o": (0.3125, 0.125),
}
"""Firearm and fictional, as 32 bits hold them: nothing, a rifle, a game, a film perhaps, something
unclear."""


class Row(NamedTuple):
    """One frame; ``at`` in half seconds."""

    stream: str
    at: int
    mark: str
    delay: int = 0
    """Half seconds from capture to the brokers."""


def drawn(**streams: str) -> list[Row]:
    """A frame for each mark, a space for none; streams side by side."""
    longest = max(map(len, streams.values()))
    return [
        Row(stream, at, drawing[at])
        for at in range(longest)
        for stream, drawing in streams.items()
        if at < len(drawing) and drawing[at] != " "
    ]


def batches(rows: Iterable[Row], size: int = 4) -> Iterator[dict[str, Any]]:
    """``rows`` in the order of their being appended, in micro-batches of one partition."""
    ordered = sorted(rows, key=lambda row: row.at + row.delay)
    for first in range(0, len(ordered), size):
        yield {
            "bundle": "test/1",
            "bundle_digest": "b" * 64,
            "frame_topic": topics.FRAME_SAMPLES,
            "frame_partition": 0,
            "signals": ["firearm", "fictional"],
            "detections": [
                {
                    "stream_id": row.stream,
                    "session_id": f"{row.stream}-session",
                    "sequence": row.at,
                    "captured_at": START + row.at * SECOND // 2,
                    "offset": first + number,
                    "appended_at": START + (row.at + row.delay) * SECOND // 2 + number,
                    "drill": False,
                    "scores": list(SCORES[row.mark]),
                }
                for number, row in enumerate(ordered[first : first + size])
            ],
        }
