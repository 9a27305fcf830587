"""A model bundle on disk, checked and loaded into ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from .calibration import Floats
from .execution import DoesNotLoad, Execution, PassedOver, one_line, open_session, run
from .interface import check_interface
from .manifest import BundleInvalid, InputSpec, Manifest, ModelSpec, parse_manifest
from .resize import Pixels
from .signals import score_signals

EMBEDDING = "emb"
"""The output, ``[n, size]``, that heads are trained on; a bundle may do without."""
_WARM_UP_BATCHES = (1, 16)


class InferenceFailed(Exception):
    """The model could not judge a batch."""


@dataclass(frozen=True, slots=True)
class ModelBundle:
    """A loaded model. Safe to call from several threads.

    ``digest`` is the SHA-256 of the manifest, which pins every file, and of the name of the model
    file that was loaded: alternatives of one model don't score alike to the last bit.
    """

    manifest: Manifest
    digest: str
    execution: Execution
    session: ort.InferenceSession

    @property
    def label(self) -> str:
        """Name and version, as detections carry them."""
        return f"{self.manifest.name}/{self.manifest.version}"

    @property
    def provider(self) -> str:
        """The execution provider that runs the model."""
        return self.execution.provider

    @property
    def signal_names(self) -> list[str]:
        return [signal.name for signal in self.manifest.signals]

    def judge(self, frames: Sequence[Pixels]) -> Floats:
        """Scores ``[n, signals]`` of n frames ``[height, width, 3]``. Blocks while it computes.

        Raises ``InferenceFailed``.
        """
        wanted = sorted({signal.output for signal in self.manifest.signals})
        scores = score_signals(self._run(frames, wanted), self.manifest.signals)
        if not ((scores >= 0) & (scores <= 1)).all():
            raise InferenceFailed(f"{self.label}: a score is not a number from 0 to 1")
        return scores

    def embed(self, frames: Sequence[Pixels], output: str = EMBEDDING) -> Floats:
        """Embeddings ``[n, size]`` of n frames, as the model's ``output`` gives them.

        Blocks while it computes. Raises ``BundleInvalid`` where the model has no such output, and
        ``InferenceFailed``.
        """
        if output not in {node.name for node in self.session.get_outputs()}:
            raise BundleInvalid(f"{self.label}: the model has no output {output!r}")
        return np.asarray(self._run(frames, [output])[output], np.float32)

    def _run(self, frames: Sequence[Pixels], wanted: Sequence[str]) -> Mapping[str, Floats]:
        spec = self.manifest.input
        try:
            return run(self.session, wanted, spec.name, prepare(frames, spec))
        # ONNX Runtime raises plain Exceptions of many kinds, one for each of its status codes.
        except Exception as error:
            raise InferenceFailed(f"{self.label}: {type(error).__name__}") from error


def prepare(frames: Sequence[Pixels], spec: InputSpec) -> NDArray[Any]:
    """``frames``, ``[height, width, 3]`` RGB each, as one batch of what the model takes."""
    pixels = np.stack(frames)
    if spec.colour == "BGR":
        pixels = pixels[..., ::-1]
    channels: tuple[int, ...] = (-1,)
    if spec.layout == "NCHW":
        pixels, channels = pixels.transpose(0, 3, 1, 2), (-1, 1, 1)
    # Brought into order as bytes, which is a quarter of the work.
    batch = np.ascontiguousarray(pixels).astype(spec.dtype, copy=False)
    if spec.dtype == "float32":
        batch *= np.array(spec.scale, np.float32).reshape(channels)
        batch += np.array(spec.offset, np.float32).reshape(channels)
    return batch


def load_bundle(folder: Path, providers: Sequence[str], threads: int) -> ModelBundle:
    """The bundle in ``folder`` on the first of ``providers`` that runs it here, warmed up.

    Raises ``BundleInvalid`` with the file and field: a missing or altered file, a manifest that
    does not fit its model, no provider that runs it.
    """
    try:
        manifest_bytes = _read(folder, "manifest.toml")
        manifest = parse_manifest(manifest_bytes)
        files = _checked_models(folder, manifest)
        passed_over: list[PassedOver] = []
        for provider in providers:
            try:
                model = _model_for(provider, manifest)
                session = open_session(files[model.file], provider, threads)
                check_interface(manifest, session)
                bundle = ModelBundle(
                    manifest,
                    sha256(manifest_bytes + b"\0" + model.file.encode()).hexdigest(),
                    Execution(provider, model.file, model.precision, tuple(passed_over)),
                    session,
                )
                _warm_up(bundle)
            except DoesNotLoad as error:
                passed_over.append(PassedOver(provider, str(error)))
            else:
                return bundle
        reasons = "; ".join(f"{item.provider}: {item.reason}" for item in passed_over)
        raise BundleInvalid(f"manifest.toml: models: no execution provider runs one: {reasons}")
    except BundleInvalid as error:
        raise BundleInvalid(f"{folder}/{error}") from error


def _checked_models(folder: Path, manifest: Manifest) -> dict[str, bytes]:
    """The model files by name, once every file of the bundle has its digest.

    Models are loaded from these bytes and not read again: what was checked is what runs.
    """
    models = {model.file for model in manifest.models}
    contents = {}
    for name, digest in manifest.files.items():
        content = _read(folder, name)
        if sha256(content).hexdigest() != digest:
            raise BundleInvalid(f"{name}: SHA-256 differs from the one in manifest.toml")
        if name in models:
            contents[name] = content
    return contents


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise BundleInvalid(f"{name}: {error.strerror}") from error


def _model_for(provider: str, manifest: Manifest) -> ModelSpec:
    for model in manifest.models:
        if model.providers is None or provider in model.providers:
            return model
    raise DoesNotLoad("no model file for it")


def _warm_up(bundle: ModelBundle) -> None:
    """Make the model allocate what it will need, and show that it can.

    Some providers load, and only fail at their first batch.
    """
    spec = bundle.manifest.input
    noise = np.random.default_rng(0).integers(0, 256, (spec.height, spec.width, 3), np.uint8)
    for size in _WARM_UP_BATCHES:
        try:
            bundle.judge([noise] * size)
        except InferenceFailed as error:
            cause = one_line(error.__cause__) if isinstance(error.__cause__, Exception) else error
            raise DoesNotLoad(f"a batch of {size} can't be judged: {cause}") from error
