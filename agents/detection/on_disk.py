"""What lies where the bundles are expected, looked at often and cheaply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from .lineup import LineUp, LineUpInvalid, Part, parse_line_up

LINE_UP_SUFFIX = ".toml"


@dataclass(frozen=True, slots=True)
class Look:
    """The line-up and how its bundles look, or why there is no line-up.

    Two looks are equal if nothing has changed between them.
    """

    line_up: LineUp | None
    traces: Mapping[Part, str] = field(default_factory=dict)
    """For each part what changes whenever something in its bundle's folder does."""
    failure: str | None = None


def look(source: Path) -> Look:
    """``source`` is a bundle's folder, or a line-up file. Blocks."""
    line_up = LineUp({Part.LIVE: source})
    if source.suffix == LINE_UP_SUFFIX:
        try:
            line_up = parse_line_up(source.read_bytes(), source.parent)
        except LineUpInvalid as error:
            return Look(None, failure=f"{source}: {error}")
        except OSError as error:
            return Look(None, failure=f"{source}: {error.strerror}")
    return Look(line_up, {part: _trace(folder) for part, folder in line_up.folders.items()})


def _trace(folder: Path) -> str:
    """The manifest's bytes, which pin the files; and of each file what changes as it is written,
    for a bundle that is copied manifest first."""
    trace = sha256(str(folder).encode())
    try:
        trace.update((folder / "manifest.toml").read_bytes())
        for file in sorted(folder.iterdir()):
            found = file.stat()
            trace.update(f"{file.name}\0{found.st_size}\0{found.st_mtime_ns}\0".encode())
            trace.update(f"{found.st_ino}\n".encode())
    except (OSError, ValueError) as error:  # a ValueError is for a path that can't be one
        # Files come and go while a bundle is replaced: that is a state like any other.
        trace.update(str(error).encode())
    return trace.hexdigest()
