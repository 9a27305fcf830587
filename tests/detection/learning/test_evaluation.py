"""What is measured of a bundle on a corpus."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents.detection.learning.corpus import Frame
from agents.detection.learning.evaluation import Judged, measure
from agents.detection.learning.plots import draw


def frame(source: str, label: str, **signals: int) -> Frame:
    return Frame("f", "0", source, label, "0", 0.0, 0, "0" * 16, signals)


FRAMES = [
    frame("doom", "game", fictional=1, firearm=0),
    frame("doom", "game", fictional=1, firearm=0),
    frame("range", "drill", fictional=0, firearm=1),
    frame("range", "drill", fictional=0, firearm=0),
    frame("yard", "drill", fictional=0),
]
SCORES = np.array([[0.9, 0.1], [0.4, 0.6], [0.1, 0.9], [0.2, 0.2], [0.5, 0.9]])
"""Of fictional and firearm."""
JUDGED = Judged(FRAMES, ["fictional", "firearm"], SCORES)
FIGURES = measure(JUDGED, {"fictional": 0.5, "firearm": 0.6})


def test_rates_are_told_by_source_and_by_what_is_so() -> None:
    """A score at the threshold is on."""
    rates = {(r.source, r.signal, r.truth): (r.fired, r.frames) for r in FIGURES.rates}
    assert rates == {
        ("doom", "fictional", 1): (1, 2),
        ("range", "fictional", 0): (0, 2),
        ("yard", "fictional", 0): (1, 1),
        ("doom", "firearm", 0): (1, 2),
        ("range", "firearm", 1): (1, 1),
        ("range", "firearm", 0): (0, 1),
        ("yard", "firearm", None): (1, 1),
    }


def test_frames_of_which_a_signal_is_unknown_take_no_part_in_how_well_it_tells() -> None:
    (one, everything) = [s for s in FIGURES.separations if s.signal == "firearm"]
    assert (one.source, everything.source) == ("range", None)
    assert (one.positives, one.negatives, one.auc) == (1, 3, 1.0)


def test_each_sources_positives_stand_against_all_negatives() -> None:
    """0.9 and 0.4 against 0.1, 0.2 and 0.5: five of six pairs are in order."""
    (doom, _) = [s for s in FIGURES.separations if s.signal == "fictional"]
    assert doom.auc == pytest.approx(5 / 6)


def test_no_frames_give_no_figures() -> None:
    nothing = measure(Judged([], ["firearm"], np.empty((0, 1))), {"firearm": 0.5})
    assert (nothing.rates, nothing.separations) == ((), ())


def test_plots_are_drawn_of_signals_with_both_classes_and_always_the_same(tmp_path: Path) -> None:
    one_sided = Judged(FRAMES[:2], ["fictional"], SCORES[:2, :1])
    assert draw(one_sided, tmp_path / "none") == []
    drawn = draw(JUDGED, tmp_path / "one")
    assert [path.name for path in drawn] == ["fictional.png", "firearm.png"]
    again = draw(JUDGED, tmp_path / "two")
    assert [path.read_bytes() for path in drawn] == [path.read_bytes() for path in again]
