"""Controls of any events: neither the order in which partitions come nor repetition matters."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from agents.decision.controls import Controls
from agents.decision.policy import BreakerLimits, Policy
from schemas import Event

from .events import counted, reversal, takedown, tripped
from .timeline import at, order

POLICY = Policy("default", "3", (), breaker=BreakerLimits(takedowns=3, at_least_at_risk=20))


@dataclass
class Told:
    """An event, when the brokers appended it, and when it may be heard of besides: before that,
    under its own time, and when it is published again."""

    event: Event
    appended_at: int
    besides: list[int] = field(default_factory=list)


STREAMS = st.sampled_from(["s-1", "s-2", "s-3", "s-4"])
SECONDS = st.integers(0, 300)
EVENTS = st.one_of(
    st.builds(
        lambda seconds, stream, drill: takedown(seconds, stream, account_id="a", drill=drill),
        SECONDS,
        STREAMS,
        st.booleans(),
    ),
    st.builds(reversal, SECONDS, STREAMS),
    st.builds(
        counted, SECONDS, st.integers(0, 2), live=st.integers(30, 99), at_risk=st.integers(0, 30)
    ),
    st.builds(
        lambda seconds, lasts: tripped(seconds, seconds + lasts), SECONDS, st.integers(1, 99)
    ),
    st.builds(
        lambda seconds, command, scope: order(seconds, command, seconds + 60, scope=scope),
        SECONDS,
        st.sampled_from(["hold-takedowns", "lift-hold", "trip-breaker", "close-breaker"]),
        st.sampled_from(["all", "region:NZ"]),
    ),
)
TOLD = st.builds(
    lambda event, late, besides: Told(
        event, event.time + late, [-1 if it == 0 else event.time + late + it for it in besides]
    ),
    EVENTS,
    st.integers(0, 5_000_000),
    st.lists(st.integers(0, 9_000_000), max_size=2),
)


def seen(made: Controls) -> list[object]:
    """All that anybody can ask them."""
    return [
        (
            made.hold(POLICY, region, now),
            made.trip(POLICY, now),
            made.status(POLICY, now),
            [made.former("s-1", "a", "s", now, drill) for drill in (False, True)],
        )
        for region in ("NZ", "")
        for now in (at(100), at(200), at(320))
    ]


@given(st.lists(TOLD, max_size=8, unique_by=lambda it: (type(it.event), it.event.id)), st.randoms())
def test_neither_order_nor_repetition_changes_what_controls_answer(
    told: list[Told], random: Random
) -> None:
    straight, shuffled = Controls(), Controls()
    for it in told:
        straight.apply(it.event, it.appended_at)
    heard = [(it.event, when) for it in told for when in (it.appended_at, *it.besides)]
    random.shuffle(heard)
    for event, when in heard:
        shuffled.apply(event, when)
    assert seen(shuffled) == seen(straight)
