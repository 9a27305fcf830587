"""The size of batches follows what they cost, in simulations of machines that judge them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.detection.batch_size import BatchCost, BatchSize, work_budget

BUDGET = 0.125
HELD_UP = 10.0


@dataclass
class Machine:
    """Takes ``fixed + per_frame * n`` seconds, 10 % more or less, and sometimes is held up."""

    fixed: float
    per_frame: float
    held_up: float = 0.0
    acknowledged: float = 0.0
    """Seconds that brokers take for what comes of a batch."""
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def seconds(self, frames: int) -> float:
        cost = BatchCost(self.fixed, self.per_frame).of(frames)
        stalled = self.chance.random() < self.held_up
        return cost * self.chance.lognormvariate(0, 0.1) * (HELD_UP if stalled else 1)


def run(
    size: BatchSize, machine: Machine, batches: int, offered: Callable[[], int] = lambda: 10**6
) -> list[int]:
    """The sizes chosen, where ``offered`` frames are waiting each time."""
    chosen = []
    for _ in range(batches):
        chosen.append(size.size)
        frames = min(size.size, offered())
        size.observe(frames, machine.seconds(frames), machine.acknowledged)
    return chosen


MACHINES = [
    (Machine(0.002, 0.005), 24),
    (Machine(0.010, 0.0005), 230),
    (Machine(0.050, 0.005), 15),
    (Machine(0.0005, 0.05), 2),
    (Machine(0.001, 0.2), 1),
]


@pytest.mark.parametrize("held_up", [0.0, 0.05])
@pytest.mark.parametrize(("machine", "best"), MACHINES)
def test_under_load_it_settles_near_the_largest_size_that_fits(
    machine: Machine, best: int, held_up: float
) -> None:
    size = BatchSize(BUDGET, 512)
    tried = Machine(machine.fixed, machine.per_frame, held_up)
    settled = run(size, tried, 300)[100:]
    assert best / 1.6 <= sum(settled) / len(settled) <= best * 1.2


def test_batches_that_take_too_long_however_small_they_are_grow_until_their_frames_show() -> None:
    size = BatchSize(BUDGET, 512)
    chosen = run(size, Machine(fixed=0.300, per_frame=0.005), 1000)
    assert sum(chosen[300:400]) / 100 >= 4
    assert 25 <= sum(chosen[800:]) / 200 <= 75


def test_under_light_load_it_learns_too_and_is_ready_for_a_heavy_one() -> None:
    size, machine, chance = BatchSize(BUDGET, 64), Machine(0.002, 0.005), random.Random(2)
    run(size, machine, 100, offered=lambda: chance.randint(1, 4))
    assert 12 <= size.size <= 36


def test_it_starts_with_a_single_frame_and_is_at_full_size_within_five_batches() -> None:
    size = BatchSize(BUDGET, 16)
    chosen = run(size, Machine(0.002, 0.005), 5)
    assert chosen[0] == 1
    assert chosen[-1] == 16


@pytest.mark.parametrize("acknowledged", [0.01, 0.1, 0.5, 5.0])
def test_where_brokers_are_slow_from_the_start_frames_do_not_go_one_by_one(
    acknowledged: float,
) -> None:
    machine = Machine(0.0005, 0.001, acknowledged=acknowledged)
    assert run(BatchSize(BUDGET, 64), machine, 5)[-1] == 64


def test_a_slow_model_is_not_given_more_than_a_few_frames_where_brokers_are_quick() -> None:
    chosen = run(BatchSize(BUDGET, 64), Machine(0.001, 0.2, acknowledged=0.005), 50)
    assert max(chosen) <= 2


def test_what_brokers_take_is_left_out_of_the_time_to_judge() -> None:
    machine = Machine(0.002, 0.005, acknowledged=0.075)
    settled = run(BatchSize(BUDGET, 512), machine, 200)[100:]
    # 0.125 s less 0.077 s, at 0.005 s a frame; and no less than what is worth the 0.077 s.
    assert 10 <= sum(settled) / 100 <= 20


def test_brokers_that_were_slow_for_one_batch_hardly_show() -> None:
    size = BatchSize(BUDGET, 64)
    run(size, Machine(0.002, 0.005, acknowledged=0.005), 100)
    before = size.size
    size.observe(before, 0.002 + before * 0.005, 60.0)
    assert size.size >= 0.8 * before


def test_when_the_cost_doubles_the_size_halves_within_twenty_batches_and_comes_back() -> None:
    size = BatchSize(BUDGET, 64)
    run(size, Machine(0.002, 0.005), 100)
    before = size.size
    run(size, Machine(0.004, 0.010), 20)
    assert 0.35 * before <= size.size <= 0.6 * before
    run(size, Machine(0.002, 0.005), 40)
    assert size.size >= 0.85 * before


def test_one_batch_that_was_held_up_for_a_minute_hardly_shows() -> None:
    size = BatchSize(BUDGET, 64)
    run(size, Machine(0.002, 0.005), 100)
    before = size.size
    size.observe(before, 60.0, 0.0)
    assert size.size >= 0.8 * before


@given(st.lists(st.tuples(st.integers(1, 64), st.floats(0, 1e3), st.floats(0, 1e3)), max_size=50))
def test_whatever_is_observed_the_size_stays_within_its_bounds(
    observed: list[tuple[int, float, float]],
) -> None:
    size = BatchSize(BUDGET, 64)
    for frames, seconds, acknowledged in observed:
        size.observe(frames, seconds, acknowledged)
        assert 1 <= size.size <= 64
        assert size.cost.fixed > 0
        assert size.cost.per_frame > 0


@given(st.floats(0.02, 10), st.floats(0.001, 0.99))
def test_a_frame_that_comes_as_a_batch_begins_is_still_judged_within_the_target(
    target: float, wait_share: float
) -> None:
    wait = wait_share * target
    work = work_budget(target, wait)
    assert work > 0
    assert max(wait, work) + work <= target * (1 + 1e-9)


def test_what_is_only_believed_is_not_reckoned_with() -> None:
    size = BatchSize(budget=0.05, most=64)
    for _ in range(99):
        size.observe(size.size, 0.002 + size.size * 0.0001, 0.0)
        assert size.seconds_for(6_400) == 0.0
    size.observe(size.size, 0.002 + size.size * 0.0001, 0.0)
    assert size.seconds_for(6_400) == pytest.approx(100 * (0.002 + 64 * 0.0001), rel=0.1)
