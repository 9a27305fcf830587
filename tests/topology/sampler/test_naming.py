"""Stream ids, and locations that may be shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topology.sampler import SourceSpec, name_sources, redact

words = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_!%:@/#?&=", min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        (
            "rtmp://user:pass@ingest.example:1935/live/stream-key",
            "rtmp://ingest.example:1935/live/***",
        ),
        ("rtmps://ingest.example/live/key?sign=abc", "rtmps://ingest.example/live/***"),
        ("rtmp://ingest.example/key", "rtmp://ingest.example/***"),
        ("rtmp://user:pa/ss@ingest.example/live/key", "rtmp://***"),
        ("rtmp://user:p@ss@ingest.example/live/key", "rtmp://ingest.example/live/***"),
        ("https://cdn.example/hls/key.m3u8?token=abc#d", "https://cdn.example/hls/***"),
        ("srt://ingest.example:9000?streamid=key", "srt://ingest.example:9000"),
        ("async:rtmp://user:pass@ingest.example/live/key", "async:rtmp://ingest.example/live/***"),
        ("https://cdn.example", "https://cdn.example"),
        ("videos/a?b#c@d.mp4", "videos/a?b#c@d.mp4"),
        ("file:///videos/a.mp4", "file:///videos/a.mp4"),
    ],
)
def test_what_may_be_secret_is_not_shown(location: str, shown: str) -> None:
    assert redact(location) == shown


@given(words)
def test_no_password_is_shown(password: str) -> None:
    """Whatever characters a password has, escaped or not."""
    shown = redact(f"rtmp://user:SECRET{password}SECRET@ingest.example/live/key")
    assert "SECRET" not in shown


@given(words)
def test_no_stream_key_is_shown(key: str) -> None:
    assert "SECRET" not in redact(f"rtmp://ingest.example/live/SECRET{key}SECRET")


def test_a_file_names_its_stream(tmp_path: Path) -> None:
    """A file without its suffix, a directory with all of its name."""
    folder = tmp_path / "cam.1"
    folder.mkdir()
    assert [s.stream_id for s in name_sources([str(folder), "videos/bikes.v2.mp4"])] == [
        "cam.1",
        "bikes.v2",
    ]


def test_equal_names_are_told_apart() -> None:
    sources = name_sources(["a/x.mp4", "b/x.mp4", "x-2.mp4", "c/x.mkv"])
    assert [s.stream_id for s in sources] == ["x", "x-2", "x-2-2", "x-3"]


def test_a_url_names_its_stream_without_its_key() -> None:
    """By host and digest, the same each time and different for each key."""
    one, same, other = (
        name_sources([f"rtmp://u:p@ingest.example/live/{key}"])[0].stream_id
        for key in ("secret", "secret", "another")
    )
    assert one == same != other
    assert one.startswith("ingest.example-")
    assert "secret" not in one


def test_a_given_stream_id_is_for_one_source() -> None:
    assert name_sources(["x.mp4"], stream_id="s", drill=True) == (SourceSpec("x.mp4", "s", True),)
    with pytest.raises(ValueError, match="2 sources"):
        name_sources(["x.mp4", "y.mp4"], stream_id="s")
