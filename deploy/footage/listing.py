"""What a footage folder holds: ``footage.toml``, one entry a clip, and what could not be had."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from agents.detection.learning.toml import to_toml
from topology.errors import OperatorError

Kind = Literal["game", "film", "ordinary", "drill"]
Role = Literal["train", "test"]
LISTING = "footage.toml"


class ListingUnreadable(OperatorError):
    """A footage folder's listing is broken."""


class Clip(msgspec.Struct, frozen=True):
    """A video, or a folder of pictures, of one origin.

    All clips of an engine, or of a package's item, are one source: they are in one role only, so
    that nothing is measured on what was trained on.
    """

    id: str
    kind: Kind
    role: Role
    file: str
    """Beside the listing; a folder for pictures."""
    licence: str
    provenance: str
    engine: str = ""
    """What rendered a game; empty for what a camera took."""
    seconds: float = 0.0
    """Of video; 0 for pictures."""


class Skipped(msgspec.Struct, frozen=True):
    id: str
    reason: str


class Listing(msgspec.Struct, frozen=True):
    clip: list[Clip] = []
    skipped: list[Skipped] = []


def read_listing(folder: Path) -> Listing:
    """The listing in ``folder``; an empty one where there is none. Raises ``ListingUnreadable``."""
    path = folder / LISTING
    if not path.exists():
        return Listing()
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Listing)
    except (OSError, ValueError) as error:
        raise ListingUnreadable(f"{path}: {error}") from error


def write_listing(folder: Path, listing: Listing) -> None:
    """Replace the listing in ``folder`` at once: a run that is killed leaves the one before."""
    unfinished = folder / f"{LISTING}.unfinished"
    unfinished.write_text(to_toml(msgspec.to_builtins(listing)))
    unfinished.replace(folder / LISTING)
