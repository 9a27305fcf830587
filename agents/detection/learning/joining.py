"""Heads joined to the graph of the model that they were trained on."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ..bundle import EMBEDDING
from .heads import Head

HEADS = "heads"


def output_name(model: bytes, kept: Collection[str]) -> str:
    """What the heads' output is to be called beside ``kept``, the outputs that are still read."""
    outputs = {output.name for output in onnx.load_model_from_string(model).graph.output}
    name, number = HEADS, 1
    while name in outputs & set(kept):
        number += 1
        name = f"{HEADS}_{number}"
    return name


def join_heads(
    model: bytes, heads: Sequence[Head], name: str, learned_on: str = EMBEDDING
) -> bytes | None:
    """``model`` with an output ``name``, ``[n, heads]``, of logits: one Gemm on its
    output ``learned_on``.

    An earlier output of that name, whose signals have been trained anew, gives way. ``None`` where
    the model has no such output in float32. The same model and heads give the same bytes.
    """
    joined = onnx.load_model_from_string(model)
    graph = joined.graph
    embedding = next((output for output in graph.output if output.name == learned_on), None)
    if embedding is None or embedding.type.tensor_type.elem_type != TensorProto.FLOAT:
        return None
    _remove_output(graph, name)
    rows = np.stack([head.weight for head in heads]).astype(np.float32)
    biases = np.array([head.bias for head in heads], np.float32)
    graph.initializer.append(numpy_helper.from_array(rows, f"{name}.weight"))
    graph.initializer.append(numpy_helper.from_array(biases, f"{name}.bias"))
    inputs = [learned_on, f"{name}.weight", f"{name}.bias"]
    graph.node.append(helper.make_node("Gemm", inputs, [name], name=name, transB=1))
    batch = embedding.type.tensor_type.shape.dim[0]
    shape = [batch.dim_param or batch.dim_value or "n", len(heads)]
    graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    onnx.checker.check_model(joined, full_check=True)
    return bytes(joined.SerializeToString(deterministic=True))


def _remove_output(graph: onnx.GraphProto, name: str) -> None:
    """With the node that makes it and the constants that no other node reads."""
    for node in [node for node in graph.node if name in node.output]:
        graph.node.remove(node)
    read = {constant for node in graph.node for constant in node.input}
    for constant in [c for c in graph.initializer if c.name not in read]:
        graph.initializer.remove(constant)
    for output in [output for output in graph.output if output.name == name]:
        graph.output.remove(output)
