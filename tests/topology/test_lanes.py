"""What goes to librdkafka at once, and what waits for what went before."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topology.lanes import BATCH_RECORDS, KNOWN_SECONDS, Lanes, Waiting

BATCH_BYTES = 1_000


def add(lanes: Lanes[int], items: Sequence[int], size: int = 1, since: float = 0.0) -> None:
    for item in items:
        lanes.add("lane", Waiting(item, size, since))


def due(lanes: Lanes[int], now: float = 0.0) -> list[int]:
    return [waiting.item for waiting in lanes.due(now).get("lane", [])]


def known_lanes(*names: str) -> Lanes[int]:
    """Of each something has been acknowledged, at 0."""
    lanes: Lanes[int] = Lanes(BATCH_BYTES)
    for name in names or ("lane",):
        lanes.add(name, Waiting(-1, 1, 0.0))
        lanes.due(0.0)
        lanes.done(name, 0.0)
    return lanes


def test_until_something_is_acknowledged_one_goes_alone() -> None:
    lanes: Lanes[int] = Lanes(BATCH_BYTES)
    add(lanes, range(4))
    assert due(lanes) == [0]
    add(lanes, [4])
    assert due(lanes) == []
    lanes.done("lane", None)
    assert due(lanes) == [1]
    lanes.done("lane", 0.0)
    assert due(lanes) == [2, 3, 4]


def test_where_nothing_was_acknowledged_for_an_hour_one_goes_alone_again() -> None:
    lanes = known_lanes()
    add(lanes, range(2))
    assert due(lanes, KNOWN_SECONDS) == [0]
    add(lanes, [2])
    assert due(lanes, KNOWN_SECONDS) == []
    lanes.done("lane", KNOWN_SECONDS)
    assert due(lanes, KNOWN_SECONDS) == [1, 2]


def test_what_has_come_meanwhile_goes_together_once_all_before_it_are_there() -> None:
    lanes = known_lanes()
    add(lanes, [0, 1])
    assert due(lanes) == [0, 1]
    add(lanes, [2])
    add(lanes, [3])
    assert due(lanes) == []
    lanes.done("lane", 0.0)
    assert due(lanes) == []
    lanes.done("lane", None)
    assert due(lanes) == [2, 3]


def test_no_more_records_go_together_than_can_be_handed_over_in_time() -> None:
    lanes = known_lanes()
    add(lanes, range(BATCH_RECORDS + 1))
    assert due(lanes) == list(range(BATCH_RECORDS))


@pytest.mark.parametrize(
    ("size", "together"), [(BATCH_BYTES // 2, 2), (BATCH_BYTES // 2 + 1, 1), (BATCH_BYTES * 3, 1)]
)
def test_no_more_bytes_go_together_than_a_request_takes_but_one_record_always(
    size: int, together: int
) -> None:
    lanes = known_lanes()
    add(lanes, range(4), size)
    assert due(lanes) == list(range(together))


def test_a_lane_waits_for_no_other() -> None:
    lanes = known_lanes("one", "two")
    lanes.add("one", Waiting(1, 1, 0.0))
    assert len(lanes.due(0.0)) == 1
    lanes.add("one", Waiting(2, 1, 0.0))
    lanes.add("two", Waiting(3, 1, 0.0))
    assert {lane: [it.item for it in taken] for lane, taken in lanes.due(0.0).items()} == {
        "two": [3]
    }


def test_what_could_not_be_sent_goes_first_the_next_time() -> None:
    lanes = known_lanes()
    add(lanes, range(4))
    (taken,) = lanes.due(0.0).values()
    add(lanes, [4])
    lanes.put_back("lane", taken[1:])
    lanes.done("lane", 0.0)
    assert due(lanes) == [1, 2, 3, 4]


def test_what_has_waited_too_long_waits_no_longer() -> None:
    lanes = known_lanes()
    add(lanes, [0], since=1.0)
    due(lanes)
    add(lanes, range(10, 15), since=2.0)
    add(lanes, [15], since=3.0)
    assert lanes.take_older(3.0) == list(range(10, 15))
    lanes.done("lane", 0.0)
    assert due(lanes) == [15]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 12), st.integers(0, 8)), max_size=60))
def test_order_is_kept_nothing_is_lost_and_one_request_is_on_its_way(
    steps: list[tuple[int, int, int]],
) -> None:
    """Each step adds some to a lane, and then some of what is on its way there arrives."""
    lanes: Lanes[int] = Lanes(BATCH_BYTES)
    added: dict[int, list[int]] = defaultdict(list)
    arrived: dict[int, list[int]] = defaultdict(list)
    on_way: dict[int, deque[int]] = defaultdict(deque)

    def send() -> None:
        for lane, taken in lanes.due(0.0).items():
            assert isinstance(lane, int)
            assert not on_way[lane]
            assert arrived[lane] or len(taken) == 1
            assert sum(it.size for it in taken) <= BATCH_BYTES
            on_way[lane].extend(it.item for it in taken)

    def arrive(lane: int, count: int) -> None:
        for _ in range(min(count, len(on_way[lane]))):
            arrived[lane].append(on_way[lane].popleft())
            lanes.done(lane, 0.0)
        send()

    for number, (lane, more, fewer) in enumerate(steps):
        for item in range(more):
            added[lane].append(number * 100 + item)
            lanes.add(lane, Waiting(added[lane][-1], BATCH_BYTES // 8, 0.0))
        send()
        arrive(lane, fewer)
    while any(on_way.values()):
        for lane in list(on_way):
            arrive(lane, 1)
    assert arrived == added
