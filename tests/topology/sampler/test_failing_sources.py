"""Sources that can't be opened or break."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from schemas import FrameSampled
from topology.sampler import (
    SampleOptions,
    SourceFailed,
    SourceSpec,
    sample_source,
)

from .support import (
    FakeClock,
    evenly,
    samples_of,
    serving,
    write_video,
)


def test_what_cannot_be_opened_fails_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "empty").mkdir()
    for location, reason in [
        (tmp_path / "none.mp4", "No such file"),
        (tmp_path / "text.mp4", "Invalid data"),
        (tmp_path / "empty", "no images"),
    ]:
        with pytest.raises(SourceFailed, match=reason) as failed:
            samples_of(location, SampleOptions())
        assert str(tmp_path) not in str(failed.value)


def test_a_source_that_says_nothing_times_out() -> None:
    """A server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/live/secret?token=secret"
        with pytest.raises(SourceFailed, match=r"nothing came for 0\.2 s") as failed:
            samples_of(url, SampleOptions(open_timeout=0.2))
    assert "secret" not in str(failed.value)


def test_a_source_that_breaks_off_yields_what_came_and_fails(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.ts", evenly(100))
    came: list[FrameSampled] = []
    with (
        serving(path.read_bytes(), share=0.5) as url,
        pytest.raises(SourceFailed, match="broke off"),
    ):
        came.extend(sample_source(SourceSpec(url, "s"), SampleOptions(), FakeClock()))
    assert 0 < len(came) < 20
