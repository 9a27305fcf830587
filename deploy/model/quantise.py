"""Writes a bundle's `model.int8.onnx` from its float model, by static quantisation (QDQ).

Weights become int8 with a scale for each channel, activations uint8 with a range that is seen on
calibration frames: the footage named on the command line, at two frames a second, sized as the
bundle says. The same bundle and footage give the same bytes.

    python deploy/model/quantise.py BUNDLE FOOTAGE... --out model.int8.onnx \
        --keep-float _conv_stem _blocks.0._depthwise_conv

Weights of 8 bits want a CPU whose dot products of bytes don't saturate (VNNI, or any Arm): on an
older x86 CPU the scores differ more than is printed here.
"""

import argparse
import contextlib
import hashlib
import io
import logging
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from agents.detection.bundle import ModelBundle, load_bundle, prepare
from agents.detection.execution import open_session
from agents.detection.manifest import BundleInvalid, InputSpec
from agents.detection.resize import Pixels, Scalers, resize

CPU = "CPUExecutionProvider"
FRAMES_A_SECOND = 2  # as the sampler takes them
BATCH = 8


class Frames(CalibrationDataReader):
    """Feeds frames to the calibration one at a time."""

    def __init__(self, frames: Sequence[Pixels], spec: InputSpec) -> None:
        self._batches = ({spec.name: prepare([frame], spec)} for frame in frames)

    def get_next(self) -> dict[str, Any] | None:
        return next(self._batches, None)


def read_frames(path: Path, spec: InputSpec) -> Iterator[Pixels]:
    """The picture in `path`, or two a second of the video."""
    due, scalers = 0.0, Scalers()
    with av.open(str(path)) as container:
        for picture in container.decode(video=0):
            at = picture.time or 0.0
            if at >= due:
                due = at + 1 / FRAMES_A_SECOND
                yield resize(picture, spec, scalers)


def float_bundle(folder: Path) -> tuple[ModelBundle, Path]:
    """The bundle running its float32 model on one thread, and that model's file."""
    bundle = load_bundle(folder, [CPU], threads=1)
    files = [model.file for model in bundle.manifest.models if model.precision == "float32"]
    if not files:
        raise BundleInvalid(f"{folder}/manifest.toml: models: none has precision float32")
    return with_model(bundle, (folder / files[0]).read_bytes()), folder / files[0]


def with_model(bundle: ModelBundle, model: bytes) -> ModelBundle:
    """`bundle`, running `model` on one thread."""
    return replace(bundle, session=open_session(model, CPU, threads=1))


def quantise(
    file: Path, frames: Sequence[Pixels], spec: InputSpec, keep_float: Sequence[str]
) -> bytes:
    """The model in int8 but for the nodes `keep_float`, its ranges taken from `frames`."""
    with tempfile.TemporaryDirectory() as scratch, quiet():
        out = Path(scratch, "model.onnx")
        quantize_static(
            file,
            out,
            Frames(frames, spec),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=list(keep_float),
        )
        return bytes(onnx.load(out).SerializeToString(deterministic=True))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the quantiser's advice on steps that this model has no use for."""
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)


def with_activations(model: onnx.ModelProto, names: Iterable[str]) -> list[str]:
    """`names` of nodes and the activations right behind them, where int8 would gain nothing.

    Exits where the model has no node of a name.
    """
    wanted = set(names)
    nodes = {node.name: node for node in model.graph.node}
    if unknown := wanted - nodes.keys():
        sys.exit(f"the model has no node {', '.join(sorted(unknown))}")
    outputs = {output for name in wanted for output in nodes[name].output}
    activations = {
        name
        for name, node in nodes.items()
        if node.op_type in {"Clip", "Relu"} and node.input[0] in outputs
    }
    return sorted(wanted | activations)


def judge(bundle: ModelBundle, frames: Sequence[Pixels]) -> np.ndarray:
    """Scores `[frames, signals]`."""
    batches = [frames[at : at + BATCH] for at in range(0, len(frames), BATCH)]
    return np.concatenate([bundle.judge(batch) for batch in batches])


def milliseconds_a_frame(bundle: ModelBundle, batch: Sequence[Pixels]) -> float:
    """The median of 30 runs; preparation and signals included."""
    taken = []
    for _ in range(30):
        began = time.perf_counter()
        bundle.judge(batch)
        taken.append(time.perf_counter() - began)
    return float(np.median(taken)) / len(batch) * 1000


def report(bundle: ModelBundle, quantised: ModelBundle, frames: Sequence[Pixels]) -> None:
    """Prints how the signals of `quantised` differ on `frames`, and what a frame costs."""
    expected, found = judge(bundle, frames), judge(quantised, frames)
    for index, signal in enumerate(bundle.manifest.signals):
        before, after = expected[:, index], found[:, index]
        agree = (before >= signal.threshold) == (after >= signal.threshold)
        print(
            f"{signal.name}: largest difference {np.abs(after - before).max():.3f}, same decision "
            f"at {signal.threshold:g} on {agree.sum()} of {len(frames)} calibration frames"
        )
    for size in (1, BATCH):
        batch = [frames[index % len(frames)] for index in range(size)]
        before, after = (milliseconds_a_frame(each, batch) for each in (bundle, quantised))
        print(f"batch of {size}: {before:.1f} ms a frame in float, {after:.1f} ms in int8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Quantise a bundle's float model to int8.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("footage", type=Path, nargs="+", help="images and videos")
    parser.add_argument("--out", type=Path, default=Path("model.int8.onnx"), metavar="PATH")
    parser.add_argument("--keep-float", nargs="*", default=[], metavar="NODE")
    arguments = parser.parse_args()

    try:
        bundle, file = float_bundle(arguments.bundle)
        spec = bundle.manifest.input
        frames = [frame for path in arguments.footage for frame in read_frames(path, spec)]
    except (BundleInvalid, av.FFmpegError) as error:
        sys.exit(str(error))
    kept = with_activations(onnx.load(file), arguments.keep_float)
    content = quantise(file, frames, spec, kept)
    arguments.out.write_bytes(content)
    print(f"{hashlib.sha256(content).hexdigest()}  {arguments.out} ({len(content)} bytes)")
    print(f"{file.name} has {file.stat().st_size} bytes; {len(frames)} calibration frames")
    report(bundle, with_model(bundle, content), frames)


if __name__ == "__main__":
    main()
