"""The committed model file: it is what the manifest says, and computes what the weights do."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from agents.detection.manifest import parse_manifest

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "agents/detection/bundles/lite0"
REFERENCE = Path(
    os.environ.get("FIREBREAK_REFERENCE_MODEL", ROOT / "../shared/models/efficientnet-lite0.onnx")
)


def test_every_file_of_the_bundle_has_the_digest_of_the_manifest() -> None:
    manifest = parse_manifest((BUNDLE / "manifest.toml").read_bytes())
    for name, digest in manifest.files.items():
        assert sha256((BUNDLE / name).read_bytes()).hexdigest() == digest


def test_the_model_is_small_enough_to_be_committed() -> None:
    assert (BUNDLE / "model.onnx").stat().st_size <= 20_000_000


@pytest.mark.skipif(not REFERENCE.exists(), reason="no reference export to compare with")
def test_logits_agree_with_a_reference_export() -> None:
    frames = np.random.default_rng(0).uniform(-1, 1, (4, 3, 224, 224)).astype(np.float32)
    ours, reference = (
        ort.InferenceSession(path, providers=["CPUExecutionProvider"]).run(
            ["logits"], {"x": frames}
        )
        for path in (BUNDLE / "model.onnx", REFERENCE)
    )
    assert np.abs(ours[0] - reference[0]).max() < 1e-3
