"""Frames of recordings for a corpus."""

from __future__ import annotations

from pathlib import Path

import pytest

from topology.errors import OperatorError
from topology.footage import list_footage, sample_footage

from .sampler.support import evenly, write_image, write_video


def test_a_frame_is_taken_every_so_often_and_where_a_scene_begins(tmp_path: Path) -> None:
    """Shades rise slowly from frame 0, ten a second, and fall from white to black at frame 22."""
    video = write_video(tmp_path / "v.mp4", evenly(40))
    taken = [(frame.at, frame.scene) for frame in sample_footage(video, fps=1)]
    assert taken == [(0, 0), (1, 0), (2, 0), (2.2, 1), (3, 1)]


def test_a_frame_that_begins_a_scene_and_a_period_is_taken_once(tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", evenly(40))
    assert [frame.at for frame in sample_footage(video, fps=10 / 22)] == [0, 2.2]


def test_a_picture_is_a_video_of_one_frame(tmp_path: Path) -> None:
    image = write_image(tmp_path / "a.png", 1)
    (frame,) = sample_footage(image, fps=2)
    assert (frame.at, frame.scene) == (0, 0)
    assert frame.picture.startswith(b"\xff\xd8")


def test_what_is_no_footage_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing of a video")
    with pytest.raises(OperatorError, match=r"a\.mp4: can't be opened"):
        list(sample_footage(tmp_path / "a.mp4", fps=2))


def test_a_folder_stands_for_the_footage_in_it_and_below(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    files = [tmp_path / "a.mp4", tmp_path / "b.PNG", tmp_path / "deep/c.webm"]
    for path in [*files, tmp_path / "a.toml", tmp_path / "notes.txt"]:
        path.touch()
    assert list_footage([tmp_path]) == files
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(OperatorError, match="no video or picture in it"):
        list_footage([empty])
    with pytest.raises(OperatorError, match="no such file or folder"):
        list_footage([tmp_path / "missing"])
