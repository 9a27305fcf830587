"""A manifest says all that the model needs, or names the field in which it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.aggregation.windows import WindowSpec
from agents.detection.manifest import (
    BundleInvalid,
    Isotonic,
    Manifest,
    ModelSpec,
    Temperature,
    parse_manifest,
)

DEFAULT = Path(__file__).parents[2] / "agents/detection/bundles/lite0/manifest.toml"

FULL = """
format = 2
name = "lite0"
version = "2"
licence = "Apache-2.0"
provenance = "trained"
card = "MODEL_CARD.md"

[files]
"MODEL_CARD.md" = "DIGEST"
"model.int8.onnx" = "DIGEST"
"model.onnx" = "DIGEST"

[input]
name = "x"
dtype = "float32"
layout = "NHWC"
width = 224
height = 192
colour = "BGR"
scale = [0.017, 0.018, 0.019]
offset = -1
resize = "letterbox"

[[models]]
file = "model.int8.onnx"
precision = "int8"
providers = ["CPUExecutionProvider"]

[[models]]
file = "model.onnx"
precision = "float32"

[[signals]]
name = "firearm"
output = "logits"
activation = "softmax"
classes = [413, 763, 764]
threshold = 0.2
calibration = {method = "temperature", temperature = 1.5}

[[signals]]
name = "fictional"
output = "heads"
activation = "sigmoid"
classes = [0]
calibration = {method = "isotonic", scores = [0.1, 0.5, 0.9], probabilities = [0.0, 0.5, 0.5]}

[[signals]]
name = "smoke"
custom = true
output = "heads"
activation = "identity"
classes = [1]
""".replace("DIGEST", "0123456789abcdef" * 4)

FORMAT_1 = """
# Model bundle manifest, format 1: read by agents/detection/manifest.py, which lists every field.

format = 1
name = "lite0-zs"
version = "1"
licence = "Apache-2.0"
provenance = "ImageNet"

[files]
"LICENSE" = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
"model.onnx" = "8c3c6a2f2175c4e95b30fc7f270acde4e4dd13ff06685160b95257217cdaec26"

[input]
name = "x"
dtype = "float32"
layout = "NCHW"
width = 224
height = 224
colour = "RGB"
scale = 0.007811889696117491
offset = -0.9920318725099602
resize = "squash"

