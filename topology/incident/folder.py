"""The folder of an exported incident: written once, readable by its owner alone, and checked."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from hashlib import file_digest
from pathlib import Path

import msgspec

from ..errors import OperatorError
from .chain import MANIFEST, Fault, Found, Manifest, ManifestInvalid, chained, faults, read_manifest

_OWNER_ONLY_FOLDER = 0o700
_OWNER_ONLY_FILE = 0o600


class FolderUnusable(OperatorError):
    """The folder can't be written, or not be read."""


def write_folder(path: Path, incident_id: str, files: Mapping[str, bytes]) -> Manifest:
    """Write ``files``, by names relative to ``path``, which must not be there yet.

    The manifest comes last: a folder without one was not finished. Raises ``FolderUnusable``.
    """
    manifest = chained(incident_id, files)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not into what is there: it may be a link, or readable by others.
        path.mkdir(mode=_OWNER_ONLY_FOLDER)
        for folder in sorted({(path / name).parent for name in files} - {path}):
            folder.mkdir(mode=_OWNER_ONLY_FOLDER)
        for name, content in files.items():
            _write(path / name, content)
        _write(path / MANIFEST, manifest_file(manifest))
    except FileExistsError:
        raise FolderUnusable(f"{path} is there already: name one that is not, by --out") from None
    except OSError as error:
        raise FolderUnusable(f"{path}: {error.strerror}") from error
    return manifest


def manifest_file(manifest: Manifest) -> bytes:
    """What the file of the manifest holds."""
    return msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"


def verify_folder(path: Path, expected_chain: str | None = None) -> tuple[Manifest, list[Fault]]:
    """What is wrong with the folder; see ``chain.faults``.

    Opened is what lies in the folder and not what its manifest names. Raises ``FolderUnusable``
    and ``ManifestInvalid``.
    """
    if not path.is_dir():
        raise FolderUnusable(f"{path} is not a folder")
    try:
        found = {file.relative_to(path).as_posix(): _look_at(file) for file in _files(path)}
        own = found.pop(MANIFEST, None)
        if own is None or not own.sha256:
            raise ManifestInvalid(f"{path} has no {MANIFEST}: it was not finished, or it is lost")
        manifest = read_manifest((path / MANIFEST).read_bytes())
    except OSError as error:
        raise FolderUnusable(f"{error.filename}: {error.strerror}") from error
    return manifest, faults(manifest, found, expected_chain)


def _write(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, _OWNER_ONLY_FILE), "wb") as file:
        file.write(content)


def _files(path: Path) -> Iterator[Path]:
    """All that is no folder; links are not followed."""
    with os.scandir(path) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path))
            else:
                yield Path(entry.path)


def _look_at(path: Path) -> Found:
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        # A link or a pipe: what reading it gives may be another thing tomorrow.
        return Found(0, "")
    with path.open("rb") as file:
        return Found(status.st_size, file_digest(file, "sha256").hexdigest())
