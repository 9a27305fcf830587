"""Key frames passed on undecoded, with real encoders and decoders."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from av.bitstream import BitStreamFilterContext

from topology.sampler import (
    KeyFrameCutter,
    Mode,
    SampleOptions,
    SourceFailed,
)

from .support import (
    HEIGHT,
    WIDTH,
    decode_alone,
    evenly,
    media_times,
    samples_of,
    write_video,
)

KEYFRAME = SampleOptions(mode=Mode.KEYFRAME, fps=1000)


@pytest.mark.parametrize(
    ("name", "codec", "options", "expected"),
    [
        ("v.mp4", "libx264", {}, "h264"),
        ("v.ts", "libx264", {}, "h264"),
        ("v.flv", "libx264", {}, "h264"),
        ("v.mkv", "libx264", {"x264-params": "open-gop=1:keyint=5:bframes=2"}, "h264"),
        ("v.h264", "libx264", {}, "h264"),
        ("v.mp4", "libx265", {}, "hevc"),
        ("v.ts", "libx265", {}, "hevc"),
        ("v.mp4", "libsvtav1", {}, "av1"),
        ("v.mkv", "libsvtav1", {}, "av1"),
    ],
)
def test_each_key_frame_decodes_alone(
    tmp_path: Path, name: str, codec: str, options: dict[str, str], expected: str
) -> None:
    """A decoder that has seen nothing else makes exactly one frame of each payload."""
    path = write_video(tmp_path / name, evenly(20), codec=codec, options=options)
    samples = samples_of(path, KEYFRAME)
    assert len(samples) >= 4
    for sample in samples:
        (frame,) = decode_alone(expected, sample.payload)
        assert (sample.codec, sample.width, sample.height) == (expected, WIDTH, HEIGHT)
        assert (frame.width, frame.height) == (WIDTH, HEIGHT)


def test_av1_without_a_sequence_header_in_band_gets_the_containers(tmp_path: Path) -> None:
    """The OBUs of the ``av1C`` box, without its own four bytes, go in front of the packet."""
    path = write_video(tmp_path / "v.mkv", evenly(5), codec="libsvtav1")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        remove_sequence_header = BitStreamFilterContext("filter_units=remove_types=1", stream)
        (packet,) = remove_sequence_header.filter(next(container.demux(stream)))
        bare, configuration = bytes(packet), stream.codec_context.extradata
        with pytest.raises(av.FFmpegError):
            decode_alone("av1", bare)
        assert configuration is not None
        assert KeyFrameCutter(stream).cut(packet).payload == configuration[4:] + bare


def test_key_frames_keep_their_times_and_the_rate_limit(tmp_path: Path) -> None:
    """Key frames half a second apart, sampled at one a second."""
    path = write_video(tmp_path / "v.mp4", evenly(21))
    samples = samples_of(path, SampleOptions(mode=Mode.KEYFRAME, fps=1))
    assert media_times(samples) == [0, 1.0, 2.0]


def test_a_codec_without_key_frame_mode_is_refused_by_name(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.avi", evenly(5), codec="mpeg4")
    with pytest.raises(SourceFailed, match=r"mpeg4 has no key-frame mode.*--mode jpeg"):
        samples_of(path, KEYFRAME)
