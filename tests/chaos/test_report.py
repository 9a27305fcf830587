"""What is told of faults that were gone through with, skipped or broken off."""

from __future__ import annotations

import pytest

from deploy.kafka.process import ClusterNotStarted
from tests.chaos.report import table
from tests.chaos.surroundings import NotHere
from tests.chaos.trying import Rounds, _summed_up


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("3 frames not delivered, 0 failed"),
        ClusterNotStarted("broker 2 was not ready"),
        NotHere("ip link set: no such device"),
        ValueError("max() of nothing"),
    ],
)
def test_a_fault_that_is_broken_off_tells_why_and_what_its_rounds_came_to(error: Exception) -> None:
    done = Rounds(periods=[(0.0, 1.0)] * 16)
    with done.noting():
        raise error
    told = _summed_up("cut-link", 20, done, {"frames_in": 4000, "unjudged": 0, "holds": True})
    assert told["rounds"] == 16
    assert told["frames_in"] == 4000
    assert told["holds"] is False
    assert "broken off in round 17 of 20" in table([told])
    assert str(error) in table([told])


def test_a_fault_holds_where_all_its_rounds_were_done() -> None:
    told = _summed_up("freeze", 2, Rounds(periods=[(0.0, 1.0)] * 2), {"holds": True})
    assert told == {"fault": "freeze", "rounds": 2, "holds": True}


def test_a_skipped_fault_is_told_of_and_not_as_holding() -> None:
    line, note = table([{"fault": "cut-link", "skipped": "ip is not installed"}]).splitlines()[1:]
    assert line.split()[:2] == ["cut-link", "skipped"]
    assert "yes" not in line
    assert note == "cut-link was skipped, and nothing is known: ip is not installed"


def test_what_did_not_hold_is_said() -> None:
    told = {"fault": "freeze", "rounds": 2, "holds": False, "not_held": ["left in time"]}
    assert table([told]).splitlines()[-1] == "freeze does not hold: not left in time"
