"""The test footage: clips of the listing, and the source that each belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agents.detection.learning.errors import LearningFailed
from deploy.demo.streams import HERE as DEMO
from deploy.footage.listing import LISTING, read_listing
from topology.errors import OperatorError
from topology.footage import sha256_of, sidecar_of

_OWN_DRILL = DEMO / "drill" / "drill.mp4"


class FootageMissing(OperatorError):
    """There is no footage to evaluate on, or the label of a drill can't be read."""


@dataclass(frozen=True, slots=True)
class Footage:
    """A clip, or a folder of pictures, to evaluate on.

    ``source`` is what rates are told for: the engine of a game, else the clip itself.
    """

    id: str
    kind: str
    role: str
    source: str
    path: Path
    moves: bool
    """Whether it is video, and can be part of a stream."""


@dataclass(frozen=True, slots=True)
class LabelledDrill:
    """A drill with a firearm in view from ``onset`` to ``until``, seconds from its start."""

    id: str
    path: Path
    onset: float
    until: float


def find_footage(folder: Path) -> list[Footage]:
    """The test clips in ``folder``, drills aside. Raises ``FootageMissing``."""
    found = [
        Footage(
            id=clip.id,
            kind=clip.kind,
            role=clip.role,
            source=clip.engine or clip.id,
            path=folder / clip.file,
            moves=not (folder / clip.file).is_dir(),
        )
        for clip in read_listing(folder).clip
        if clip.role == "test" and clip.kind != "drill"
    ]
    if not found:
        raise FootageMissing(
            f"{folder / LISTING}: lists no test footage; `python -m deploy.footage` gathers some"
        )
    return found


def find_skipped(folder: Path) -> dict[str, str]:
    """Why footage that was wanted could not be had, by id."""
    return {skipped.id: skipped.reason for skipped in read_listing(folder).skipped}


def find_drills(folder: Path) -> list[LabelledDrill]:
    """The test drills in ``folder`` with a label beside them, or else the project's own."""
    listed = [
        folder / clip.file
        for clip in read_listing(folder).clip
        if clip.kind == "drill" and clip.role == "test"
    ]
    labelled = [clip for clip in listed if clip.with_suffix(".toml").exists()]
    return [_drill(clip) for clip in labelled or [_OWN_DRILL]]


def _drill(clip: Path) -> LabelledDrill:
    try:
        spans = sidecar_of(clip, sha256_of(clip))
    except (OSError, LearningFailed) as error:
        raise FootageMissing(str(error)) from error
    if spans is None:
        raise FootageMissing(f"{clip}: no label beside it")
    (span,) = spans
    return LabelledDrill(clip.stem, clip, span.start, span.end)
