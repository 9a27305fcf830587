"""The manifest's hash chain: which file was altered, is missing or was added since. Pure.

Each entry's ``chain`` is the SHA-256 over the chain value before it, the file's name and the
file's SHA-256, so the last value stands for all files, their names and their order. It proves
nothing against somebody who makes the whole manifest anew: for that, compare the last value with
the one that was told when the folder was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from ..errors import OperatorError

MANIFEST = "manifest.json"
FORMAT = "firebreak-incident/1"


class ManifestInvalid(OperatorError):
    """The manifest is not one: nothing can be said of the files."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the folder; ``file`` is relative to it, with ``/``; ``size`` is in bytes,
    digests are in hex."""

    file: str
    size: int
    sha256: str
    chain: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All files of the folder but itself, in order of their names."""

    format: str
    incident_id: str
    entries: list[Entry]

    @property
    def chain(self) -> str:
        """The last chain value."""
        return self.entries[-1].chain if self.entries else _start(self)


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it is in the folder now; ``sha256`` is empty where it is no plain file."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one file."""

    file: str
    what: str


def chained(incident_id: str, files: Mapping[str, bytes]) -> Manifest:
    """The manifest of ``files``, by their names."""
    manifest = Manifest(FORMAT, incident_id, [])
    value, entries = _start(manifest), []
    for file in sorted(files):
        digest = sha256(files[file]).hexdigest()
        value = _link(value, file, digest)
        entries.append(Entry(file, len(files[file]), digest, value))
    return msgspec.structs.replace(manifest, entries=entries)


def read_manifest(content: bytes) -> Manifest:
    """Raises ``ManifestInvalid``."""
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as error:
        raise ManifestInvalid(f"{MANIFEST}: {error}") from error
    if manifest.format != FORMAT:
        raise ManifestInvalid(f"{MANIFEST}: format: expected {FORMAT}, found {manifest.format!r}")
    return manifest


def faults(
    manifest: Manifest, found: Mapping[str, Found], expected_chain: str | None = None
) -> list[Fault]:
    """What is wrong with the folder that holds ``found``; nothing where it is whole.

    ``expected_chain`` is the last chain value as it was told when the folder was written.
    """
    listed = {entry.file: entry for entry in manifest.entries}
    wrong = _faults_of_chain(manifest)
    if expected_chain is not None and expected_chain != manifest.chain:
        wrong.append(Fault(MANIFEST, "it ends in another chain value than the one given"))
    for file, entry in listed.items():
        if file not in found:
            wrong.append(Fault(file, "missing"))
        elif found[file] != Found(entry.size, entry.sha256):
            wrong.append(Fault(file, "altered"))
    return wrong + [Fault(file, "added") for file in sorted(found) if file not in listed]


def _faults_of_chain(manifest: Manifest) -> list[Fault]:
    value = _start(manifest)
    for entry in manifest.entries:
        value = _link(value, entry.file, entry.sha256)
        if value != entry.chain:
            return [Fault(MANIFEST, f"altered: the chain does not hold from {entry.file} on")]
    return []


def _start(manifest: Manifest) -> str:
    """What the chain begins with, so that a folder can't pass for another incident's."""
    return sha256(f"{manifest.format}\n{manifest.incident_id}\n".encode()).hexdigest()


def _link(before: str, file: str, digest: str) -> str:
    return sha256(f"{before}\n{file}\n{digest}\n".encode()).hexdigest()
