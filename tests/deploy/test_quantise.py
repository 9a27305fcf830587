"""Quantising a bundle's model, as an operator does it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agents.detection.bundle import load_bundle
from tests.detection.tiny_bundle import SIDE, tiny_model, write_bundle

SCRIPT = Path(__file__).parents[2] / "deploy/model/quantise.py"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    return tmp_path / "picture.png"


def quantise(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_int8_model_is_the_same_each_time_and_serves_in_a_bundle(
    tmp_path: Path, picture: Path
) -> None:
    folder = write_bundle(tmp_path / "float")
    made = [tmp_path / "first.onnx", tmp_path / "second.onnx"]
    for path in made:
        done = quantise(folder, picture, "--out", path, "--keep-float", "cast")
        assert done.returncode == 0, done.stderr
        assert "firearm: largest difference 0.0" in done.stdout
    first, second = (path.read_bytes() for path in made)
    assert first == second
    assert first != tiny_model()
    both = {"model.int8.onnx": first, "model.onnx": tiny_model()}
    loaded = load_bundle(write_bundle(tmp_path / "int8", both), ["CPUExecutionProvider"], threads=1)
    assert loaded.execution.precision == "int8"
    pixels = np.asarray(Image.open(picture))
    reference = load_bundle(folder, ["CPUExecutionProvider"], threads=1)
    np.testing.assert_allclose(loaded.judge([pixels]), reference.judge([pixels]), atol=0.02)


def test_what_can_not_be_done_is_said_without_a_traceback(tmp_path: Path, picture: Path) -> None:
    folder = write_bundle(tmp_path / "float")
    for arguments, message in (
        ((folder, tmp_path / "none.mp4"), "none.mp4"),
        ((folder, folder / "manifest.toml"), "manifest.toml"),
        ((tmp_path, picture), "manifest.toml: No such file"),
        ((folder, picture, "--keep-float", "stem"), "the model has no node stem"),
    ):
        done = quantise(*arguments)
        assert done.returncode == 1
        assert message in done.stderr
        assert "Traceback" not in done.stderr
