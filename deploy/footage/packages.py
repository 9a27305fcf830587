"""What packages ship, as listed in ``packages.toml``."""

from __future__ import annotations

import fnmatch
import io
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Sequence
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Literal

import av
import msgspec
from av.error import FFmpegError
from av.video.frame import VideoFrame

from .listing import Clip, Kind, Role

ITEMS = Path(__file__).with_name("packages.toml")
Shipped = tuple[str, bytes]
"""A file's name and what is in it."""


class NotShipped(Exception):
    """The package is not installed or downloaded, or ships no such file."""


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A video or pictures of one package; ``packages.toml`` explains the fields."""

    id: str
    role: Role
    package: str
    paths: list[str]
    licence: str
    kind: Kind = "ordinary"
    shape: Literal["video", "pictures", "sequence"] = "video"
    archive: str | None = None
    frame_rate: int | None = None
    """Frames a second; of a sequence only."""


class _Items(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    item: list[Item]


def read_items(path: Path = ITEMS) -> list[Item]:
    return msgspec.toml.decode(path.read_bytes(), type=_Items).item


def fetch(item: Item, folder: Path, archives: Path) -> Clip:
    """Copy ``item`` into ``folder``, as it was shipped. Raises ``NotShipped``.

    ``archives`` holds the distributions that are not installed.
    """
    shipped = _in_archive(item, archives) if item.archive else _installed(item)
    if not shipped:
        raise NotShipped(f"no {', '.join(item.paths)}: is package {item.package} installed?")
    if item.shape == "video":
        name = f"{item.id}{Path(shipped[0][0]).suffix}"
        (folder / name).write_bytes(shipped[0][1])
    elif item.shape == "pictures":
        name = item.id
        _lay_out(shipped, folder / name)
    else:
        name = f"{item.id}.mp4"
        _encode(shipped, item.frame_rate or 25, folder / name)
    return Clip(
        id=item.id,
        kind=item.kind,
        role=item.role,
        file=name,
        licence=item.licence,
        provenance=f"package {item.package} {version_of(item)}: {', '.join(item.paths)}",
        seconds=0.0 if item.shape == "pictures" else seconds_of(folder / name),
    )


def version_of(item: Item) -> str:
    """The version of the item's package, as PyPI or Debian counts; of an archive, its name."""
    return item.archive or package_version(item.package)


def package_version(package: str) -> str:
    """As installed, from PyPI or from Debian; "unknown" where neither knows it."""
    try:
        return distribution(package).version
    except PackageNotFoundError:
        pass
    if shutil.which("dpkg-query") is None:
        return "unknown"
    command = ["dpkg-query", "-W", "-f", "${Version}", package]
    found = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    return found.stdout.strip() or "unknown"


def seconds_of(video: Path) -> float:
    """How long ``video`` is, by its container. Raises ``NotShipped`` for what is no video."""
    try:
        with av.open(str(video)) as container:
            return round((container.duration or 0) / 1_000_000, 1)
    except FFmpegError as error:
        raise NotShipped(f"{video.name}: {error.strerror}") from error


def _installed(item: Item) -> list[Shipped]:
    if item.paths[0].startswith("/"):
        base, paths = Path("/"), [path[1:] for path in item.paths]
    else:
        try:
            # Located and not imported: a package may not work beside this version of numpy.
            base, paths = Path(str(distribution(item.package).locate_file(""))), item.paths
        except PackageNotFoundError as error:
            raise NotShipped(f"package {item.package} is not installed") from error
    found = [file for path in paths for file in sorted(base.glob(path))]
    return [(file.name, file.read_bytes()) for file in found]


def _in_archive(item: Item, archives: Path) -> list[Shipped]:
    path = archives / str(item.archive)
    if not path.exists():
        raise NotShipped(f"no {path}: see deploy/footage/install")
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            return [(name, wheel.read(name)) for name in _matching(item, wheel.namelist())]
    with tarfile.open(path) as sdist:
        found = ((name, sdist.extractfile(name)) for name in _matching(item, sdist.getnames()))
        return [(name, file.read()) for name, file in found if file is not None]


def _matching(item: Item, names: Sequence[str]) -> list[str]:
    return sorted(name for path in item.paths for name in fnmatch.filter(names, path))


def _lay_out(pictures: Sequence[Shipped], folder: Path) -> None:
    """Number ``pictures``: of wallpapers, many have one name, in a folder each."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for number, (name, content) in enumerate(pictures):
        (folder / f"{number:03}{Path(name).suffix}").write_bytes(content)


def _encode(frames: Sequence[Shipped], frame_rate: int, path: Path) -> None:
    """Write ``frames`` to ``path`` as H.264."""
    unfinished = path.with_suffix(".unfinished.mp4")
    with av.open(str(unfinished), "w") as container:
        stream = container.add_stream("libx264", rate=frame_rate, options={"crf": "18"})
        # H.264 halves the colour planes, so sides are even.
        first = _decode(*frames[0])
        width, height = first.width & ~1, first.height & ~1
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number, (name, content) in enumerate(frames):
            picture = _decode(name, content).reformat(width, height, "yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, frame_rate)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    unfinished.replace(path)


def _decode(name: str, content: bytes) -> VideoFrame:
    try:
        with av.open(io.BytesIO(content), "r") as container:
            return next(container.decode(video=0))
    except (FFmpegError, StopIteration) as error:
        raise NotShipped(f"{name}: no picture") from error
