"""A corpus: labelled frames in a folder, and where each is from.

    sources.toml     of each source its licence, provenance and the originals that were added
    frames.jsonl     a line for each frame: its file, where it is from, what is known of it
    frames/          the frames, JPEG, each named by its own SHA-256
    embeddings/      what backbones make of the frames; may be deleted

Both lists are made to be read and compared by people. They are replaced as a whole, the sources
first: wherever writing is cut off, each frame that is listed is there and has its source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec

from .errors import LearningFailed
from .toml import to_toml

SOURCES, FRAMES = "sources.toml", "frames.jsonl"


class Frame(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One frame of the corpus."""

    file: str
    """Of the corpus folder."""
    sha256: str
    source: str
    label: str
    original: str
    """SHA-256 of the file that the frame was taken from."""
    at: float
    """Seconds from the beginning of the original."""
    scene: int
    phash: str
    """Perceptual hash, 16 hex digits."""
    signals: dict[str, int]
    """The truth, 0 or 1, of each signal of which it is known."""
    verdict: str | None = None
    """The reviewers' verdict that the label is from."""


class Original(msgspec.Struct, frozen=True):
    """A file that frames were taken from."""

    file: str
    sha256: str


class Source(msgspec.Struct, frozen=True):
    """What is split as one: all frames of a source are trained on, or none is."""

    licence: str
    provenance: str | None = None
    originals: tuple[Original, ...] = ()


@dataclass(frozen=True, slots=True)
class Corpus:
    """The corpus in ``folder`` as its lists say."""

    folder: Path
    sources: Mapping[str, Source]
    frames: tuple[Frame, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over frames, labels and licences, in whatever order they were added."""
        listed = sorted(
            (frame.sha256, frame.source, frame.label, sorted(frame.signals.items()))
            for frame in self.frames
        )
        licences = sorted((name, source.licence) for name, source in self.sources.items())
        return sha256(msgspec.json.encode([listed, licences])).hexdigest()

    def read(self, frame: Frame) -> bytes:
        """The encoded picture. Raises ``LearningFailed`` if it isn't what was added."""
        path = self.folder / frame.file
        try:
            content = path.read_bytes()
        except OSError as error:
            raise LearningFailed(f"{path}: {error.strerror}") from error
        if sha256(content).hexdigest() != frame.sha256:
            raise LearningFailed(f"{path}: not the frame that was added: its SHA-256 differs")
        return content


def open_corpus(folder: Path) -> Corpus:
    """The corpus in ``folder``. Raises ``LearningFailed`` if it is none or its lists are wrong."""
    if not (folder / FRAMES).is_file():
        raise LearningFailed(f"{folder}: no corpus: it has no {FRAMES}")
    corpus = read_lists(folder)
    for frame in corpus.frames:
        if frame.source not in corpus.sources:
            raise LearningFailed(f"{folder / SOURCES}: no source {frame.source!r} of {frame.file}")
    return corpus


def read_lists(folder: Path) -> Corpus:
    """As ``open_corpus``, for a folder that is to become a corpus: empty where there is nothing."""
    sources: dict[str, Source] = {}
    frames: list[Frame] = []
    where = str(folder / SOURCES)
    try:
        if (folder / SOURCES).exists():
            text = (folder / SOURCES).read_bytes()
            sources = msgspec.toml.decode(text, type=dict[str, Source])
        if (folder / FRAMES).exists():
            lines = (folder / FRAMES).read_bytes().splitlines()
            decoder = msgspec.json.Decoder(Frame)
            for number, line in enumerate(lines, 1):
                where = f"{folder / FRAMES}, line {number}"
                frames.append(decoder.decode(line))
    except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
        raise LearningFailed(f"{where}: {error}") from error
    return Corpus(folder, sources, tuple(frames))


def write_lists(corpus: Corpus) -> None:
    """Replace both lists by those of ``corpus``."""
    tables = {name: msgspec.to_builtins(source) for name, source in corpus.sources.items()}
    write_whole(corpus.folder / SOURCES, to_toml(tables).encode())
    lines = (msgspec.json.encode(frame) + b"\n" for frame in corpus.frames)
    write_whole(corpus.folder / FRAMES, b"".join(lines))


def write_whole(path: Path, content: bytes) -> None:
    """Write ``path`` whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    beside.replace(path)
