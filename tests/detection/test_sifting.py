"""What is left out of a run, and what is told of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from agents.detection.sifting import Sifting
from agents.records import Record
from schemas import FramesShed
from tests.builders import SECOND, START, frame_sampled
from tests.detection.serving import sifting_of
from tests.shell import CODEC, Bench, record

HOUR = 3600 * SECOND
UNKNOWN = -1000


def run(*appended_at: int) -> list[Record]:
    """Frames of one stream, two a second, each taken by the brokers at a time of its own."""
    frames = [
        frame_sampled(sequence=number, captured_at=START + number * SECOND // 2)
        for number in range(len(appended_at))
    ]
    return [
        record(CODEC.encode(frame), offset, appended_at=at)
        for offset, (frame, at) in enumerate(zip(frames, appended_at, strict=True))
    ]


def sifted(sifting: Sifting, records: Sequence[Record]) -> tuple[list[int], list[FramesShed]]:
    """The offsets of what is judged, and what is told."""
    kept, told = sifting.sift(records)
    return [it.offset for it in kept], [it.event for it in told if isinstance(it.event, FramesShed)]


def test_of_frames_that_are_old_only_by_the_brokers_clock_some_are_left_out() -> None:
    sifting = sifting_of(Bench("detection"), brokers_now=lambda: START + HOUR)
    kept, (told,) = sifted(sifting, run(*[START] * 8))
    assert kept == [0, 4]
    assert (told.reason, told.streams[0].offsets) == ("too-old", [1, 2, 3, 5, 6, 7])


@pytest.mark.parametrize(
    ("now", "appended_at"),
    [
        pytest.param(None, START, id="the brokers' clock is not known"),
        pytest.param(START + HOUR, UNKNOWN, id="the record bears no time"),
        pytest.param(START + 120 * SECOND, START, id="two minutes are not too old"),
        pytest.param(START - HOUR, START, id="the brokers' clock was set back"),
    ],
)
def test_what_is_not_known_to_be_too_old_is_judged(now: int | None, appended_at: int) -> None:
    sifting = sifting_of(Bench("detection"), brokers_now=lambda: now)
    assert sifted(sifting, run(*[appended_at] * 8)) == (list(range(8)), [])


def test_where_the_backlog_goes_over_to_what_is_new_each_reason_is_told_by_itself() -> None:
    """Of a stream the frames that are judged are the same as if there were one reason."""
    made = Bench("detection")
    sifting = sifting_of(made, lambda: 6.0, brokers_now=lambda: START + HOUR)
    old, new = START, START + HOUR
    kept, told = sifted(sifting, run(old, old, old, new, new, new))
    assert kept == [0, 4]
    assert [(it.reason, it.streams[0].offsets, it.shed_at) for it in told] == [
        ("too-old", [1, 2], old),
        ("backlog", [3, 5], new),
    ]
    assert len({it.shed_id for it in told}) == 2
    assert made.counts == {"detection frames too old shed": 2, "detection frames shed": 2}
