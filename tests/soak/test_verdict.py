"""What a soak comes to, by what was noted of it."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace

import psutil
import pytest

from tests.soak.__main__ import _MOST_FAILED, Samples
from tests.soak.accounting import Account, account
from tests.soak.verdict import judge
from tests.soak.watching import Sample, held_by_all

RATE = 100.0
FLAT = Sample(
    at=0.0,
    rss_mb=500.0,
    descriptors=80,
    threads=40,
    files=3,
    streams=1000,
    in_windows=900,
    remembered=5,
    waiting=20,
    undecided=10,
    sent=0,
)
ALL_JUDGED = Account(frames_in=4000, unjudged=0, shed=0, dead_lettered=0)


def samples(**slope: float) -> list[Sample]:
    """A hundred, of which the fields named rise by so much with each."""
    return [
        replace(
            FLAT, at=5.0 * n, **{name: getattr(FLAT, name) + n * by for name, by in slope.items()}
        )
        for n in range(100)
    ]


def test_an_hour_in_which_nothing_grew_and_all_was_judged_holds() -> None:
    assert judge(samples(), ALL_JUDGED, 4000, RATE)["holds"]


@pytest.mark.parametrize("name", ["waiting", "undecided"])
def test_what_waits_longer_and_longer_does_not_hold_though_it_is_little(name: str) -> None:
    told = judge(samples(**{name: 5}), ALL_JUDGED, 4000, RATE)
    assert told["most_waiting"] <= RATE * 10
    assert told["lag_growth"][name] == 300
    assert not told["holds"]


@pytest.mark.parametrize("name", ["rss_mb", "descriptors", "threads", "files", "in_windows"])
def test_what_workers_hold_may_not_grow(name: str) -> None:
    assert not judge(samples(**{name: 1}), ALL_JUDGED, 4000, RATE)["holds"]


@pytest.mark.parametrize("name", ["unjudged", "shed", "dead_lettered"])
def test_every_frame_is_judged(name: str) -> None:
    assert not judge(samples(), replace(ALL_JUDGED, **{name: 1}), 4000, RATE)["holds"]


def test_what_the_brokers_acknowledged_is_there() -> None:
    assert not judge(samples(), ALL_JUDGED, 4001, RATE)["holds"]


def test_an_hour_that_ended_early_is_told_with_what_was_noted() -> None:
    told = judge(samples(), ALL_JUDGED, 4000, RATE, ["NoSuchProcess: 7"])
    assert told["broken_off"] == "NoSuchProcess: 7"
    assert told["drift"]["rss_mb"] == 0
    assert not told["holds"]
    assert not judge([], ALL_JUDGED, 4000, RATE, ["NoSuchProcess: 7"])["holds"]


def test_frames_of_the_warm_up_count_for_nothing() -> None:
    frames = {(0, 5), (0, 6), (0, 7), (0, 8)}
    found = account(frames, {(0, 5), (0, 1)}, {(0, 6), (0, 2)}, {(0, 7)})
    assert found == Account(frames_in=4, unjudged=1, shed=1, dead_lettered=1)


def test_a_sample_that_fails_is_counted_and_many_in_a_row_end_it() -> None:
    file = io.StringIO()
    noted = Samples(file)

    def fail() -> Sample:
        raise TimeoutError("busy")

    for _ in range(_MOST_FAILED - 1):
        noted.add(fail)
    noted.add(lambda: FLAT)
    for _ in range(_MOST_FAILED - 1):
        noted.add(fail)
    with pytest.raises(TimeoutError):
        noted.add(fail)
    assert noted.found == [FLAT]
    assert noted.failed == 2 * _MOST_FAILED - 1
    assert len(file.getvalue().splitlines()) == 2 * _MOST_FAILED


def test_a_child_that_ends_while_it_is_looked_at_is_left_out() -> None:
    class Parent(psutil.Process):
        """This process, with a child that is gone by the time it is looked at."""

        def children(self, recursive: bool = False) -> list[psutil.Process]:
            child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
            found = psutil.Process(child.pid)
            child.kill()
            child.communicate()
            return [found]

    (held,) = held_by_all(Parent())
    assert held.threads >= 1


def test_a_worker_that_is_gone_is_told_of() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    worker = psutil.Process(child.pid)
    child.kill()
    child.communicate()
    with pytest.raises(psutil.NoSuchProcess):
        held_by_all(worker)
