"""Which bundles judge, and which of them judges a frame. Pure.

A line-up file is TOML; paths are relative to the folder it lies in::

    live = "bundles/lite0-3"        # judges every stream that the canary does not
    [canary]                        # optional: judges a share of the streams, and it counts
    bundle = "bundles/lite0-4"
    share = 0.05                    # 0 to 1
    [shadow]                        # optional: judges the same frames besides, and it does not
    bundle = "bundles/lite0-5"
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from ..rollout import in_share


class LineUpInvalid(Exception):
    """A line-up file can't be used: who wrote it must act. The message names the field."""


class Part(StrEnum):
    """What a bundle is there for."""

    LIVE = "live"
    CANARY = "canary"
    SHADOW = "shadow"


@dataclass(frozen=True, slots=True)
class LineUp:
    """The bundle folder of each part that is filled, ``live`` always, and the canary's share."""

    folders: dict[Part, Path]
    share: float = 0.0


_Folder = Annotated[str, Meta(min_length=1)]


class _Canary(Struct, forbid_unknown_fields=True):
    bundle: _Folder
    share: Annotated[float, Meta(ge=0, le=1)]


class _Shadow(Struct, forbid_unknown_fields=True):
    bundle: _Folder


class _File(Struct, forbid_unknown_fields=True):
    live: _Folder
    canary: _Canary | None = None
    shadow: _Shadow | None = None


def parse_line_up(text: bytes, folder: Path) -> LineUp:
    """The line-up in ``text``, of a file in ``folder``. Raises ``LineUpInvalid``."""
    try:
        file = msgspec.toml.decode(text, type=_File)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$.")
        field = path.removesuffix("`")
        raise LineUpInvalid(f"{field}: {problem}" if field else problem) from error
    except ValueError as error:
        raise LineUpInvalid(f"not TOML: {error}") from error
    folders = {Part.LIVE: folder / file.live}
    if file.canary is not None:
        folders[Part.CANARY] = folder / file.canary.bundle
    if file.shadow is not None:
        folders[Part.SHADOW] = folder / file.shadow.bundle
    return LineUp(folders, file.canary.share if file.canary is not None else 0.0)


def in_canary(stream_id: str, share: float) -> bool:
    """Whether the canary judges the stream, where it judges ``share`` of all streams, 0 to 1."""
    return in_share(stream_id, share)
