"""A bundle small enough to reason about: its logits are the mean of each channel of the input."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

SIDE = 4


def tiny_model(
    *,
    dtype: str = "float32",
    layout: str = "NCHW",
    batch: str | int = "n",
    classes: str | int = 3,
    output: str = "logits",
    embedding: str = "emb",
    shift: float = 0.0,
) -> bytes:
    """ONNX bytes; outputs ``embedding``, the three means, and ``output``, those plus ``shift``."""
    kind = {"float32": TensorProto.FLOAT, "uint8": TensorProto.UINT8}[dtype]
    shape = [batch, 3, SIDE, SIDE] if layout == "NCHW" else [batch, SIDE, SIDE, 3]
    axes = [2, 3] if layout == "NCHW" else [1, 2]
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["x"], ["numbers"], "cast", to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["numbers"], [embedding], "mean", axes=axes, keepdims=0),
            helper.make_node("Add", [embedding, "shift"], [output], "add"),
        ],
        "tiny",
        [helper.make_tensor_value_info("x", kind, shape)],
        [
            helper.make_tensor_value_info(embedding, TensorProto.FLOAT, [batch, 3]),
            helper.make_tensor_value_info(output, TensorProto.FLOAT, [batch, classes]),
        ],
        [helper.make_tensor("shift", TensorProto.FLOAT, [1], np.array([shift], np.float32))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


MANIFEST = """
format = 2
name = "tiny"
version = "1"
licence = "CC0-1.0"
provenance = "made for tests"

[files]
{files}

[input]
name = "x"
dtype = "float32"
layout = "NCHW"
width = 4
height = 4
colour = "RGB"
scale = 0.01
offset = [0, 0, 0]
resize = "squash"

{models}

[[signals]]
name = "firearm"
output = "logits"
activation = "sigmoid"
classes = [0]
threshold = 0.2

[[signals]]
name = "greenness"
custom = true
output = "logits"
activation = "softmax"
classes = [1]
calibration = {{method = "temperature", temperature = 2.0}}
"""


def write_bundle(
    folder: Path,
    models: dict[str, bytes] | None = None,
    providers: dict[str, str] | None = None,
    *edits: tuple[str, str],
) -> Path:
    """A bundle in ``folder`` of ``models`` by file name; ``edits`` replace text in its manifest.

    ``providers`` is the TOML array of providers for the models that are meant for some only.
    """
    models = models or {"model.onnx": tiny_model()}
    listed = "\n".join(f'"{name}" = "{sha256(models[name]).hexdigest()}"' for name in models)
    tables = ""
    for name in models:
        precision = "int8" if "int8" in name else "float32"
        tables += f'[[models]]\nfile = "{name}"\nprecision = "{precision}"\n'
        if providers and name in providers:
            tables += f"providers = {providers[name]}\n"
    text = MANIFEST.format(files=listed, models=tables)
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    folder.mkdir(exist_ok=True)
    for name, content in models.items():
        (folder / name).write_bytes(content)
    (folder / "manifest.toml").write_text(text)
    return folder
