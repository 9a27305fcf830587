"""Model bundles are checked before they are trusted."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from agents.detection.bundle import ModelBundle, load_bundle
from agents.detection.manifest import BundleInvalid, SignalSpec, parse_manifest
from agents.detection.signals import score_signals

DEFAULT = Path(__file__).parents[2] / "agents/detection/bundles/lite0-zs"
CPU = ("CPUExecutionProvider",)


@pytest.fixture(scope="module")
def bundle() -> ModelBundle:
    return load_bundle(DEFAULT, CPU, threads=1)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT, tmp_path / "copy"))


def test_a_bundle_names_itself_and_its_digest(bundle: ModelBundle) -> None:
    assert bundle.label == "lite0-zs/1"
    assert bundle.digest == sha256((DEFAULT / "manifest.toml").read_bytes()).hexdigest()
    assert bundle.provider == "CPUExecutionProvider"


def test_a_score_does_not_depend_on_the_rest_of_the_batch(bundle: ModelBundle) -> None:
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (224, 224, 3), np.uint8) for _ in range(5)]
    alone = np.concatenate([bundle.judge([frame]) for frame in frames])
    assert alone.shape == (5, 1)
    np.testing.assert_allclose(bundle.judge(frames), alone, atol=1e-6)


def test_a_provider_that_is_not_there_is_passed_over() -> None:
    loaded = load_bundle(DEFAULT, ("NoSuchProvider", *CPU), threads=1)
    assert loaded.provider == "CPUExecutionProvider"


def test_without_any_provider_the_bundle_is_refused() -> None:
    with pytest.raises(BundleInvalid, match="NoSuchProvider"):
        load_bundle(DEFAULT, ("NoSuchProvider",), threads=1)


def edit(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        manifest = folder / "manifest.toml"
        text = manifest.read_text()
        assert old in text
        manifest.write_text(text.replace(old, new))

    return change


def tamper(folder: Path) -> None:
    model = folder / "model.onnx"
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)


def lose_model(folder: Path) -> None:
    (folder / "model.onnx").unlink()


def lose_manifest(folder: Path) -> None:
    (folder / "manifest.toml").unlink()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (tamper, "model.onnx: SHA-256 differs"),
        (lose_model, "model.onnx: No such file"),
        (lose_manifest, "manifest.toml: No such file"),
        (edit("format = 1", "format = 2"), r"\$\.format"),
        (edit('layout = "NCHW"', 'layout = "NHWC"'), r"\$\.input\.layout"),
        (edit("width = 224", "width = 225"), "the model takes"),
        (edit('output = "logits"', 'output = "scores"'), r"signals\.firearm\.output"),
        (edit("764]", "1000]"), r"signals\.firearm\.classes"),
        (edit('name = "firearm"', 'name = "fire"'), "no signal is named 'firearm'"),
        (edit("temperature = 1.0", "temperature = 0.0"), "temperature above 0"),
        (edit("[input]", "[input"), "not TOML|manifest.toml"),
        (edit('"model.onnx" =', '"../model.onnx" ='), "not listed"),
    ],
)
def test_a_bundle_with_a_fault_is_refused_with_the_fields_name(
    copy: Path, change: Callable[[Path], None], message: str
) -> None:
    change(copy)
    with pytest.raises(BundleInvalid, match=message):
        load_bundle(copy, CPU, threads=1)


def test_a_signal_is_the_summed_softmax_of_its_classes() -> None:
    logits = np.log(np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 1e-9]], np.float32))
    signal = SignalSpec("firearm", "logits", "softmax", (0, 2))
    np.testing.assert_allclose(
        score_signals({"logits": logits}, [signal]), [[0.8], [0.5]], atol=1e-6
    )


def test_a_higher_temperature_brings_scores_together() -> None:
    logits = np.array([[4.0, 0.0]], np.float32)
    hot = SignalSpec("firearm", "logits", "softmax", (0,), temperature=4.0)
    cold = SignalSpec("firearm", "logits", "softmax", (0,))
    assert score_signals({"logits": logits}, [hot]) < score_signals({"logits": logits}, [cold])


def test_large_logits_do_not_overflow() -> None:
    logits = np.array([[1e4, -1e4]], np.float32)
    signal = SignalSpec("firearm", "logits", "softmax", (0,))
    assert score_signals({"logits": logits}, [signal])[0, 0] == 1.0


def test_the_default_manifest_reads() -> None:
    assert parse_manifest((DEFAULT / "manifest.toml").read_bytes()).name == "lite0-zs"
