"""Rates over the frames of each source."""

from __future__ import annotations

import numpy as np
import pytest

from deploy.eval.frames import (
    Frames,
    Signals,
    list_aims,
    measure_calibration,
    measure_fictional,
    measure_firearm,
    measure_localisation,
    measure_sources,
)
from deploy.eval.localisation import pointing_game

BOTH = Signals(("firearm", "fictional"), (0.2, 0.5))
ALONE = Signals(("firearm",), (0.2,))


def frames(name: str, kind: str, rows: list[tuple[float, ...]]) -> Frames:
    return Frames(name, kind, "test", 1, np.array(rows, np.float32))


def test_a_frame_is_a_real_firearm_where_firearm_is_on_and_fictional_is_not() -> None:
    game = frames("arena", "game", [(0.9, 0.9), (0.9, 0.1), (0.2, 0.49), (0.1, 0.0)])
    found = measure_sources([game], BOTH)["arena"]
    assert (found["frames"], found["fired"], found["rate"]) == (4, 2, 0.5)
    assert found["fired_firearm_alone"] == 3
    low, high = found["ci95"]
    assert low < 0.5 < high


def test_without_a_fictional_signal_firearm_alone_decides() -> None:
    found = measure_sources([frames("arena", "game", [(0.9,), (0.1,)])], ALONE)["arena"]
    assert found["fired"] == found["fired_firearm_alone"] == 1


def test_firearm_is_measured_against_each_ordinary_source_and_against_all() -> None:
    photographs = np.array([[0.9], [0.8], [0.7], [0.1]], np.float32)
    easy = frames("easy", "ordinary", [(0.01,)] * 10)
    hard = frames("hard", "ordinary", [(0.75,)] * 10)
    found = measure_firearm(photographs, [easy, hard], ALONE)
    assert found["by_source"]["easy"]["auc"] == 1.0
    assert found["by_source"]["hard"]["auc"] == 0.5
    assert found["auc"] == 0.75
    assert found["by_source"]["hard"]["recall_at_fpr_0.005"] == 0.5
    assert (found["positives"], found["negatives"], found["clips"]) == (4, 20, 2)


def test_fictional_is_told_for_each_game_and_for_what_is_real() -> None:
    game = frames("arena", "game", [(0.0, 0.9), (0.0, 0.7)])
    street = frames("street", "ordinary", [(0.0, 0.1), (0.0, 0.2)])
    drill = frames("drill", "drill", [(0.9, 0.6), (0.9, 0.2)])
    found = measure_fictional([game], [street, drill], BOTH)
    assert found is not None
    assert found["by_source"]["arena"]["auc"] == 1.0
    assert {name: one["rate"] for name, one in found["by_source"].items()} == {
        "arena": 1.0,
        "street": 0.0,
        "drill": 0.5,
    }
    assert measure_fictional([game], [street], ALONE) is None


def test_calibration_has_the_bins_that_frames_fall_into() -> None:
    found = measure_calibration(np.array([0.95, 1.0]), np.array([0.95, 0.05]))
    assert [(one["n"], one["rate"]) for one in found["bins"]] == [
        (1, 0.0),
        (3, pytest.approx(2 / 3)),
    ]
    assert 0 < found["ece"] < 0.5


def test_a_point_inside_any_box_is_a_hit_and_chance_is_the_area_of_all_boxes() -> None:
    boxes = [[(0.0, 0.0, 0.5, 0.5), (0.25, 0.25, 0.75, 0.75)], [(0.9, 0.9, 1.0, 1.0)]]
    game = pointing_game(np.array([[0.7, 0.7], [0.1, 0.1]]), boxes)
    assert game.hit.tolist() == [True, False]
    assert game.centre.tolist() == [True, False]
    assert game.chance == pytest.approx([0.25 + 0.25 - 0.0625, 0.01], abs=0.01)
    found = measure_localisation(game, np.array([True, False]))
    assert (found["all"]["rate"], found["judged a firearm"]["rate"]) == (0.5, 1.0)


def test_an_aim_is_met_missed_or_not_measured() -> None:
    hours = {"takedowns_per_1000_hours": 0.0, "escalations_per_1000_hours": 11.0}
    found = {
        "firearm": {"auc": 0.98, "recall_at_fpr_0.005": None},
        "sources": {"arena": {"kind": "game", "rate": 0.02}},
        "stream_hours": {"ordinary": hours},
    }
    assert [aim["met"] for aim in list_aims(found)] == [True, None, False, None, True, False]
