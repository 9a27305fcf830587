"""`python -m deploy.eval`: the default bundle on a little footage, from clips to the report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from click.testing import CliRunner, Result

from deploy.eval.__main__ import main

WIDTH, HEIGHT, FPS = 160, 120, 5


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A street and a game, of eight seconds each, and a clip to train on that is not there."""
    folder = tmp_path_factory.mktemp("footage")
    list_clips(
        folder,
        {"id": "street", "kind": "ordinary"},
        {"id": "arena-1", "kind": "game", "engine": "arena"},
        {"id": "learned", "kind": "game", "engine": "other", "role": "train"},
    )
    for number, name in enumerate(["street", "arena-1"]):
        write_clip(folder / f"{name}.mp4", seed=number)
    return folder


def list_clips(folder: Path, *clips: dict[str, str]) -> None:
    usual = {"role": "test", "licence": "Apache-2.0", "provenance": "made for this test"}
    lines = []
    for clip in clips:
        fields = {**usual, "file": f"{clip['id']}.mp4", **clip}
        lines += ["[[clip]]", *(f"{name} = {json.dumps(text)}" for name, text in fields.items())]
    lines += ["[[skipped]]", 'id = "elsewhere"', 'reason = "its engine does not run here"']
    (folder / "footage.toml").write_text("\n".join(lines))


def write_clip(path: Path, seed: int) -> None:
    """Eight seconds of coloured noise."""
    rng = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for _ in range(8 * FPS):
            pixels = rng.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three photographs of nothing, with a box each that covers all of it."""
    folder = tmp_path_factory.mktemp("photographs")
    (folder / "images").mkdir()
    (folder / "boxes").mkdir()
    rng = np.random.default_rng(9)
    for number in (1, 2, 10):
        pixels = rng.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        with av.open(str(folder / f"images/{number}.png"), "w", format="image2") as container:
            stream = container.add_stream("png")
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "rgb24"
            container.mux(stream.encode(frame))
        (folder / f"boxes/{number}.txt").write_text(f"1\n0 0 {WIDTH} {HEIGHT}\n")
    return folder


def evaluated(out: Path, footage: Path, photos: Path) -> Result:
    arguments = ["--footage", footage, "--photos", photos, "--out", out, "--hours", 2, "--quick"]
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def read(result: Result, out: Path) -> tuple[dict[str, Any], str]:
    assert result.exit_code == 0, result.output
    found = json.loads((out / "eval.json").read_text())
    return found, (out / "eval" / "report.md").read_text()


@pytest.fixture(scope="module")
def complete(
    footage: Path, photographs: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], str, Path]:
    out = tmp_path_factory.mktemp("complete")
    return *read(evaluated(out, footage, photographs), out), out


def test_eval_json_has_every_figure_asked_for(complete: tuple[dict[str, Any], str, Path]) -> None:
    found, _, _ = complete
    firearm = found["firearm"]
    assert 0 <= firearm["auc_ci95"][0] <= firearm["auc"] <= firearm["auc_ci95"][1] <= 1
    assert 0 <= firearm["recall_at_fpr_0.005"] <= 1
    assert (firearm["positives"], firearm["negatives"]) == (3, 16)
    assert set(found["sources"]) == {"street", "arena"}
    assert {"kind", "role", "frames", "fired", "rate", "ci95"} <= set(found["sources"]["arena"])
    assert set(found["stream_hours"]) == {"game", "ordinary"}
    assert {"hours", "escalations", "takedowns"} <= set(found["stream_hours"]["game"])
    assert found["stream_hours"]["game"]["distinct"]["minutes"] == pytest.approx(8 / 60, rel=0.05)
    assert {"median", "p95", "n"} <= set(found["seconds_to_takedown"])
    assert found["localisation"]["all"]["rate"] == 1.0
    assert found["calibration"]["firearm"]["positives"] == 3


def test_the_drill_is_taken_down_within_seconds(complete: tuple[dict[str, Any], str, Path]) -> None:
    found, _, _ = complete
    assert found["recall"]["drill"]["rate_firearm_alone"] > 0.9
    assert found["seconds_to_escalation"]["missed"] == 0
    assert 0 < found["seconds_to_escalation"]["median"] < 5


def test_the_report_shows_every_plot_and_says_how_much_footage_stands_behind_the_hours(
    complete: tuple[dict[str, Any], str, Path],
) -> None:
    _, report, out = complete
    for name in ("curves.png", "scores.png", "times.png", "calibration.png"):
        assert f"({name})" in report
        assert (out / "eval" / name).stat().st_size > 1000
    assert "| game | 2 | 0.1 | 1 |" in report
    assert "not independent" in report
    assert "`elsewhere`: its engine does not run here" in report


def test_a_second_run_judges_nothing_anew_and_finds_the_same(
    complete: tuple[dict[str, Any], str, Path], footage: Path, photographs: Path
) -> None:
    found, report, out = complete
    kept = sorted((out / "eval" / "recordings").iterdir())
    before = [path.stat().st_mtime_ns for path in kept]
    again = read(evaluated(out, footage, photographs), out)
    assert again == (found, report)
    assert sorted((out / "eval" / "recordings").iterdir()) == kept
    assert [path.stat().st_mtime_ns for path in kept] == before


def test_without_photographs_the_reason_stands_where_their_figures_would(
    complete: tuple[dict[str, Any], str, Path], footage: Path, tmp_path: Path
) -> None:
    shutil.copytree(complete[2] / "eval" / "recordings", tmp_path / "eval" / "recordings")
    found, report = read(evaluated(tmp_path, footage, tmp_path / "absent"), tmp_path)
    assert found["firearm"]["auc"] is None
    assert str(tmp_path / "absent") in found["firearm"]["reason"]
    assert found["localisation"] is None
    assert "FIREBREAK_EVAL_PHOTOS" in found["localisation_reason"]
    assert "Not measured: no photographs at" in report
    assert found["stream_hours"]["game"]["hours"] == pytest.approx(2.0)


def test_a_photograph_without_boxes_is_named(
    complete: tuple[dict[str, Any], str, Path], footage: Path, photographs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(complete[2] / "eval" / "recordings", out / "eval" / "recordings")
    partial = tmp_path / "partial"
    (partial / "boxes").mkdir(parents=True)
    (partial / "images").symlink_to(photographs / "images")
    found, _ = read(evaluated(out, footage, partial), out)
    assert "1.png with" in found["firearm"]["reason"]


def test_a_clip_that_can_not_be_judged_is_named(tmp_path: Path) -> None:
    list_clips(tmp_path, {"id": "broken", "kind": "ordinary"})
    (tmp_path / "broken.mp4").write_bytes(b"not a video")
    result = evaluated(tmp_path / "out", tmp_path, tmp_path / "absent")
    assert result.exit_code == 1
    assert "broken.mp4: can't be opened" in result.output


def test_a_folder_without_test_footage_is_named_with_what_would_fill_it(tmp_path: Path) -> None:
    result = evaluated(tmp_path / "out", tmp_path, tmp_path / "absent")
    assert result.exit_code == 1
    assert "footage.toml: lists no test footage; `python -m deploy.footage`" in result.output
