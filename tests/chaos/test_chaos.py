"""Faults on three brokers, once each: the short form of ``make chaos``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from deploy.kafka.jars import kafka_missing
from deploy.kafka.process import QUICK_START
from tests.chaos import faults
from tests.chaos.ground import await_judged, await_quiet, ground
from tests.chaos.load import SteadyLoad
from tests.chaos.outcome import compare
from tests.chaos.ownership import claimed_twice, handovers, taken_twice
from topology.app import Role

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.kafka,
    pytest.mark.skipif(kafka_missing() is not None, reason=str(kafka_missing())),
]
SHORT = (
    faults.kill_two_of_three,
    faults.sigterm_in_work,
    faults.kill_leader,
    partial(faults.freeze, seconds=15.0),
    faults.lose_state,
    # The last: it leaves another number of workers.
    partial(faults.come_and_go, seconds=30.0),
)


def test_nothing_is_lost_nor_decided_otherwise_whatever_is_killed(tmp_path: Path) -> None:
    with ground(tmp_path, copies=3, seed=2, java_options=QUICK_START) as on:
        with SteadyLoad(on.kafka.bootstrap) as load:
            await_judged(on, load)
            for fault in SHORT:
                fault(on)
                on.crew.await_ready()
                await_judged(on, load)
            load.stop()
            await_judged(on, load)
            await_quiet(on)
            shares = [member.partitions() for member in on.crew.of(Role.JUDGEMENT)]
            notes = on.crew.notes()
        # A few workers share eight partitions: what is said of a stream comes to one of them.
        assert all(len(set(map(tuple, share.values()))) == 1 for share in shares), shares
        outcome = compare(on.kafka.bootstrap, on.crew.policy)
        assert handovers(notes) > 0
        assert claimed_twice(notes) == 0
        assert taken_twice(notes) == 0
        assert on.left_after
        assert on.left_in_time(), (on.left_with, on.left_after)
        assert outcome.effects_expected > 0
        # As text, which pytest does not shorten.
        assert outcome.holds, str(outcome)
        assert outcome.frames == load.acknowledged
