"""Model bundles are checked before they are trusted, and say what runs them and why."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.detection.bundle import InferenceFailed, ModelBundle, load_bundle, prepare
from agents.detection.execution import Execution, PassedOver, run, run_bound
from agents.detection.manifest import BundleInvalid
from agents.detection.resize import Pixels
from tests.detection.tiny_bundle import SIDE, tiny_model, write_bundle

DEFAULT = Path(__file__).parents[2] / "agents/detection/bundles/lite0"
CPU = ("CPUExecutionProvider",)


@pytest.fixture(scope="module")
def bundle() -> ModelBundle:
    return load_bundle(DEFAULT, CPU, threads=1)


def colour(red: int, green: int, blue: int) -> Pixels:
    return np.full((SIDE, SIDE, 3), (red, green, blue), np.uint8)


def sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


def test_a_bundle_names_itself_and_its_signals(tmp_path: Path) -> None:
    loaded = load_bundle(write_bundle(tmp_path), CPU, threads=1)
    assert loaded.label == "tiny/1"
    assert loaded.signal_names == ["firearm", "greenness"]
    assert loaded.provider == "CPUExecutionProvider"


def test_a_score_does_not_depend_on_the_rest_of_the_batch(bundle: ModelBundle) -> None:
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (224, 224, 3), np.uint8) for _ in range(5)]
    alone = np.concatenate([bundle.judge([frame]) for frame in frames])
    assert alone.shape == (5, 2)
    np.testing.assert_allclose(bundle.judge(frames), alone, atol=1e-6)


def test_several_threads_judge_as_one_does(tmp_path: Path) -> None:
    loaded = load_bundle(write_bundle(tmp_path), CPU, threads=1)
    frames = [colour(n, 255 - n, 0) for n in range(200)]
    with ThreadPoolExecutor(4) as pool:
        together = np.concatenate(list(pool.map(lambda frame: loaded.judge([frame]), frames)))
    np.testing.assert_array_equal(together, loaded.judge(frames))


def test_pixels_are_scaled_and_scored_as_the_manifest_says(tmp_path: Path) -> None:
    loaded = load_bundle(write_bundle(tmp_path), CPU, threads=1)
    weights = np.exp(np.array([1.0, 2.0, 0.5]) / 2)  # logits 1, 2, 0.5 at temperature 2
    expected = [[sigmoid(1.0), weights[1] / weights.sum()]]
    np.testing.assert_allclose(loaded.judge([colour(100, 200, 50)]), expected, atol=1e-6)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("order", ["RGB", "BGR"])
def test_scale_and_offset_follow_the_channels_in_any_layout(
    tmp_path: Path, layout: str, order: str
) -> None:
    folder = write_bundle(
        tmp_path,
        {"model.onnx": tiny_model(layout=layout)},
        None,
        ('layout = "NCHW"', f'layout = "{layout}"'),
        ('colour = "RGB"', f'colour = "{order}"'),
        ("scale = 0.01", "scale = [0.01, 0.1, 1]"),
        ("offset = [0, 0, 0]", "offset = [1, 2, 3]"),
    )
    found = load_bundle(folder, CPU, threads=1).embed([colour(100, 10, 1)])
    expected = [[2, 3, 4]] if order == "RGB" else [[1.01, 3, 103]]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_model_that_scales_by_itself_is_given_bytes(tmp_path: Path) -> None:
    folder = write_bundle(
        tmp_path,
        {"model.onnx": tiny_model(dtype="uint8")},
        None,
        ('dtype = "float32"', 'dtype = "uint8"'),
        ("scale = 0.01", "scale = 1"),
    )
    loaded = load_bundle(folder, CPU, threads=1)
    assert prepare([colour(1, 2, 3)], loaded.manifest.input).dtype == np.uint8
    np.testing.assert_array_equal(loaded.embed([colour(1, 2, 3)]), [[1, 2, 3]])


def test_embeddings_are_one_row_a_frame(bundle: ModelBundle) -> None:
    blank = np.zeros((224, 224, 3), np.uint8)
    found = bundle.embed([blank, blank])
    assert found.shape == (2, 1280)
    assert found.dtype == np.float32


def test_a_model_without_embeddings_says_so(tmp_path: Path) -> None:
    folder = write_bundle(tmp_path, {"model.onnx": tiny_model(embedding="pooled")})
    with pytest.raises(BundleInvalid, match="tiny/1: the model has no output 'emb'"):
        load_bundle(folder, CPU, threads=1).embed([colour(0, 0, 0)])


# Alternatives and providers


def test_the_first_file_that_suits_the_provider_is_loaded_and_pinned_by_the_digest(
    tmp_path: Path,
) -> None:
    models = {"m.int8.onnx": tiny_model(shift=1.0), "m.onnx": tiny_model()}
    for_cpu = write_bundle(tmp_path / "a", models, {"m.int8.onnx": '["CPUExecutionProvider"]'})
    for_gpu = write_bundle(tmp_path / "b", models, {"m.int8.onnx": '["CUDAExecutionProvider"]'})
    small, large = (load_bundle(folder, CPU, threads=1) for folder in (for_cpu, for_gpu))
    assert small.execution == Execution("CPUExecutionProvider", "m.int8.onnx", "int8")
    assert large.execution == Execution("CPUExecutionProvider", "m.onnx", "float32")
    assert small.judge([colour(0, 0, 0)])[0, 0] == pytest.approx(sigmoid(1.0))
    assert large.judge([colour(0, 0, 0)])[0, 0] == pytest.approx(0.5)
    manifest = (for_cpu / "manifest.toml").read_bytes()
    assert small.digest == sha256(manifest + b"\0m.int8.onnx").hexdigest()


def test_a_provider_that_is_passed_over_is_said_with_the_reason(tmp_path: Path) -> None:
    folder = write_bundle(
        tmp_path, {"model.onnx": tiny_model()}, {"model.onnx": '["CPUExecutionProvider"]'}
    )
    wanted = ("NoSuchProvider", "CUDAExecutionProvider", *CPU)
    execution = load_bundle(folder, wanted, threads=1).execution
    assert execution.passed_over == (
        PassedOver("NoSuchProvider", "no model file for it"),
        PassedOver("CUDAExecutionProvider", "no model file for it"),
    )
    assert str(execution) == (
        "model.onnx (float32) on CPUExecutionProvider; passed over: "
        "NoSuchProvider: no model file for it; CUDAExecutionProvider: no model file for it"
    )


def test_what_onnx_runtime_does_on_the_cpu_instead_is_not_taken_for_the_gpu(
    tmp_path: Path,
) -> None:
    wanted = ("TensorrtExecutionProvider", "CUDAExecutionProvider", "NoSuchProvider", *CPU)
    loaded = load_bundle(write_bundle(tmp_path), wanted, threads=1)
    assert loaded.provider == loaded.session.get_providers()[0]
    reasons = {item.provider: item.reason for item in loaded.execution.passed_over}
    if loaded.provider == "CPUExecutionProvider":
        assert reasons["NoSuchProvider"] == "not installed"
        assert reasons.keys() == set(wanted) - set(CPU)
        assert all("\n" not in reason for reason in reasons.values())


def test_without_a_provider_that_runs_it_a_bundle_is_refused_with_all_reasons(
    tmp_path: Path,
) -> None:
    folder = write_bundle(tmp_path, {"model.onnx": b"no model"})
    with pytest.raises(BundleInvalid, match=r"NoSuch: not installed; CPUExec.*: .*protobuf"):
        load_bundle(folder, ("NoSuch", *CPU), threads=1)


def test_bound_inputs_and_outputs_give_what_a_plain_run_gives(bundle: ModelBundle) -> None:
    frames = [np.random.default_rng(n).integers(0, 256, (224, 224, 3), np.uint8) for n in (0, 1)]
    batch = prepare(frames, bundle.manifest.input)
    plain = run(bundle.session, ["logits", "emb"], "x", batch)
    logits, emb = run_bound(bundle.session, ["logits", "emb"], "x", batch, "cpu")
    np.testing.assert_array_equal(logits, plain["logits"])
    np.testing.assert_array_equal(emb, plain["emb"])


# Faults


def tamper(folder: Path) -> None:
    model = folder / "model.onnx"
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)


def lose(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (tamper, "model.onnx: SHA-256 differs"),
        (lose("model.onnx"), "model.onnx: No such file"),
        (lose("manifest.toml"), "manifest.toml: No such file"),
        (lambda folder: (folder / "manifest.toml").write_text("format = 2"), "name: missing"),
    ],
)
def test_a_bundle_with_a_broken_file_is_refused_with_its_path(
    tmp_path: Path, change: Callable[[Path], object], message: str
) -> None:
    change(write_bundle(tmp_path))
    with pytest.raises(BundleInvalid, match=message) as refusal:
        load_bundle(tmp_path, CPU, threads=1)
    assert str(refusal.value).startswith(f"{tmp_path}/")


def test_a_file_that_is_not_a_model_is_checked_too(tmp_path: Path) -> None:
    listing = ('"model.onnx" =', f'"card.md" = "{"0" * 64}"\n"model.onnx" =')
    folder = write_bundle(tmp_path, None, None, listing)
    (folder / "card.md").write_text("altered")
    with pytest.raises(BundleInvalid, match=r"card\.md: SHA-256 differs"):
        load_bundle(folder, CPU, threads=1)


@pytest.mark.parametrize(
    ("model", "edit", "message"),
    [
        ({}, ('name = "x"', 'name = "y"'), "input.name: the model takes x"),
        ({"dtype": "uint8"}, None, "input.dtype: the model takes tensor(uint8)"),
        ({"layout": "NHWC"}, None, "input.layout: the model takes"),
        ({}, ("width = 4", "width = 5"), "input.width: the model takes"),
        ({}, ("height = 4", "height = 5"), "input.height: the model takes"),
        ({"batch": 1}, None, "models: the model takes [1, 3, 4, 4], batches of one size only"),
        ({"output": "scores"}, None, "signals.firearm.output: the model has no 'logits'"),
        ({}, ("classes = [0]", "classes = [0, 3]"), "signals.firearm.classes: 3, of 0 to 2"),
    ],
)
def test_a_manifest_that_the_model_contradicts_is_refused_with_the_field(
    tmp_path: Path, model: dict[str, Any], edit: tuple[str, str] | None, message: str
) -> None:
    edits = [edit] if edit else []
    folder = write_bundle(tmp_path, {"model.onnx": tiny_model(**model)}, None, *edits)
    with pytest.raises(BundleInvalid) as refusal:
        load_bundle(folder, CPU, threads=1)
    assert f"{tmp_path}/manifest.toml: {message}" in str(refusal.value)


def test_an_output_that_is_no_probability_is_found_before_the_bundle_is_used(
    tmp_path: Path,
) -> None:
    folder = write_bundle(
        tmp_path, {"model.onnx": tiny_model(shift=7.0)}, None, ('"sigmoid"', '"identity"')
    )
    with pytest.raises(BundleInvalid, match="a score is not a number from 0 to 1"):
        load_bundle(folder, CPU, threads=1)


def test_a_frame_of_another_size_is_an_inference_that_failed(tmp_path: Path) -> None:
    loaded = load_bundle(write_bundle(tmp_path), CPU, threads=1)
    with pytest.raises(InferenceFailed, match="tiny/1: "):
        loaded.judge([np.zeros((SIDE + 1, SIDE, 3), np.uint8)])
