"""From detections to risk, for one partition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.aggregation.risk import IDLE, PartitionWindows, risk_of
from agents.aggregation.windows import FrameRefused, WindowSpec
from schemas import Detection, RiskAssessed
from tests.builders import SECOND, START, detection, detections_made, window

SPEC = WindowSpec()


def run(scores: list[float], windows: PartitionWindows | None = None) -> list[RiskAssessed]:
    """Risks of one stream that scores ``scores``, one batch a frame."""
    windows = windows or PartitionWindows(SPEC)
    return [
        risk
        for number, score in enumerate(scores)
        for risk in windows.observe(detections_made(detection(number, score)), number)
    ]


def test_risk_is_the_mean_signal_as_far_as_the_window_was_watched() -> None:
    assert risk_of(window(3.0, hits=3, mean=0.8, coverage=0.5)) == pytest.approx(0.4)


def test_a_clear_stream_is_told_once_when_it_begins() -> None:
    assert [(risk.cause.offset, risk.risk) for risk in run([0.0] * 20)] == [(0, 0.0)]


def test_every_hit_is_told_at_once() -> None:
    assert [risk.cause.offset for risk in run([0.0, 0.0, 0.9, 0.9])] == [0, 2, 3]


def test_a_stream_that_is_not_clear_is_told_every_second_and_once_when_it_clears() -> None:
    risks = run([0.9] + [0.0] * 70)
    seconds = [(risk.assessed_at - START) / SECOND for risk in risks]
    assert seconds[:4] == [0, 1, 2, 3]
    assert seconds[-1] == 30
    assert risks[-1].windows[-1].hits == 0
    assert risks[-2].windows[-1].hits == 1


def test_the_same_frame_gives_the_same_risk_however_the_batches_are_cut() -> None:
    items = [detection(number, 0.9) for number in range(6)]
    one_by_one, at_once = PartitionWindows(SPEC), PartitionWindows(SPEC)
    separate = [
        risk
        for number, item in enumerate(items)
        for risk in one_by_one.observe(detections_made(item), number)
    ]
    assert at_once.observe(detections_made(*items), 0) == separate


def test_streams_do_not_mix() -> None:
    windows = PartitionWindows(SPEC)
    batch = detections_made(detection(0, 0.9, stream_id="a"), detection(1, 0.0, stream_id="b"))
    told = {risk.stream_id: risk.risk for risk in windows.observe(batch, 0)}
    assert told["a"] > 0
    assert told["b"] == 0


def test_a_restart_begins_with_empty_windows() -> None:
    windows = PartitionWindows(SPEC)
    run([0.9] * 6, windows)
    (risk,) = windows.observe(detections_made(detection(6, 0.9, session_id="session-2")), 6)
    assert risk.session_id == "session-2"
    assert risk.windows[-1].frames == 1


def test_sessions_that_overlap_are_each_watched() -> None:
    """A handover during which two shards send, one with its clock behind."""
    windows = PartitionWindows(SPEC)
    told: dict[str, int] = {}
    for number in range(6):
        behind = detection(number, 0.9, session_id="behind", offset=2 * number)
        ahead = detection(number + 40, 0.9, session_id="ahead", offset=2 * number + 1)
        for risk in windows.observe(detections_made(behind, ahead), number):
            told[risk.session_id] = risk.windows[0].hits
    assert told == {"behind": 6, "ahead": 6}
    assert windows.take_refused() == {}


def test_late_and_duplicate_frames_are_counted() -> None:
    windows = PartitionWindows(SPEC)
    frames = [detection(20), detection(20), detection(0)]
    windows.observe(detections_made(*frames), 0)
    assert windows.take_refused() == {FrameRefused.DUPLICATE: 1, FrameRefused.LATE: 1}
    assert windows.take_refused() == {}


def test_an_idle_session_is_forgotten() -> None:
    windows = PartitionWindows(SPEC)
    windows.observe(detections_made(detection(0, stream_id="gone")), 0)
    later = detection(1, stream_id="here", appended_at=START + IDLE + SECOND)
    windows.observe(detections_made(later), 1)
    assert list(windows.sessions) == [("here", "session-1")]


def test_a_drill_stays_a_drill() -> None:
    windows = PartitionWindows(SPEC)
    (risk,) = windows.observe(detections_made(detection(0, 0.9, drill=True)), 0)
    assert risk.drill


FRAMES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.integers(0, 300),  # frame number, two a second
        st.sampled_from([0.0, 0.1, 0.5, 0.9]),
        st.integers(0, 5),  # seconds from capture to append
    ),
    min_size=1,
    max_size=60,
    unique_by=lambda frame: frame[:2],
)


@given(frames=FRAMES, cut=st.integers(0, 60))
def test_windows_rebuilt_from_the_recent_log_tell_what_the_straight_run_tells(
    frames: list[tuple[str, int, float, int]], cut: int
) -> None:
    """Only what was appended within the spec's memory of the next frame is read back."""
    appended = sorted(frames, key=lambda frame: frame[1] / 2 + frame[3])
    log: list[Detection] = [
        detection(
            number,
            score,
            stream_id=stream_id,
            offset=offset,
            appended_at=START + number * SECOND // 2 + delay * SECOND,
        )
        for offset, (stream_id, number, score, delay) in enumerate(appended)
    ]
    straight = PartitionWindows(SPEC)
    told = [straight.observe(detections_made(item), item.offset) for item in log]
    for at, following in enumerate(log[cut:], start=cut):
        since = following.captured_at - SPEC.memory
        rebuilt = PartitionWindows(SPEC)
        for item in log[:at]:
            if item.appended_at >= since:
                rebuilt.observe(detections_made(item), item.offset)
        assert rebuilt.observe(detections_made(following), at) == told[at]


def test_windows_tell_the_mean_of_the_fictional_signal_where_the_model_has_one() -> None:
    windows = PartitionWindows(WindowSpec())
    seen = [
        windows.observe(
            detections_made(
                detection(number, scores=[0.9, fictional]), signals=["firearm", "fictional"]
            ),
            number,
        )
        for number, fictional in enumerate([0.2, 0.6])
    ]
    assert [window.fictional for window in seen[-1][0].windows] == pytest.approx([0.4] * 3)
