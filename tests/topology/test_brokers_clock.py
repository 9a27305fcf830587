"""What time it is with the brokers, by the times of what was published."""

from __future__ import annotations

import pytest
from confluent_kafka import (
    TIMESTAMP_CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME,
    TIMESTAMP_NOT_AVAILABLE,
)

from topology.brokers_clock import BrokersClock

THEIRS, OURS, NONE = TIMESTAMP_LOG_APPEND_TIME, TIMESTAMP_CREATE_TIME, TIMESTAMP_NOT_AVAILABLE
HOUR = 3_600_000


class Steady:
    def __init__(self) -> None:
        self.milliseconds = 5_000

    def __call__(self) -> int:
        return self.milliseconds * 1_000_000


@pytest.mark.parametrize(
    ("heard", "now"),
    [
        pytest.param([], None, id="nothing was published yet"),
        pytest.param([(NONE, -1)], None, id="records bear no time"),
        pytest.param([(THEIRS, 7_000)], 7_000, id="the brokers' own time"),
        pytest.param([(OURS, 7_000)], 7_000, id="brokers that leave records their time"),
        pytest.param([(OURS, HOUR), (THEIRS, 7_000)], 7_000, id="their own counts for more"),
        pytest.param([(THEIRS, 7_000), (OURS, HOUR)], 7_000, id="whatever comes after it"),
        pytest.param([(THEIRS, 7_000), (NONE, -1)], 7_000, id="or does not"),
        pytest.param([(THEIRS, HOUR), (THEIRS, 7_000)], 7_000, id="the latest counts"),
    ],
)
def test_the_brokers_time_is_that_of_what_they_acknowledged(
    heard: list[tuple[int, int]], now: int | None
) -> None:
    clock = BrokersClock(Steady())
    for it in heard:
        clock.hear(*it)
    assert clock.now() == (None if now is None else now * 1000)


def test_it_goes_on_by_a_clock_that_never_jumps() -> None:
    steady = Steady()
    clock = BrokersClock(steady)
    clock.hear(THEIRS, 7_000)
    steady.milliseconds += 1_500
    assert clock.now() == 8_500_000
