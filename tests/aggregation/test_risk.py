"""From detections to risk, for one partition."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.aggregation.hearing import IDLE, MOST_BYTES, REPORT_EVERY
from agents.aggregation.risk import PartitionWindows
from agents.aggregation.snapshot import pack, unpack
from agents.aggregation.windows import FrameRefused, WindowSpec
from schemas import Codec, Detection, RiskAssessed, StreamsHeard
from tests.builders import SECOND, START, detection, detections_made

SPEC = WindowSpec()


def run(scores: list[float], windows: PartitionWindows | None = None) -> list[RiskAssessed]:
    """Risks of one stream that scores ``scores``, one batch a frame."""
    windows = windows or PartitionWindows(SPEC)
    return [
        risk
        for number, score in enumerate(scores)
        for risk in windows.observe(detections_made(detection(number, score)), number)
    ]


def test_a_clear_stream_is_told_once_when_it_begins() -> None:
    assert [(risk.cause.offset, risk.risk) for risk in run([0.0] * 20)] == [(0, 0.002473)]


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
    assert told["a"] > told["b"]


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


def heard(windows: PartitionWindows, seconds: float) -> list[str]:
    """The streams that a tick at ``seconds`` tells of."""
    return [it.stream_id for it in windows.tick(START + round(seconds * SECOND), 0).streams]


def frame(windows: PartitionWindows, number: int, stream: str = "a") -> None:
    windows.observe(detections_made(detection(number, stream_id=stream)), number)


def test_a_session_is_heard_at_the_next_tick_and_then_every_few_seconds_while_it_goes_on() -> None:
    windows = PartitionWindows(SPEC)
    seconds = []
    for number in range(24):
        frame(windows, number)
        if heard(windows, number / 2):
            seconds.append(number / 2)
    assert seconds == [0, 5, 10]
    # It falls silent at 11.5 s: the frames since it was told of are told once, and then no more.
    assert [second for second in range(12, 60) if heard(windows, second)] == [15]


def test_what_is_heard_is_the_newest_frame_and_when_it_was_appended() -> None:
    windows = PartitionWindows(SPEC)
    batch = [detection(4, appended_at=START + 9), detection(3, appended_at=START + 7)]
    windows.observe(detections_made(*batch), 0)
    told = windows.tick(START + SECOND, partition=3)
    assert (told.partition, told.heard_at) == (3, START + SECOND)
    (stream,) = told.streams
    assert (stream.captured_at, stream.appended_at) == (START + 2 * SECOND, START + 9)


def test_each_frame_that_counts_is_told_once() -> None:
    """Those of one time of Kafka's too, wherever the ticks fall; and none that is refused."""
    windows = PartitionWindows(SPEC)
    told: Counter[str] = Counter()
    batches = {
        0: [detection(0), detection(0, stream_id="b")],
        1: [detection(1, appended_at=START), detection(1), detection(2, 7.0)],
        7: [detection(3), detection(4, appended_at=START)],
        # The session is not told of by turns any more.
        30: [detection(5, appended_at=START)],
    }
    for second in range(40):
        if second in batches:
            windows.observe(detections_made(*batches[second]), second)
        for stream in windows.tick(START + second * SECOND, 0).streams:
            assert stream.frames > 0
            told[stream.stream_id] += stream.frames
    assert told == {"stream-1": 5, "b": 1}
    assert windows.take_refused().total() == 2


def test_streams_that_go_on_are_told_in_turn_and_not_all_at_each_tick() -> None:
    windows = PartitionWindows(SPEC)
    for second in range(5):
        frame(windows, 2 * second, stream=f"stream-{second}")
        assert heard(windows, second) == [f"stream-{second}"]
    assert REPORT_EVERY == 5 * SECOND


def test_an_idle_session_is_forgotten_and_one_that_came_back_is_not() -> None:
    windows = PartitionWindows(SPEC)
    frame(windows, 0, "gone")
    frame(windows, 0, "back")
    minutes = IDLE // SECOND
    for second in (0, 5, 10):
        heard(windows, second)
    frame(windows, 1000, "back")
    for second in (500, 505, 510):
        heard(windows, second)
    heard(windows, 20 + minutes)
    assert list(windows.sessions) == [("back", "session-1")]
    heard(windows, 600 + minutes)
    assert windows.sessions == {}


def test_a_drill_stays_a_drill() -> None:
    windows = PartitionWindows(SPEC)
    (risk,) = windows.observe(detections_made(detection(0, 0.9, drill=True)), 0)
    assert risk.drill


def detections(frames: list[tuple[str, int, float, int, int]]) -> list[Detection]:
    """In the order of their being appended."""
    appended = sorted(frames, key=lambda frame: frame[1] / 2 + frame[3])
    return [
        detection(
            at,
            score,
            stream_id=stream_id,
            offset=offset,
            sequence=sequence,
            appended_at=START + at * SECOND // 2 + delay * SECOND,
        )
        for offset, (stream_id, at, score, delay, sequence) in enumerate(appended)
    ]


