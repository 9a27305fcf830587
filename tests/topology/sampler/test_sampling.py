"""From sources to frame samples, with real encoders and decoders."""

from __future__ import annotations

from pathlib import Path

import pytest

from topology.sampler import (
    Mode,
    Pace,
    SampleOptions,
    SourceFailed,
    open_source,
)

from .support import (
    HEIGHT,
    NOON,
    WIDTH,
    FakeClock,
    decode_alone,
    evenly,
    grey_of,
    media_times,
    samples_of,
    shade,
    write_image,
    write_video,
)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("v.mp4", "libx264"),
        ("v.ts", "libx264"),
        ("v.flv", "libx264"),
        ("v.mp4", "libx265"),
        ("v.ts", "libx265"),
        ("v.mkv", "libsvtav1"),
        ("v.avi", "mpeg4"),
    ],
)
def test_jpegs_are_the_frames_at_each_period(tmp_path: Path, name: str, codec: str) -> None:
    """Two a second of ten a second are every fifth, wherever the container's times start."""
    samples = samples_of(write_video(tmp_path / name, evenly(20), codec=codec), SampleOptions())
    assert media_times(samples) == pytest.approx([0, 0.5, 1.0, 1.5])
    for sample, number in zip(samples, (0, 5, 10, 15), strict=True):
        (frame,) = decode_alone("mjpeg", sample.payload)
        assert (sample.codec, sample.width, sample.height) == ("jpeg", WIDTH, HEIGHT)
        assert (frame.width, frame.height, frame.format.name) == (WIDTH, HEIGHT, "yuvj420p")
        assert grey_of(frame) == pytest.approx(shade(number), abs=6)


