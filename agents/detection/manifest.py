"""The manifest of a model bundle: what its files are, what the model takes and what it says.

``manifest.toml`` is format 1; every field is listed in :class:`Manifest`. Pure: text in, record
out.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class BundleInvalid(Exception):
    """A bundle can't be used: whoever supplied it must act. The message names the field."""


class InputSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The model's input. A pixel value v, 0 to 255, becomes ``v * scale + offset``."""

    name: str
    dtype: Literal["float32"]
    layout: Literal["NCHW"]
    width: int
    height: int
    colour: Literal["RGB"]
    scale: float
    offset: float
    resize: Literal["squash"]


class SignalSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One signal: the summed probability of ``classes`` in the model's output ``output``."""

    name: str
    output: str
    activation: Literal["softmax"]
    classes: tuple[int, ...]
    temperature: float = 1.0
    """Logits are divided by it before the softmax."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole manifest; ``files`` maps each file of the bundle to its SHA-256, hex."""

    format: Literal[1]
    name: str
    version: str
    licence: str
    provenance: str
    files: dict[str, str]
    input: InputSpec
    signals: tuple[SignalSpec, ...]


def parse_manifest(text: bytes) -> Manifest:
    """The manifest in ``text``, TOML. Raises ``BundleInvalid`` naming the field that is wrong."""
    try:
        manifest = msgspec.toml.decode(text, type=Manifest)
    except msgspec.DecodeError as error:
        raise BundleInvalid(f"manifest.toml: {error}") from error
    except ValueError as error:
        raise BundleInvalid(f"manifest.toml: not TOML: {error}") from error
    names = [signal.name for signal in manifest.signals]
    if "firearm" not in names:
        raise BundleInvalid("manifest.toml: signals: no signal is named 'firearm'")
    if len(set(names)) != len(names):
        raise BundleInvalid("manifest.toml: signals: a name occurs twice")
    for signal in manifest.signals:
        if not signal.classes or signal.temperature <= 0:
            raise BundleInvalid(
                f"manifest.toml: signals.{signal.name}: needs classes and a temperature above 0"
            )
    return manifest