LOGS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.integers(0, 300),  # when it was captured, in half seconds
        st.sampled_from([0.0, 0.1, 0.5, 0.9]),
        st.integers(0, 5),  # seconds from capture to append
        st.integers(0, 300),  # its number, of shards that count as they like
    ),
    min_size=1,
    max_size=60,
).map(detections)


@given(log=LOGS, cut=st.integers(0, 60))
def test_windows_rebuilt_from_the_recent_log_tell_what_the_straight_run_tells(
    log: list[Detection], cut: int
) -> None:
    """Only what was appended within the spec's memory of the next frame is read back."""
    straight = PartitionWindows(SPEC)
    told = [straight.observe(detections_made(item), item.offset) for item in log]
    for at, following in enumerate(log[cut:], start=cut):
        since = following.captured_at - SPEC.memory
        rebuilt = PartitionWindows(SPEC)
        for item in log[:at]:
            if item.appended_at >= since:
                rebuilt.observe(detections_made(item), item.offset)
        assert rebuilt.observe(detections_made(following), at) == told[at]


@given(log=LOGS, cut=st.integers(0, 60))
def test_a_partition_taken_up_from_snapshots_tells_what_the_straight_run_tells(
    log: list[Detection], cut: int
) -> None:
    straight, taken_up = PartitionWindows(SPEC), PartitionWindows(SPEC)
    for at, item in enumerate(log):
        if at == cut:
            for session in taken_up.sessions.values():
                session.windows = unpack(pack(session.windows), SPEC)
        batch = detections_made(item)
        assert taken_up.observe(batch, at) == straight.observe(batch, at)


def test_a_silence_longer_than_the_longest_window_is_told_of_when_it_ends() -> None:
    windows = PartitionWindows(SPEC)
    told = [
        number
        for number in (0, 1, 61, 122)
        if windows.observe(detections_made(detection(number)), number)
    ]
    assert told == [0, 122]


def test_what_is_malformed_is_counted_and_the_frames_beside_it_are_taken_in() -> None:
    windows = PartitionWindows(SPEC)
    frames = [detection(0, 0.9), detection(1, 7.0), detection(2, scores=[]), detection(3, 0.9)]
    risks = windows.observe(detections_made(*frames), 0)
    assert [risk.windows[0].hits for risk in risks] == [1, 2]
    swapped = detections_made(detection(4, scores=[0.9]), signals=["fictional", "firearm"])
    without = detections_made(detection(5, 0.9), signals=["weather"])
    assert [windows.observe(batch, 1) for batch in (swapped, without)] == [[], []]
    assert windows.take_refused() == {FrameRefused.MALFORMED: 4}


def test_a_session_of_which_no_frame_counts_is_not_kept() -> None:
    windows = PartitionWindows(SPEC)
    windows.observe(detections_made(detection(0, 7.0)), 0)
    assert windows.sessions == {}
    assert heard(windows, 0) == []


@pytest.mark.parametrize("letter", ["s", "\N{GRINNING FACE}"])
@pytest.mark.parametrize("size", [36, 256])
def test_more_sessions_than_a_record_holds_are_told_at_the_next_ticks(
    letter: str, size: int
) -> None:
    """Each record fills what it may, in bytes; who had to wait is told first and none is left out,
    as after a takeover, when all are told at once."""
    windows = PartitionWindows(SPEC)
    count = 2_500 * 256 // size
    streams = [
        f"{number:06}".ljust(size // len(letter.encode()), letter) for number in range(count)
    ]
    frames = [detection(0, stream_id=it, session_id=it[::-1]) for it in streams]
    windows.observe(detections_made(*frames), 0)
    told, second = list[StreamsHeard](), 0
    while sum(len(each.streams) for each in told) < count:
        told.append(windows.tick(START + second * SECOND, 0))
        second += 1
    sizes = [len(Codec().encode(each)) for each in told]
    assert max(sizes) <= MOST_BYTES
    assert min(sizes[:-1]) > 0.85 * MOST_BYTES
    assert [stream.stream_id for each in told for stream in each.streams] == streams


def test_streams_are_told_in_the_order_of_their_names() -> None:
    windows = PartitionWindows(SPEC)
    for stream in ("c", "a", "b"):
        frame(windows, 0, stream)
    assert heard(windows, 0) == ["a", "b", "c"]


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


def test_known_content_makes_a_stream_not_clear_and_its_frame_is_the_evidence() -> None:
    windows = PartitionWindows(SPEC)
    signals = ["firearm", "known_content"]
    run([0.0] * 3, windows)
    (risk,) = windows.observe(detections_made(detection(3, scores=[0.0, 1.0]), signals=signals), 3)
    assert [ref.offset for ref in risk.evidence] == [3]
    assert risk.risk > 0.95


def test_signals_are_found_by_name_and_others_left_out() -> None:
    windows = PartitionWindows(SPEC)
    batch = detections_made(
        detection(0, scores=[0.1, 0.8, 0.9]), signals=["weather", "fictional", "firearm"]
    )
    (risk,) = windows.observe(batch, 0)
    means = {it.signal: it.mean for it in risk.windows[0].signals}
    assert means == {"firearm": 0.9, "fictional": 0.8}
