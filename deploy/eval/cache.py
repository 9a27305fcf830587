"""What takes long to compute, kept on disk under what it was computed from."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


def kept(folder: Path, key: tuple[str, ...], compute: Callable[[], Arrays]) -> Arrays:
    """The arrays that ``compute`` gives, from ``folder`` if they are there under ``key``."""
    path = folder / f"{sha256('/'.join(key).encode()).hexdigest()[:32]}.npz"
    if not path.exists():
        arrays = compute()
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.stem}.{os.getpid()}.part.npz")
        np.savez(unfinished, allow_pickle=False, **arrays)
        unfinished.rename(path)
    with np.load(path) as found:
        return dict(found)


def content_digest(source: Path) -> str:
    """SHA-256, hex, of a file, or of the names and contents of a folder's files."""
    if source.is_file():
        return sha256(source.read_bytes()).hexdigest()
    files = sorted(path for path in source.iterdir() if path.is_file())
    parts = [f"{path.name}:{sha256(path.read_bytes()).hexdigest()}" for path in files]
    return sha256("\n".join(parts).encode()).hexdigest()
