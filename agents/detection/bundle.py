"""A model bundle on disk, checked and loaded into ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnxruntime as ort

from .decode import Pixels
from .manifest import BundleInvalid, Manifest, parse_manifest
from .signals import Floats, score_signals

_MODEL_FILE = "model.onnx"
_FATAL_ONLY = 4


class InferenceFailed(Exception):
    """The model could not judge a batch."""


@dataclass(frozen=True, slots=True)
class ModelBundle:
    """A loaded model. ``digest`` is the SHA-256 of the manifest, which pins every file."""

    manifest: Manifest
    digest: str
    session: ort.InferenceSession

    @property
    def label(self) -> str:
        """Name and version, as detections carry them."""
        return f"{self.manifest.name}/{self.manifest.version}"

    @property
    def provider(self) -> str:
        """The execution provider that runs the model."""
        return str(self.session.get_providers()[0])

    @property
    def signal_names(self) -> list[str]:
        return [signal.name for signal in self.manifest.signals]

    def judge(self, frames: Sequence[Pixels]) -> Floats:
        """Scores ``[n, signals]`` of n frames ``[height, width, 3]``. Blocks while it computes.

        Raises ``InferenceFailed``.
        """
        spec = self.manifest.input
        batch = np.stack(frames).transpose(0, 3, 1, 2).astype(np.float32)
        batch *= np.float32(spec.scale)
        batch += np.float32(spec.offset)
        wanted = sorted({signal.output for signal in self.manifest.signals})
        try:
            found = self.session.run(wanted, {spec.name: batch})
        # ONNX Runtime raises plain Exceptions of many kinds, one for each of its status codes.
        except Exception as error:
            raise InferenceFailed(f"{self.label}: {type(error).__name__}") from error
        scores = score_signals(dict(zip(wanted, found, strict=True)), self.manifest.signals)
        if not np.isfinite(scores).all():
            raise InferenceFailed(f"{self.label}: a score is not a number")
        return scores


def load_bundle(folder: Path, providers: Sequence[str], threads: int) -> ModelBundle:
    """The bundle in ``folder`` on the first of ``providers`` that works here, warmed up.

    Raises ``BundleInvalid`` for a missing or altered file, a wrong shape or a missing output.
    """
    manifest_bytes = _read(folder / "manifest.toml")
    manifest = parse_manifest(manifest_bytes)
    model = _checked_files(folder, manifest)[_MODEL_FILE]
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    # A provider that can't be loaded is passed over, and said so in `provider`, not in a colourful
    # line on stderr from every worker without a GPU.
    ort.set_default_logger_severity(_FATAL_ONLY)
    options.log_severity_level = _FATAL_ONLY
    usable = [name for name in providers if name in ort.get_available_providers()]
    if not usable:
        raise BundleInvalid(f"none of the execution providers {', '.join(providers)} is installed")
    try:
        session = ort.InferenceSession(model, options, providers=usable)
    except Exception as error:  # ONNX Runtime's errors have no common base but Exception
        raise BundleInvalid(f"{folder.name}/{_MODEL_FILE}: not loadable: {error}") from error
    _check_interface(manifest, session)
    bundle = ModelBundle(manifest, sha256(manifest_bytes).hexdigest(), session)
    _warm_up(bundle)
    return bundle


def _checked_files(folder: Path, manifest: Manifest) -> dict[str, bytes]:
    if _MODEL_FILE not in manifest.files:
        raise BundleInvalid(f"{folder.name}/manifest.toml: files: {_MODEL_FILE} is not listed")
    contents = {}
    for name, digest in manifest.files.items():
        if Path(name).name != name:
            raise BundleInvalid(f"{folder.name}/manifest.toml: files: {name!r} is not a plain name")
        content = _read(folder / name)
        if sha256(content).hexdigest() != digest:
            raise BundleInvalid(f"{folder.name}/{name}: SHA-256 differs from the manifest's")
        contents[name] = content
    return contents


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleInvalid(f"{path.parent.name}/{path.name}: {error.strerror}") from error


def _check_interface(manifest: Manifest, session: ort.InferenceSession) -> None:
    spec = manifest.input
    inputs = {node.name: node for node in session.get_inputs()}
    if spec.name not in inputs:
        raise BundleInvalid(f"input.name: the model has no input {spec.name!r}")
    shape = inputs[spec.name].shape
    if shape[1:] != [3, spec.height, spec.width]:
        raise BundleInvalid(
            f"input: the model takes {shape}, not [n, 3, {spec.height}, {spec.width}]"
        )
    outputs = {node.name: node for node in session.get_outputs()}
    for signal in manifest.signals:
        if signal.output not in outputs:
            raise BundleInvalid(f"signals.{signal.name}.output: the model has no {signal.output!r}")
        classes = outputs[signal.output].shape[-1]
        if any(not 0 <= index < classes for index in signal.classes):
            raise BundleInvalid(f"signals.{signal.name}.classes: outside 0 to {classes - 1}")


def _warm_up(bundle: ModelBundle) -> None:
    spec = bundle.manifest.input
    try:
        bundle.judge([np.zeros((spec.height, spec.width, 3), np.uint8)])
    except InferenceFailed as error:
        raise BundleInvalid(f"{bundle.label}: a blank frame can't be judged: {error}") from error
