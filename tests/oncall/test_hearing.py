"""What aggregation tells at its ticks of what was judged, as people see it."""

from __future__ import annotations

import pytest

from agents.aggregation.risk import PartitionWindows
from agents.aggregation.windows import WindowSpec
from agents.oncall.desk import LATE_AFTER
from agents.oncall.read_model import ReadModel
from agents.oncall.rows import StreamRow
from tests.builders import SECOND, START, detection, detections_made


def shown(every: int = 1) -> list[StreamRow]:
    """A stream's row in each of a hundred seconds, just before what its tick tells is read.

    Of two frames a second each ``every``-th is judged, a quarter of a second after its capture.
    """
    windows, model, rows = PartitionWindows(WindowSpec()), ReadModel(), []
    for number in range(200):
        now = START + number * SECOND // 2 + SECOND // 4
        if number % every == 0:
            for risk in windows.observe(detections_made(detection(number)), number):
                model.apply(risk, now)
        if number % 2:
            read_at = now + SECOND // 4
            rows += model.rows(read_at, late_after_us=LATE_AFTER)
            model.apply(windows.tick(now, 0), read_at)
    return rows


@pytest.mark.parametrize("every", [1, 20])
def test_a_stream_that_is_judged_in_time_is_never_shown_as_unwatched(every: int) -> None:
    """Whether it is sampled twice a second or every ten."""
    assert [row.unwatched for row in shown(every)] == [None] * 100


def test_the_newest_frame_shows_as_at_most_six_seconds_older_than_it_is() -> None:
    before, *ages = [row.frame_age for row in shown()]
    assert before is None
    assert all(0.5 <= age <= 6 + 0.5 for age in ages if age is not None)


def test_frames_that_were_judged_show_within_six_seconds() -> None:
    frames = [row.frames for row in shown()]
    assert all(2 * (second - 6) <= count <= 2 * second for second, count in enumerate(frames))
    assert frames == sorted(frames)