def test_samples_carry_who_and_where_they_are_of(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", evenly(11))
    samples = samples_of(path, SampleOptions(shard_id="ingest-7"))
    again = samples_of(path, SampleOptions(shard_id="ingest-7"))
    assert [s.sequence for s in samples] == [0, 1, 2]
    assert {(s.stream_id, s.shard_id, s.drill) for s in samples} == {("stream", "ingest-7", True)}
    assert len({s.session_id for s in samples}) == 1
    assert samples[0].session_id != again[0].session_id


def test_a_variable_rate_is_sampled_by_time(tmp_path: Path) -> None:
    """Milliseconds 0 40 500 505 1900 2000: all but 40 and 505 are the first of a half second."""
    path = write_video(tmp_path / "v.mkv", [0, 40, 500, 505, 1900, 2000])
    assert media_times(samples_of(path, SampleOptions())) == [0, 0.5, 1.9, 2.0]


def test_a_stream_without_times_is_sampled_at_its_usual_rate(tmp_path: Path) -> None:
    """A bare H.264 stream has none: it is taken to have 25 frames a second, and is measured."""
    path = write_video(tmp_path / "v.h264", evenly(50))
    samples = samples_of(path, SampleOptions())
    assert media_times(samples) == pytest.approx([0, 0.52, 1.0, 1.52])
    assert samples[0].captured_at == NOON - 2_000_000


def test_wide_frames_are_scaled_and_keep_their_aspect(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", evenly(1))
    (sample,) = samples_of(path, SampleOptions(width=80))
    (frame,) = decode_alone("mjpeg", sample.payload)
    assert (sample.width, sample.height) == (frame.width, frame.height) == (80, 48)


@pytest.mark.parametrize(
    ("rotation", "size", "dark"),
    [
        (0, (48, 29), "top"),
        (90, (48, 80), "left"),
        (180, (48, 29), "bottom"),
        (-90, (48, 80), "right"),
    ],
)
def test_a_phone_held_sideways_gives_upright_jpegs(
    tmp_path: Path, rotation: int, size: tuple[int, int], dark: str
) -> None:
    """The container's rotation, counter-clockwise, is applied; the width is limited after it."""
    path = write_video(tmp_path / "v.mp4", evenly(1), rotation=rotation)
    (sample,) = samples_of(path, SampleOptions(width=48))
    (frame,) = decode_alone("mjpeg", sample.payload)
    grey = frame.to_ndarray(format="gray").astype(int)
    middle_row, middle_column = frame.height // 2, frame.width // 2
    halves = {
        "top": grey[:middle_row],
        "bottom": grey[middle_row + 1 :],
        "left": grey[:, :middle_column],
        "right": grey[:, middle_column + 1 :],
    }
    assert (sample.width, sample.height) == (frame.width, frame.height) == size
    assert min(halves, key=lambda side: halves[side].mean()) == dark


def test_a_better_quality_is_a_larger_payload(tmp_path: Path) -> None:
    path = write_image(tmp_path / "1.png", 3)
    best, worst = (samples_of(path, SampleOptions(quality=q))[0].payload for q in (2, 31))
    assert len(best) >= len(worst)


def test_a_directory_of_images_is_read_in_natural_order(tmp_path: Path) -> None:
    """9 before 10, other files passed over, a broken image skipped and counted."""
    for name, number in (("shot10.png", 3), ("shot9.jpg", 2), ("SHOT1.png", 1)):
        write_image(tmp_path / name, number)
    (tmp_path / "shot11.png").write_bytes(b"no image")
    (tmp_path / "notes.txt").write_text("no image either")
    samples = samples_of(tmp_path, SampleOptions(fps=4))
    greys = [grey_of(decode_alone("mjpeg", sample.payload)[0]) for sample in samples]
    assert greys == pytest.approx([shade(1), shade(2), shade(3)], abs=6)
    assert media_times(samples) == [0, 0.25, 0.5]
    with open_source(str(tmp_path), SampleOptions()) as opened:
        assert len(list(opened.frames())) == 3
        assert opened.damaged == 1
    with pytest.raises(SourceFailed, match="--mode jpeg"):
        samples_of(tmp_path, SampleOptions(mode=Mode.KEYFRAME))


def test_a_recording_ends_about_now(tmp_path: Path) -> None:
    """Two seconds of film, sampled at once: the first frame was two seconds ago."""
    clock = FakeClock()
    samples = samples_of(write_video(tmp_path / "v.mp4", evenly(20)), SampleOptions(), clock)
    assert [s.captured_at - NOON for s in samples] == [-2_000_000, -1_500_000, -1_000_000, -500_000]
    assert clock.sleeps == []


def test_a_recording_of_known_time_keeps_it(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.ts", evenly(20))
    samples = samples_of(path, SampleOptions(recorded_at=1_000_000))
    assert [s.captured_at for s in samples] == [1_000_000, 1_500_000, 2_000_000, 2_500_000]


def test_in_real_time_each_sample_waits_for_its_time(tmp_path: Path) -> None:
    """The first is now; the fake clock moves only by the sleeps asked for."""
    clock = FakeClock()
    path = write_video(tmp_path / "v.ts", evenly(20))
    samples = samples_of(path, SampleOptions(pace=Pace.REALTIME), clock)
    assert [s.captured_at - NOON for s in samples] == [0, 500_000, 1_000_000, 1_500_000]
    assert clock.sleeps == pytest.approx([0.5, 0.5, 0.5])


def test_in_real_time_a_late_sample_does_not_wait(tmp_path: Path) -> None:
    """Event time stays with the presentation times when the sampler falls behind."""

    class SlowClock(FakeClock):
        def now(self) -> int:
            self.time += 400_000
            return self.time

    clock = SlowClock()
    path = write_video(tmp_path / "v.mp4", evenly(20))
    samples = samples_of(path, SampleOptions(pace=Pace.REALTIME, fps=10), clock)
    assert media_times(samples) == pytest.approx([n / 10 for n in range(20)])
    assert clock.sleeps == []


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"fps": 0}, "fps"),
        ({"width": 0}, "width"),
        ({"quality": 1}, "quality"),
        ({"recorded_at": 0, "pace": Pace.REALTIME}, "real time"),
    ],
)
def test_impossible_options_are_refused(wrong: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        SampleOptions(**wrong)  # type: ignore[arg-type]
