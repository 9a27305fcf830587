"""What a picture is made of, rather than what it shows: the features that fiction is told by.

A renderer's edges, gradients and noise differ from those of a lens and a sensor in any scene. So
of seven feature maps, from the stem up, the mean and the deviation of each channel over the
picture are kept: 992 numbers. The last layer's embedding is not among them: it knows scenes, and a
head on it learns which places games show.
"""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

TEXTURE = "texture"
BLOCKS = (0, 2, 4, 7, 10, 14)
"""After which inverted bottlenecks, besides the stem."""
LEAST_VARIANCE = 1e-6


def add_texture(model: onnx.ModelProto) -> onnx.ModelProto:
    """`model` with the output `texture` [n, 992]: means and deviations, map by map."""
    extended = onnx.ModelProto()
    extended.CopyFrom(model)
    graph = extended.graph
    made = {output for node in graph.node for output in node.output}
    maps = ["_conv_stem.relu6", *(_last_of(block, made) for block in BLOCKS)]
    least = np.array(LEAST_VARIANCE, np.float32)
    graph.initializer.append(numpy_helper.from_array(least, "texture.least"))

    def node(op: str, inputs: Sequence[str], output: str, **attributes: object) -> str:
        graph.node.append(helper.make_node(op, list(inputs), [output], name=output, **attributes))
        return output

    def mean(of: str, output: str) -> str:
        return node("ReduceMean", [of], output, axes=[2, 3], keepdims=1)

    parts = []
    for number, feature_map in enumerate(maps):
        name = f"texture.{number}"
        middle = mean(feature_map, f"{name}.mean")
        # Of the differences, not of the squares: what is left of two large numbers is rounding.
        apart = node("Sub", [feature_map, middle], f"{name}.apart")
        variance = mean(node("Mul", [apart, apart], f"{name}.squares"), f"{name}.variance")
        floored = node("Max", [variance, "texture.least"], f"{name}.floored")
        parts += [middle, node("Sqrt", [floored], f"{name}.deviation")]
    joined = node("Concat", parts, "texture.joined", axis=1)
    node("Flatten", [joined], TEXTURE)
    shape = ["n", sum(_channels(graph, part) for part in maps) * 2]
    graph.output.append(helper.make_tensor_value_info(TEXTURE, TensorProto.FLOAT, shape))
    onnx.checker.check_model(extended, full_check=True)
    return extended


def _last_of(block: int, made: set[str]) -> str:
    """The block's output: the sum where it adds its input, else its projection."""
    added = f"_blocks.{block}._add"
    return added if added in made else f"_blocks.{block}._project_conv"


def _channels(graph: onnx.GraphProto, feature_map: str) -> int:
    """Of the convolution that ends the map: an addition and a clip leave the number as it is."""
    producers = {node.output[0]: node for node in graph.node}
    sizes = {item.name: item.dims[0] for item in graph.initializer if item.dims}
    node = producers[feature_map]
    while node.op_type != "Conv":
        node = producers[node.input[0]]
    return int(sizes[node.input[1]])
