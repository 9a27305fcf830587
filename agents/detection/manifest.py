"""The manifest of a model bundle: what its files are, what the model takes and what it says.

``manifest.toml`` is format 2; every field is listed in :class:`Manifest`. Format 1, which had one
model file and one kind of calibration, is read into the same record. Pure: text in, record out.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

KNOWN_SIGNALS = ("firearm", "fictional", "first_person")
"""Signals that Firebreak gives a meaning to; a bundle's own say ``custom = true``."""

Provider = Literal["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
Precision = Literal["float32", "float16", "int8"]

_CHANNELS = 3
_FEWEST_KNOTS = 2
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SIGNAL_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")

# Name and version are in every record of detections, so they are short and plain.
_Label = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._+-]{1,64}$")]
_Side = Annotated[int, Meta(ge=1, le=4096)]
_Classes = Annotated[tuple[Annotated[int, Meta(ge=0)], ...], Meta(min_length=1)]


class BundleInvalid(Exception):
    """A bundle can't be used: whoever supplied it must act. The message names the field."""


class InputSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """The model's input. A pixel value v, 0 to 255, becomes ``v * scale + offset``."""

    name: str
    dtype: Literal["float32", "uint8"]
    """A ``uint8`` model scales pixels by itself: ``scale`` is 1 and ``offset`` 0."""
    layout: Literal["NCHW", "NHWC"]
    width: _Side
    height: _Side
    colour: Literal["RGB", "BGR"]
    scale: float | tuple[float, ...]
    """One number, or one for each channel in the order of ``colour``; so is ``offset``."""
    offset: float | tuple[float, ...]
    resize: Literal["squash", "letterbox", "crop"]
    """Change the shape; keep it and add black bars; keep it and take the centre."""


class ModelSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """One of the alternatives, which differ in precision only; ``providers`` none: any."""

    file: str
    precision: Precision
    providers: Annotated[tuple[Provider, ...], Meta(min_length=1)] | None = None


class Temperature(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="method", tag="temperature"
):
    """Logits are divided by ``temperature`` before the activation."""

    temperature: float


class Isotonic(Struct, frozen=True, forbid_unknown_fields=True, tag_field="method", tag="isotonic"):
    """What the activation gives is looked up: linear between the knots, constant outside."""

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]


class SignalSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """One signal, read off ``classes`` of the model's output ``output``, ``[n, classes]``."""

    name: str
    output: str
    activation: Literal["softmax", "sigmoid", "identity"]
    """The classes' probabilities summed, for softmax; else the largest of them."""
    classes: _Classes
    threshold: float = 0.5
    """The operating point: a score at or above it means that the signal is on."""
    calibration: Temperature | Isotonic | None = None
    custom: bool = False


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole manifest."""

    format: Literal[2]
    name: _Label
    version: _Label
    licence: str
    provenance: str
    files: dict[str, str]
    """Each file of the bundle but the manifest, by its name, to its SHA-256 in hex."""
    input: InputSpec
    models: Annotated[tuple[ModelSpec, ...], Meta(min_length=1)]
    signals: tuple[SignalSpec, ...]
    card: str | None = None
    """The file that says what was measured, what it is for and what it isn't."""


def parse_manifest(text: bytes) -> Manifest:
    """The manifest in ``text``, TOML. Raises ``BundleInvalid`` naming the field that is wrong."""
    try:
        raw = msgspec.toml.decode(text)
    except ValueError as error:
        raise BundleInvalid(f"manifest.toml: not TOML: {error}") from error
    if raw.get("format") == 1:
        raw = _from_format_1(raw)
    try:
        manifest = msgspec.convert(raw, Manifest)
    except msgspec.ValidationError as error:
        raise BundleInvalid(f"manifest.toml: {_by_name(str(error), raw)}") from error
    for field, problem in _faults(manifest):
        raise BundleInvalid(f"manifest.toml: {field}: {problem}")
    return manifest


def _from_format_1(raw: dict[str, Any]) -> dict[str, Any]:
    """What is not as format 1 has it is left as it is, to be refused like anything else."""
    signals = raw.get("signals")
    if isinstance(signals, list):
        signals = [_calibrated(signal) for signal in signals]
    models = [{"file": "model.onnx", "precision": "float32"}]
    return {**raw, "format": 2, "models": models, "signals": signals}


def _calibrated(signal: object) -> object:
    if not isinstance(signal, dict):
        return signal
    rest = {key: value for key, value in signal.items() if key != "temperature"}
    temperature = signal.get("temperature", 1.0)
    return {**rest, "calibration": {"method": "temperature", "temperature": temperature}}