[[signals]]
name = "firearm"
output = "logits"
activation = "softmax"
classes = [413, 763, 764]
temperature = 1.5
"""


def parse(text: str) -> Manifest:
    return parse_manifest(text.encode())


def test_every_field_of_format_2_is_read() -> None:
    manifest = parse(FULL)
    assert (manifest.name, manifest.version) == ("lite0", "2")
    assert manifest.card == "MODEL_CARD.md"
    assert manifest.models == (
        ModelSpec("model.int8.onnx", "int8", ("CPUExecutionProvider",)),
        ModelSpec("model.onnx", "float32"),
    )
    assert manifest.input.scale == (0.017, 0.018, 0.019)
    assert (manifest.input.offset, manifest.input.resize) == (-1, "letterbox")
    firearm, fictional, smoke = manifest.signals
    assert (firearm.threshold, firearm.calibration) == (0.2, Temperature(1.5))
    assert fictional.calibration == Isotonic((0.1, 0.5, 0.9), (0.0, 0.5, 0.5))
    assert (smoke.custom, smoke.threshold, smoke.calibration) == (True, 0.5, None)


def test_format_1_is_read_as_one_model_with_a_temperature() -> None:
    manifest = parse(FORMAT_1)
    assert manifest.models == (ModelSpec("model.onnx", "float32"),)
    (firearm,) = manifest.signals
    assert (firearm.classes, firearm.calibration) == ((413, 763, 764), Temperature(1.5))
    assert manifest.input.scale == 0.007811889696117491


def test_the_default_manifest_reads() -> None:
    manifest = parse(DEFAULT.read_text())
    assert [signal.name for signal in manifest.signals] == ["firearm", "fictional"]
    assert manifest.signals[0].threshold == WindowSpec().hit
    assert manifest.card in manifest.files


CALIBRATED = '{method = "isotonic", scores = [0.1, 0.5, 0.9], probabilities = [0.0, 0.5, 0.5]}'


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("format = 2", "format = 3", "format: Invalid enum value 3"),
        ("format = 2", "", "format: missing"),
        ("[input]", "[input", "not TOML"),
        ('licence = "Apache-2.0"', "", "licence: missing"),
        (
            'licence = "Apache-2.0"',
            'licence = "Apache-2.0"\nlicense = ""',
            "license: unknown field",
        ),
        ('name = "lite0"', 'name = "lite 0"', "name: "),
        ('name = "lite0"', f'name = "{"x" * 65}"', "name: "),
        ('card = "MODEL_CARD.md"', 'card = "CARD.md"', "card: 'CARD.md' is not listed in files"),
        ('"MODEL_CARD.md" = "01', '"MODEL_CARD.md" = "0', "files.MODEL_CARD.md: not a SHA-256"),
        ('"model.onnx" =', '"../model.onnx" =', "files.../model.onnx: not the plain name"),
        ('"model.onnx" =', '"C:\\\\model.onnx" =', "not the plain name"),
        ('"model.onnx" =', '"manifest.toml" =', "files.manifest.toml: not the plain name"),
        ('"model.onnx" =', '"other.onnx" =', "models.model.onnx.file: not listed in files"),
        ('file = "model.int8.onnx"', 'file = "model.onnx"', "models.model.onnx.file: occurs twice"),
        ('"int8"', '"int4"', "models.model.int8.onnx.precision: Invalid enum value 'int4'"),
        ('"CPUExec', '"CpuExec', "models.model.int8.onnx.providers[0]: Invalid enum value"),
        ('["CPUExecutionProvider"]', "[]", "models.model.int8.onnx.providers: "),
        ('layout = "NHWC"', 'layout = "NCWH"', "input.layout: Invalid enum value 'NCWH'"),
        ('colour = "BGR"', 'color = "BGR"', "input.color: unknown field"),
        ("width = 224", 'width = "224"', "input.width: Expected `int`, got `str`"),
        ("width = 224", "width = 0", "input.width: "),
        ("[0.017, 0.018, 0.019]", "[0.017, 0.018]", "input.scale: 2 numbers in a list"),
        ("[0.017, 0.018, 0.019]", "[0.017]", "input.scale: 1 numbers in a list"),
        ("[0.017, 0.018, 0.019]", "[0.017, 0, 0.019]", "input.scale: 0 leaves nothing"),
        ("offset = -1", "offset = nan", "input.offset: not a finite number"),
        ('"float32"\nlayout', '"uint8"\nlayout', "input.scale: a uint8 input is not scaled"),
        ('name = "fictional"', 'name = "fictionl"', "signals.fictionl.name: not known (firearm"),
        ('name = "smoke"', 'name = "Smoke!"', "signals.Smoke!.name: wants"),
        ("custom = true", "", "signals.smoke.name: not known"),
        ('name = "fictional"', 'name = "firearm"', "signals.firearm.name: occurs twice"),
        ('name = "firearm"', 'name = "first_person"', "signals: no signal is named 'firearm'"),
        ('"softmax"', '"relu"', "signals.firearm.activation: Invalid enum value 'relu'"),
        ("[413, 763, 764]", "[]", "signals.firearm.classes: "),
        ("classes = [413, 763, 764]", "", "signals.firearm.classes: missing"),
        ("[413, 763, 764]", "[413, 413]", "signals.firearm.classes: a class occurs twice"),
        ("[413, 763, 764]", "[413, -1]", "signals.firearm.classes[1]: Expected `int` >= 0"),
        ("threshold = 0.2", "threshold = 1.2", "signals.firearm.threshold: not between"),
        ("threshold = 0.2", "threshold = nan", "signals.firearm.threshold: not between"),
        ("temperature = 1.5", "temperature = 0", "signals.firearm.calibration.temperature: "),
        ("temperature = 1.5", "temperature = inf", "signals.firearm.calibration.temperature: "),
        ('"temperature"', '"platt"', "signals.firearm.calibration.method: "),
        (
            'activation = "softmax"',
            'activation = "identity"',
            "signals.firearm.calibration.method: an identity output has no logits",
        ),
        ("[0.1, 0.5, 0.9]", "[0.1, 0.9, 0.5]", "signals.fictional.calibration.scores: not asc"),
        ("[0.1, 0.5, 0.9]", "[0.1, 0.5, 0.5]", "signals.fictional.calibration.scores: not asc"),
        ("[0.1, 0.5, 0.9]", "[0.1]", "signals.fictional.calibration.scores: 1 of them"),
        ("[0.0, 0.5, 0.5]", "[0.0, 0.5]", "calibration.probabilities: 2 for 3 scores"),
        ("[0.0, 0.5, 0.5]", "[0.0, 0.5, 0.4]", "calibration.probabilities: descending"),
        ("[0.0, 0.5, 0.5]", "[0.0, 0.5, 1.4]", "calibration.probabilities: not all between"),
        (CALIBRATED, '"none"', "signals.fictional.calibration: "),
    ],
)
def test_a_fault_is_refused_with_the_fields_name(old: str, new: str, message: str) -> None:
    assert old in FULL
    with pytest.raises(BundleInvalid) as refusal:
        parse(FULL.replace(old, new, 1))
    assert str(refusal.value).startswith("manifest.toml: ")
    assert message in str(refusal.value)


@given(
    st.sampled_from([FULL, FORMAT_1]), st.integers(0, 1500), st.integers(0, 80), st.text(max_size=9)
)
def test_any_text_is_a_manifest_or_refused(text: str, start: int, cut: int, noise: str) -> None:
    changed = text[:start] + noise + text[start + cut :]
    try:
        manifest = parse_manifest(changed.encode(errors="surrogatepass"))
    except BundleInvalid:
        return
    assert "firearm" in [signal.name for signal in manifest.signals]
