"""What goes to librdkafka at once, and what waits for what went before."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topology.lanes import BATCH_BYTES, MOST_AHEAD, Lanes, Waiting


def add(lanes: Lanes[int], items: Sequence[int], size: int = 1, since: float = 0.0) -> None:
    for item in items:
        lanes.add("lane", Waiting(item, size, since))


def due(lanes: Lanes[int]) -> list[int]:
    return [waiting.item for waiting in lanes.due().get("lane", [])]


def test_where_nothing_is_on_its_way_all_go_together() -> None:
    lanes: Lanes[int] = Lanes()
    add(lanes, range(20))
    assert due(lanes) == list(range(20))
    assert due(lanes) == []


def test_behind_a_batch_all_wait_until_the_last_of_it_has_arrived() -> None:
    lanes: Lanes[int] = Lanes()
    add(lanes, range(MOST_AHEAD))
    assert len(due(lanes)) == MOST_AHEAD
    add(lanes, range(10, 20))
    assert due(lanes) == []
    for _ in range(MOST_AHEAD):
        lanes.done("lane")
    assert due(lanes) == list(range(10, 20))


def test_up_to_five_go_ahead_of_acknowledgements() -> None:
    lanes: Lanes[int] = Lanes()
    add(lanes, [0])
    assert due(lanes) == [0]
    add(lanes, range(1, 9))
    assert due(lanes) == list(range(1, MOST_AHEAD))
    lanes.done("lane")
    assert due(lanes) == [MOST_AHEAD]


@pytest.mark.parametrize(
    ("size", "together"), [(BATCH_BYTES // 2, 2), (BATCH_BYTES // 2 + 1, 1), (BATCH_BYTES * 3, 1)]
)
def test_no_more_bytes_go_together_than_a_request_takes_but_one_record_always(
    size: int, together: int
) -> None:
    lanes: Lanes[int] = Lanes()
    add(lanes, range(4), size)
    assert due(lanes) == list(range(together))


def test_a_lane_waits_for_no_other() -> None:
    lanes: Lanes[int] = Lanes()
    lanes.add("one", Waiting(1, 1, 0.0))
    assert len(lanes.due()) == 1
    lanes.add("one", Waiting(2, BATCH_BYTES, 0.0))
    lanes.add("two", Waiting(3, 1, 0.0))
    assert {lane: [it.item for it in taken] for lane, taken in lanes.due().items()} == {
        "one": [2],
        "two": [3],
    }


def test_what_could_not_be_sent_goes_first_the_next_time() -> None:
    lanes: Lanes[int] = Lanes()
    add(lanes, range(4))
    (taken,) = lanes.due().values()
    add(lanes, [4])
    lanes.put_back("lane", taken[1:])
    lanes.done("lane")
    assert due(lanes) == [1, 2, 3, 4]


def test_what_has_waited_too_long_waits_no_longer() -> None:
    lanes: Lanes[int] = Lanes()
    add(lanes, [0], since=1.0)
    assert due(lanes) == [0]
    add(lanes, range(1, 9), since=2.0)
    add(lanes, [9], since=3.0)
    due(lanes)
    assert lanes.take_older(3.0) == list(range(MOST_AHEAD, 9))
    for _ in range(MOST_AHEAD):
        lanes.done("lane")
    assert due(lanes) == [9]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 12), st.integers(0, 8)), max_size=60))
def test_order_is_kept_nothing_is_lost_and_none_waits_behind_five_with_librdkafka(
    steps: list[tuple[int, int, int]],
) -> None:
    """Each step adds some to a lane, and then some of what is on its way there arrives."""
    lanes: Lanes[int] = Lanes()
    added: dict[int, list[int]] = defaultdict(list)
    arrived: dict[int, list[int]] = defaultdict(list)
    on_way: dict[int, deque[int]] = defaultdict(deque)

    def send() -> None:
        for lane, taken in lanes.due().items():
            assert isinstance(lane, int)
            assert not on_way[lane] or len(on_way[lane]) + len(taken) <= MOST_AHEAD
            on_way[lane].extend(it.item for it in taken)

    def arrive(lane: int, count: int) -> None:
        for _ in range(min(count, len(on_way[lane]))):
            arrived[lane].append(on_way[lane].popleft())
            lanes.done(lane)
        send()

    for number, (lane, more, fewer) in enumerate(steps):
        for item in range(more):
            added[lane].append(number * 100 + item)
            lanes.add(lane, Waiting(added[lane][-1], BATCH_BYTES // 8, 0.0))
        send()
        arrive(lane, fewer)
    while any(on_way.values()):
        for lane in list(on_way):
            arrive(lane, MOST_AHEAD)
    assert arrived == added