def _by_name(message: str, raw: dict[str, Any]) -> str:
    """msgspec's message, ``problem - at `$.signals[1].name```, with the field first and by name."""
    problem, _, path = message.partition(" - at `$")
    path = path.removesuffix("`")
    for phrase, short in (
        ("missing required field", "missing"),
        ("unknown field", "unknown field"),
    ):
        if found := re.search(rf"{phrase} `(\w+)`", problem):
            path, problem = f"{path}.{found[1]}", short

    def named(match: re.Match[str]) -> str:
        table, index = match[1], int(match[2])
        key = {"signals": "name", "models": "file"}[table]
        return f"{table}.{raw[table][index].get(key, index)}"

    field = re.sub(r"^(signals|models)\[(\d+)\](?=\.)", named, path.removeprefix("."))
    return f"{field or 'the whole'}: {problem}"


def _faults(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Field and problem of whatever the types don't say."""
    yield from _file_faults(manifest)
    yield from _input_faults(manifest.input)
    for signal in manifest.signals:
        for field, problem in _signal_faults(signal):
            yield f"signals.{signal.name}.{field}", problem
    names = Counter(signal.name for signal in manifest.signals)
    for name, count in names.items():
        if count > 1:
            yield f"signals.{name}.name", "occurs twice"
    if "firearm" not in names:
        yield "signals", "no signal is named 'firearm'"


def _file_faults(manifest: Manifest) -> Iterator[tuple[str, str]]:
    for name, digest in manifest.files.items():
        if "/" in name or "\\" in name or name in {"", ".", "..", "manifest.toml"}:
            yield f"files.{name}", "not the plain name of a file beside manifest.toml"
        if not _SHA256.fullmatch(digest):
            yield f"files.{name}", "not a SHA-256 of 64 lower-case hex digits"
    if manifest.card is not None and manifest.card not in manifest.files:
        yield "card", f"{manifest.card!r} is not listed in files"
    for file, count in Counter(model.file for model in manifest.models).items():
        if file not in manifest.files:
            yield f"models.{file}.file", "not listed in files"
        if count > 1:
            yield f"models.{file}.file", "occurs twice"


def _input_faults(spec: InputSpec) -> Iterator[tuple[str, str]]:
    for field, value, neutral in (("scale", spec.scale, 1), ("offset", spec.offset, 0)):
        numbers = value if isinstance(value, tuple) else (value,)
        if len(numbers) not in (1, _CHANNELS) or (len(numbers) == 1 and numbers is value):
            yield f"input.{field}", f"{len(numbers)} numbers in a list, {_CHANNELS} are wanted"
        if not all(map(math.isfinite, numbers)):
            yield f"input.{field}", "not a finite number"
        if spec.dtype == "uint8" and any(number != neutral for number in numbers):
            yield f"input.{field}", f"a uint8 input is not scaled: {neutral} is wanted"
    if spec.scale == 0 or (isinstance(spec.scale, tuple) and 0 in spec.scale):
        yield "input.scale", "0 leaves nothing of the picture"


def _signal_faults(signal: SignalSpec) -> Iterator[tuple[str, str]]:
    if not _SIGNAL_NAME.fullmatch(signal.name):
        yield "name", "wants 1 to 64 of a-z, 0-9 and _, a letter first"
    if signal.name not in KNOWN_SIGNALS and not signal.custom:
        known = ", ".join(KNOWN_SIGNALS)
        yield "name", f"not known ({known}); a signal of your own says `custom = true`"
    if len(set(signal.classes)) != len(signal.classes):
        yield "classes", "a class occurs twice"
    if not 0 <= signal.threshold <= 1:
        yield "threshold", "not between 0 and 1"
    match signal.calibration:
        case Temperature(temperature=temperature):
            if signal.activation == "identity":
                yield "calibration.method", "an identity output has no logits to divide"
            if not 0 < temperature < math.inf:
                yield "calibration.temperature", "not a finite number above 0"
        case Isotonic() as table:
            yield from _table_faults(table)


def _table_faults(table: Isotonic) -> Iterator[tuple[str, str]]:
    scores, probabilities = table.scores, table.probabilities
    if len(scores) < _FEWEST_KNOTS:
        yield "calibration.scores", f"{len(scores)} of them, at least {_FEWEST_KNOTS} are wanted"
    if not all(map(math.isfinite, scores)) or any(b <= a for a, b in pairwise(scores)):
        yield "calibration.scores", "not ascending"
    if len(probabilities) != len(scores):
        yield "calibration.probabilities", f"{len(probabilities)} for {len(scores)} scores"
    if not all(0 <= probability <= 1 for probability in probabilities):
        yield "calibration.probabilities", "not all between 0 and 1"
    if any(b < a for a, b in pairwise(probabilities)):
        yield "calibration.probabilities", "descending"
