"""Policies on recorded detections: the same decisions, to the byte, however they are come by."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.decision.defaults import default_policy
from agents.decision.policies import Policies
from agents.decision.policy import Policy
from schemas import EscalationRaised, StreamsCounted, TakedownRequested
from tests.topology.recordings import Row, batches, drawn
from topology.backtest.comparison import differences, outcomes, totals
from topology.backtest.replay import Replay
from topology.backtest.report import decision_log

POLICY = default_policy()
GOLDEN = Path(__file__).parents[1] / "golden"
SCENES = {
    "attack": drawn(attack="." * 20 + "x" * 40, street="." * 60),
    "game": drawn(game="g" * 120, street="." * 60),
    "film": drawn(film="." * 10 + "m" * 40),
    "flicker": drawn(bikes="....x......x" * 6, carphone="o" * 60),
    "gap": drawn(attack="xx" + " " * 70 + "." * 10 + "xxxxxxxxxx"),
    "storm": drawn(**{f"stream-{number}": "." * number + "x" * 30 for number in range(9)}),
}
"""A few streams each, and what became of them is in ``golden/``."""


def played(rows: list[Row], *policies: Policy, skip: bool = True, size: int = 4) -> Replay:
    replay = Replay([Policies(policy) for policy in policies or (POLICY,)], skip=skip)
    replay.play(batches(rows, size))
    return replay


@pytest.mark.parametrize("scene", SCENES)
def test_the_same_record_and_policy_give_the_decisions_that_were_written_down(
    scene: str, request: pytest.FixtureRequest
) -> None:
    """``pytest --write-golden`` writes them down anew: read the difference before you commit it."""
    path = GOLDEN / f"{scene}.jsonl"
    log = decision_log(played(SCENES[scene]).decided[0].effects)
    if request.config.getoption("--write-golden"):
        path.write_bytes(log)
    assert log == path.read_bytes()


ROWS = st.lists(
    st.builds(
        Row,
        st.sampled_from(["a", "b", "c"]),
        st.integers(0, 400),
        st.sampled_from("....oxgm"),
        st.integers(0, 3),
    ),
    unique_by=lambda row: row[:2],
    max_size=120,
)


@given(rows=ROWS)
@settings(max_examples=200)
def test_putting_frames_aside_changes_no_byte_of_the_decisions(rows: list[Row]) -> None:
    whole, skipping = played(rows, skip=False), played(rows)
    assert skipping.decided[0].effects == whole.decided[0].effects
    assert skipping.first_hits == whole.first_hits
    assert skipping.detections == whole.detections


def test_long_calm_streams_are_put_aside_and_come_back() -> None:
    rows = drawn(a="." * 900 + "x" * 30 + "." * 700 + "x" * 30, b="." * 1600)
    whole, skipping = played(rows, skip=False), played(rows)
    assert skipping.decided[0].effects == whole.decided[0].effects
    assert any(isinstance(it, TakedownRequested) for it in whole.decided[0].effects)


@given(rows=ROWS, size=st.integers(1, 9))
@settings(max_examples=50)
def test_how_batches_are_cut_decides_nothing(rows: list[Row], size: int) -> None:
    def decided(replay: Replay) -> list[tuple[str, str]]:
        return [
            (type(it).__name__, it.id)
            for it in replay.decided[0].effects
            if isinstance(it, EscalationRaised | TakedownRequested)
        ]

    assert decided(played(rows, size=size)) == decided(played(rows, size=1))


def test_two_policies_are_tried_at_once_and_their_differences_told_stream_by_stream() -> None:
    lenient = replace(POLICY, version="trial", rules=POLICY.rules[2:])
    replay = played(SCENES["attack"], POLICY, lenient)
    before, after = (outcomes(decided.effects) for decided in replay.decided)
    (difference,) = differences(before, after)
    assert difference.stream_id == "attack"
    assert (difference.against.word, difference.new.word) == ("taken down", "escalated")
    told = [totals(found, replay.first_hits) for found in (before, after)]
    assert [it.takedowns for it in told] == [1, 0]
    assert [it.escalations for it in told] == [1, 1]
    assert told[0].seconds_to_takedown == 3.5
    assert told[1].seconds_to_takedown is None


def test_a_policy_beside_another_decides_as_it_does_alone() -> None:
    lenient = replace(POLICY, version="trial", rules=POLICY.rules[2:])
    both = played(SCENES["storm"], lenient, POLICY)
    alone = played(SCENES["storm"], POLICY)
    assert both.decided[1].effects == alone.decided[0].effects


def test_a_stream_that_is_taken_down_ends_there() -> None:
    effects = played(drawn(attack="x" * 400)).decided[0].effects
    kinds = [type(it) for it in effects]
    assert kinds.count(TakedownRequested) == 1
    assert kinds.count(EscalationRaised) >= 1
    counted = [it for it in effects if isinstance(it, StreamsCounted)]
    assert counted[-1].live == 0
