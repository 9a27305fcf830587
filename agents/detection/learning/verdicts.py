"""Reviewers' verdicts as labelled footage.

A file of verdicts has one JSON object a line::

    {"verdict_id": "…", "stream_id": "…", "session_id": "…", "verdict": false, "reason": "game",
     "decided_at": 1700000000000000, "frames": ["evidence/0.jpg", "evidence/1.jpg"]}

``verdict`` says whether it was a real attack, ``decided_at`` is in microseconds since the epoch,
and ``frames`` are the pictures that were judged, as files beside the file of verdicts. A real
attack's frames are real and show a firearm, like a drill's. What was none is a game or film where
the reason says so, and ordinary otherwise. Pure, but for reading.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path, PurePosixPath

import msgspec

from .errors import LearningFailed
from .labels import THROUGHOUT, Label, Labelling

_FICTIONS = {"game": Label.GAME, "film": Label.FILM}


class Verdict(msgspec.Struct, frozen=True):
    """What a reviewer decided of one stream; fields beyond these are passed over."""

    verdict_id: str
    stream_id: str
    session_id: str
    verdict: bool
    decided_at: int
    frames: tuple[str, ...]
    reason: str | None = None

    @property
    def labelling(self) -> Labelling:
        if self.verdict:
            return Labelling(Label.DRILL, (THROUGHOUT,))
        return Labelling(_FICTIONS.get(self.reason or "", Label.ORDINARY))

    def source(self, prefix: str) -> str:
        """Each stream is a source of its own: frames of one stream must not be split."""
        return f"{prefix}.{sha256(self.stream_id.encode()).hexdigest()[:12]}"


def read_verdicts(path: Path) -> list[Verdict]:
    """The verdicts in ``path``. Raises ``LearningFailed`` naming line and field."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise LearningFailed(f"{path}: {error.strerror}") from error
    verdicts = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            verdict = msgspec.json.decode(line, type=Verdict)
        except ValueError as error:
            raise LearningFailed(f"{path}, line {number}: {error}") from error
        for name in verdict.frames:
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise LearningFailed(f"{path}, line {number}: {name!r} is not beside this file")
        verdicts.append(verdict)
    return verdicts
