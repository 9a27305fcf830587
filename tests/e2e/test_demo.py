"""``make demo`` as a user runs it; and that what it decides follows from the footage alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from deploy.demo.streams import DEFAULT_STREAMS, DemoStream, load_streams
from tests.e2e.support import free_port_pair

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]


def run_demo(tmp_path: Path, *arguments: str) -> dict[str, Any]:
    summary = tmp_path / "demo.json"
    environment = {
        **os.environ,
        "DEMO_JSON": str(summary),
        "FIREBREAK_RUNTIME_DIR": str(tmp_path),
        "FIREBREAK_WEB_PORT": str(free_port_pair()),
    }
    command = [sys.executable, "-m", "deploy.demo", *arguments]
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return cast(dict[str, Any], json.loads(summary.read_text()))


def listing(path: Path, streams: list[DemoStream]) -> str:
    """``streams`` as a file, with clips found from where the demo's own list lies."""
    lines = []
    for stream in streams:
        plain = ":" not in stream.clip and stream.clip != "game"
        clip = str(DEFAULT_STREAMS.parent / stream.clip) if plain else stream.clip
        entry = {**msgspec.to_builtins(stream), "clip": clip}
        lines += ["[[stream]]", *(f"{key} = {json.dumps(value)}" for key, value in entry.items())]
    path.write_text("\n".join(lines))
    return str(path)


def test_the_drill_is_taken_down_and_nothing_else_is_touched(tmp_path: Path) -> None:
    summary = run_demo(tmp_path)
    assert summary["dead_letters"] == 0
    assert summary["frames_per_second"] > 0
    kinds = {about["kind"] for about in summary["streams"].values()}
    assert kinds == {"ordinary", "game", "drill"}
    assert len(summary["streams"]) == 4
    for about in summary["streams"].values():
        is_drill = about["kind"] == "drill"
        assert about["frames"] > 0
        assert about["escalated"] is is_drill
        assert about["taken_down"] is is_drill
        assert (about["seconds_to_takedown_event_time"] is not None) is is_drill
        if is_drill:
            assert 0 < about["seconds_to_takedown_event_time"] < 10
            assert about["seconds_to_takedown_wall"] > 0
        assert about["stopped"] is is_drill
        assert (about["seconds_to_stop_wall"] is not None) is is_drill


def test_with_clips_swapped_the_takedown_follows_the_footage(tmp_path: Path) -> None:
    """Names, kinds and drill marks stay where they are; only the clips change places.

    As recordings: then the frames that are taken of each are the same every time.
    """
    streams = load_streams(DEFAULT_STREAMS)
    clips = [stream.clip for stream in streams]
    moved = [
        msgspec.structs.replace(stream, clip=clip)
        for stream, clip in zip(streams, clips[-1:] + clips[:-1], strict=True)
    ]
    listed = listing(tmp_path / "streams.toml", moved)
    summary = run_demo(tmp_path, "--fast", "--streams", listed)
    taken_down = {name for name, about in summary["streams"].items() if about["taken_down"]}
    escalated = {name for name, about in summary["streams"].items() if about["escalated"]}
    assert taken_down == escalated == {streams[0].id}
