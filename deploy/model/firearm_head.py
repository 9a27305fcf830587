"""The firearm signal of the default bundle: the classifier on the whole picture and on its places.

The classifier is applied twice, without any training: to the mean of the last feature map, as it
was made for, and to each of the map's 7 x 7 places, so that a weapon that fills little of the
picture is not averaged away. Of both the log-odds of the firearm classes against all others are
taken, at a temperature that keeps the second and third guesses in play, and added:

    score = T_WHOLE * logodds(logits / T_WHOLE) + T_PLACE * max over places of logodds(...)

``(score - MIDDLE) / SPREAD`` leaves the graph as `firearm`; `firearm_map` tells where.
"""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FIREARMS = (413, 763, 764)
"""ImageNet's assault rifle, revolver and rifle."""
T_WHOLE, T_PLACE = 2.0, 3.0
MIDDLE = -17.5
"""Log-odds at which `firearm` is 0 and a frame is a hit."""
SPREAD = 3.0
NEVER = -1e4
"""Added to a logit, it leaves the class out."""


def add_firearm(model: onnx.ModelProto) -> onnx.ModelProto:
    """`model` with the outputs `firearm` [n, 1] and `firearm_map` [n, 7, 7], log-odds both.

    `model` has the outputs `emb`, the mean over the last feature map, and `logits`, `_fc` of it.
    """
    extended = onnx.ModelProto()
    extended.CopyFrom(model)
    graph = extended.graph
    places = next(node.input[0] for node in graph.node if node.output[0] == "emb")
    others = np.zeros(1000, np.float32)
    others[list(FIREARMS)] = NEVER
    constants = {
        "firearm.classes": np.array(FIREARMS, np.int64),
        "firearm.others": others,
        "firearm.others.places": others[:, None, None],
        "firearm.middle": np.array(MIDDLE / SPREAD, np.float32),
        "firearm.last": np.array([1], np.int64),
        "place.axes": np.array([2, 3], np.int64),
        "whole.cooling": np.array(1 / T_WHOLE, np.float32),
        "whole.gain": np.array(T_WHOLE / SPREAD, np.float32),
        "place.cooling": np.array(1 / T_PLACE, np.float32),
        "place.gain": np.array(T_PLACE / SPREAD, np.float32),
    }
    graph.initializer.extend(numpy_helper.from_array(v, name) for name, v in constants.items())

    def node(op: str, inputs: Sequence[str], output: str, **attributes: object) -> str:
        graph.node.append(helper.make_node(op, list(inputs), [output], name=output, **attributes))
        return output

    def log_odds(logits: str, name: str, mask: str, keepdims: int) -> str:
        """Scaled log-odds of the firearm classes against all others, over axis 1."""
        total = {"axes": [1], "keepdims": keepdims}
        cooled = node("Mul", [logits, f"{name}.cooling"], f"{name}.cooled")
        chosen = node("Gather", [cooled, "firearm.classes"], f"{name}.chosen", axis=1)
        masked = node("Add", [cooled, mask], f"{name}.masked")
        pro = node("ReduceLogSumExp", [chosen], f"{name}.pro", **total)
        contra = node("ReduceLogSumExp", [masked], f"{name}.contra", **total)
        odds = node("Sub", [pro, contra], f"{name}.odds")
        return node("Mul", [odds, f"{name}.gain"], f"{name}.scaled")

    whole = log_odds("logits", "whole", "firearm.others", keepdims=1)
    # The classifier's own weights as a 1 x 1 convolution, so that the file holds them once.
    kernel = node("Unsqueeze", ["_fc.weight", "place.axes"], "place.kernel")
    at_places = node("Conv", [places, kernel, "_fc.bias"], "place.logits", kernel_shape=[1, 1])
    placed = log_odds(at_places, "place", "firearm.others.places", keepdims=0)
    node("Sub", [placed, "firearm.middle"], "firearm_map")
    most = node("ReduceMax", ["firearm_map"], "place.most", axes=[1, 2], keepdims=0)
    column = node("Unsqueeze", [most, "firearm.last"], "place.column")
    node("Add", [whole, column], "firearm")
    for name, shape in (("firearm", ["n", 1]), ("firearm_map", ["n", 7, 7])):
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    onnx.checker.check_model(extended, full_check=True)
    return extended
