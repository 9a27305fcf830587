"""Whether a model takes and gives what its bundle's manifest says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnxruntime as ort

from .manifest import BundleInvalid, InputSpec, Manifest, SignalSpec

_TYPES = {"float32": "tensor(float)", "uint8": "tensor(uint8)"}
_SCORE_TYPES = ("tensor(float)", "tensor(float16)", "tensor(double)")
_CLASSES_AXIS = 1


def check_interface(manifest: Manifest, session: ort.InferenceSession) -> None:
    """Raises ``BundleInvalid`` naming the field of the manifest that the model contradicts."""
    _check_input(manifest.input, session.get_inputs())
    outputs = {node.name: node for node in session.get_outputs()}
    for signal in manifest.signals:
        _check_signal(signal, outputs)


def _check_input(spec: InputSpec, inputs: Sequence[ort.NodeArg]) -> None:
    names = [node.name for node in inputs]
    if names != [spec.name]:
        raise _contradiction("input.name", f"the model takes {', '.join(names)}")
    kind, shape = inputs[0].type, inputs[0].shape
    if kind != _TYPES[spec.dtype]:
        raise _contradiction("input.dtype", f"the model takes {kind}")
    wanted = {
        "NCHW": (None, ("layout", 3), ("height", spec.height), ("width", spec.width)),
        "NHWC": (None, ("height", spec.height), ("width", spec.width), ("layout", 3)),
    }[spec.layout]
    if len(shape) != len(wanted):
        raise _contradiction("input.layout", f"the model takes {shape}")
    # A size is a number where the model insists on it, and a name where any will do.
    for size, expected in zip(shape, wanted, strict=True):
        if not isinstance(size, int):
            continue
        if expected is None:
            raise _contradiction("models", f"the model takes {shape}, batches of one size only")
        field, length = expected
        if size != length:
            raise _contradiction(f"input.{field}", f"the model takes {shape}")


def _check_signal(signal: SignalSpec, outputs: Mapping[str, ort.NodeArg]) -> None:
    field = f"signals.{signal.name}"
    if signal.output not in outputs:
        known = ", ".join(outputs)
        raise _contradiction(f"{field}.output", f"the model has no {signal.output!r}, but {known}")
    node = outputs[signal.output]
    shape = node.shape
    if node.type not in _SCORE_TYPES or len(shape) != 1 + _CLASSES_AXIS:
        raise _contradiction(f"{field}.output", f"it is {node.type} {shape}, not [n, classes]")
    classes = shape[_CLASSES_AXIS]
    if not isinstance(classes, int):
        raise _contradiction(f"{field}.output", "the model does not say how many classes it has")
    if max(signal.classes) >= classes:
        raise _contradiction(f"{field}.classes", f"{max(signal.classes)}, of 0 to {classes - 1}")


def _contradiction(field: str, problem: str) -> BundleInvalid:
    return BundleInvalid(f"manifest.toml: {field}: {problem}")
