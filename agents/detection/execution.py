"""Where a model runs: the execution providers of ONNX Runtime, and what it does not say of them."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

_DEVICES = {"TensorrtExecutionProvider": "cuda", "CUDAExecutionProvider": "cuda"}
"""Device, by ONNX Runtime's name, of each provider that computes away from the CPU."""
_LIBRARIES = {"TensorrtExecutionProvider": "tensorrt", "CUDAExecutionProvider": "cuda"}
_ASSISTANTS = {"TensorrtExecutionProvider": ["CUDAExecutionProvider"]}
"""Who takes the nodes that a provider can't; the CPU is always last."""
_FATAL_ONLY = 4
_REASON_LIMIT = 300


class DoesNotLoad(Exception):
    """A model does not run on a provider here; the message is one line that says why."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A provider that stood before the chosen one, and why it was not chosen."""

    provider: str
    reason: str


@dataclass(frozen=True, slots=True)
class Execution:
    """What runs a bundle, for people to read."""

    provider: str
    model_file: str
    precision: str
    passed_over: tuple[PassedOver, ...] = ()

    def __str__(self) -> str:
        chosen = f"{self.model_file} ({self.precision}) on {self.provider}"
        others = "; ".join(f"{item.provider}: {item.reason}" for item in self.passed_over)
        return f"{chosen}; passed over: {others}" if others else chosen


def open_session(model: bytes, provider: str, threads: int) -> ort.InferenceSession:
    """``model`` on ``provider``, with ``threads`` of its own. Raises ``DoesNotLoad``."""
    if provider not in ort.get_available_providers():
        raise DoesNotLoad("not installed")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    # What goes wrong is in the `Execution`, and not in a colourful line on stderr of every worker
    # without a GPU.
    ort.set_default_logger_severity(_FATAL_ONLY)
    options.log_severity_level = _FATAL_ONLY
    wanted = [provider, *_ASSISTANTS.get(provider, [])]
    try:
        session = ort.InferenceSession(model, options, providers=wanted, enable_fallback=0)
    except Exception as error:  # ONNX Runtime's errors have no common base but Exception
        raise DoesNotLoad(_library_fault(provider) or one_line(error)) from error
    # A provider whose libraries are missing is left out without an error, and the CPU does it all.
    found = session.get_providers()[0]
    if found != provider:
        fault = _library_fault(provider) or "it does not say why"
        raise DoesNotLoad(f"ONNX Runtime fell back to {found}: {fault}")
    return session


def one_line(error: Exception) -> str:
    """The first line of ``error`` that says something; at most 300 characters."""
    lines = (line.strip() for line in str(error).splitlines())
    return next((line for line in lines if line), type(error).__name__)[:_REASON_LIMIT]


def _library_fault(provider: str) -> str | None:
    """What the dynamic linker says of the provider's library; ONNX Runtime keeps it to itself."""
    if provider not in _LIBRARIES:
        return None
    library = f"libonnxruntime_providers_{_LIBRARIES[provider]}.so"
    try:
        ctypes.CDLL(str(Path(ort.__file__).parent / "capi" / library))
    except OSError as error:
        return one_line(error)
    return None


def run(
    session: ort.InferenceSession, wanted: Sequence[str], name: str, batch: NDArray[Any]
) -> dict[str, NDArray[Any]]:
    """The outputs ``wanted`` for ``batch`` at input ``name``, as arrays in this process's memory.

    Raises what ONNX Runtime raises: plain Exceptions of many kinds.
    """
    device = _DEVICES.get(session.get_providers()[0])
    found = (
        session.run(wanted, {name: batch})
        if device is None
        else run_bound(session, wanted, name, batch, device)
    )
    return {output: np.asarray(array) for output, array in zip(wanted, found, strict=True)}


def run_bound(
    session: ort.InferenceSession,
    wanted: Sequence[str],
    name: str,
    batch: NDArray[Any],
    device: str,
) -> list[NDArray[Any]]:
    """As ``run``, with the input copied to ``device`` once and only ``wanted`` copied back.

    A binding belongs to one call, so that several threads may call.
    """
    binding = session.io_binding()
    binding.bind_ortvalue_input(name, ort.OrtValue.ortvalue_from_numpy(batch, device, 0))
    for output in wanted:
        binding.bind_output(output, "cpu")
    session.run_with_iobinding(binding)
    return list(binding.copy_outputs_to_cpu())
