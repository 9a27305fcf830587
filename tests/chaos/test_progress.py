"""How judging went on, in seconds along a timeline."""

from __future__ import annotations

from schemas import Event
from tests.builders import frame_sampled
from tests.chaos.progress import Stall, longest_stalls, resumed, taken_down_after
from tests.chaos.reading import CODEC, Place, Read
from tests.oncall.events import takedown_requested

ALL = (0.0, 100.0)


def came(partition: int, *at: float) -> list[Read]:
    return [Read(partition, n, int(seconds * 1000), b"") for n, seconds in enumerate(at)]


def judged(partition: int, *at: float | None) -> dict[Place, list[float]]:
    return {(partition, n): [seconds] for n, seconds in enumerate(at) if seconds is not None}


def lies(event: Event, at: float) -> Read:
    return Read(0, 0, int(at * 1000), CODEC.encode(event))


def test_a_partition_stalls_from_the_last_frame_judged_to_the_next_while_one_waits() -> None:
    """came    10 11 12 . . . . . 30
    judged     10    . . . . . 20 30   (11 and 12 at 20)"""
    frames = came(0, 10, 11, 12, 30)
    assert longest_stalls(frames, judged(0, 10, 20, 20, 30), (), ALL) == [Stall(0, 9.0)]


def test_nothing_stalls_while_nothing_waits() -> None:
    assert longest_stalls(came(0, 10, 90), judged(0, 10.5, 90.5), (), ALL) == [Stall(0, 0.5)]


def test_frames_that_wait_long_are_no_stall_while_others_are_judged() -> None:
    """The frame of 10 waits for 40 seconds; one of each 2 s is judged meanwhile."""
    times = [10.0, *(12.0 + 2 * n for n in range(20))]
    at = [50.0, *(12.0 + 2 * n for n in range(20))]
    assert longest_stalls(came(0, *times), judged(0, *at), (), ALL) == [Stall(0, 2.0)]


def test_a_frame_that_is_never_judged_waits_to_the_end_unless_it_was_left_out() -> None:
    frames, at = came(0, 10, 20), judged(0, 10, None)
    assert longest_stalls(frames, at, (), ALL) == [Stall(0, 80.0)]
    assert longest_stalls(frames, at, {(0, 1)}, ALL) == [Stall(0, 0.0)]


def test_a_frame_that_is_judged_again_is_no_progress() -> None:
    at = {(0, 0): [10.0, 15.0], (0, 1): [20.0]}
    assert longest_stalls(came(0, 10, 11), at, (), ALL) == [Stall(0, 9.0)]


def test_only_what_lies_within_counts_and_the_longest_partition_is_first() -> None:
    frames = [*came(0, 10, 30), *came(1, 10)]
    at = {**judged(0, 40, 31), **judged(1, 60)}
    assert longest_stalls(frames, at, (), (20.0, 50.0)) == [Stall(1, 30.0), Stall(0, 11.0)]


def test_judging_has_resumed_once_all_partitions_have_new_frames_judged() -> None:
    frames = [*came(0, 5, 11), *came(1, 12)]
    assert resumed(frames, {**judged(0, 30, 13), **judged(1, 17)}, 10.0) == 7.0


def test_nothing_is_said_of_judging_that_has_not_resumed() -> None:
    assert resumed(came(0, 5), judged(0, 12), 10.0) is None


def test_a_stream_is_taken_down_so_long_after_its_first_frame_came() -> None:
    frames = [
        lies(frame_sampled(stream_id=name), at)
        for name, at in (("a", 10), ("b", 11), ("a", 12), ("calm", 13))
    ]
    takedowns = [
        lies(takedown_requested(stream_id=name), at)
        for name, at in (("a", 14), ("b", 20), ("a", 30))
    ]
    assert taken_down_after(frames, takedowns) == [4.0, 9.0]
