"""Adding footage to a corpus."""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from .corpus import Corpus, Frame, Original, Source, read_lists, write_lists, write_whole
from .errors import LearningFailed
from .labels import Labelling
from .likeness import Seen, perceptual_hash

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_COMMIT_EVERY = 500
"""Frames that a killed add may have to take again."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """A frame as it was taken: seconds into its video, number of its scene, JPEG."""

    at: float
    scene: int
    picture: bytes


@dataclass(frozen=True, slots=True)
class Clip:
    """One original to be added to the source ``source``."""

    source: str
    licence: str
    provenance: str | None
    original: Original
    labelling: Labelling
    verdict: str | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a clip's frames."""

    kept: int = 0
    alike: int = 0
    """Near-identical to a frame of the same source, which is kept once."""
    foreign: int = 0
    """Near-identical to a frame of another source: kept, they would leak across the split."""

    def __add__(self, other: Added) -> Added:
        return Added(self.kept + other.kept, self.alike + other.alike, self.foreign + other.foreign)


@contextmanager
def open_for_adding(folder: Path) -> Iterator[Adding]:
    """Add to the corpus in ``folder``, which is made if need be. One process at a time may."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LearningFailed(f"{folder}: something is being added to it already") from error
        adding = Adding(read_lists(folder))
        try:
            yield adding
        finally:
            adding.commit()


@dataclass(slots=True)
class Adding:
    """A corpus that grows. A clip is in it whole or not at all."""

    corpus: Corpus
    _uncommitted: int = field(default=0, init=False)

    def add(self, clip: Clip, sampled: Iterable[Sampled]) -> Added:
        """Keep the frames of ``clip`` that are not in the corpus yet.

        Added anew, a clip's frames and labels take the place of those it had. What ``sampled``
        raises leaves the corpus as it was.
        """
        source = self._source(clip)
        mine = [self._is_of(frame, clip) for frame in self.corpus.frames]
        others = [f for f, own in zip(self.corpus.frames, mine, strict=True) if not own]
        taken, added = self._take(clip, sampled, Seen((int(f.phash, 16), f.source) for f in others))
        # Where the clip's frames stood, so that adding the same again changes nothing.
        place = mine.index(True) if True in mine else len(others)
        frames = (*others[:place], *taken, *others[place:])
        sources = self.corpus.sources
        if taken:  # an original of which nothing is kept is none of the corpus's
            sources = {**sources, clip.source: source}
        if frames != self.corpus.frames or sources != self.corpus.sources:
            self.corpus = replace(self.corpus, sources=sources, frames=frames)
            self._uncommitted += 1 + len(taken)
        if self._uncommitted >= _COMMIT_EVERY:
            self.commit()
        return added

    def commit(self) -> None:
        if self._uncommitted:
            write_lists(self.corpus)
            self._uncommitted = 0

    @staticmethod
    def _is_of(frame: Frame, clip: Clip) -> bool:
        return (frame.source, frame.original) == (clip.source, clip.original.sha256)

    def _source(self, clip: Clip) -> Source:
        if not _NAME.fullmatch(clip.source):
            raise LearningFailed(
                f"source {clip.source!r}: 1 to 64 of A-Z, a-z, 0-9 and ._-, a letter or digit first"
            )
        if not clip.licence.strip():
            raise LearningFailed(f"source {clip.source!r}: its licence is not said")
        known = self.corpus.sources.get(clip.source)
        if known is None:
            return Source(clip.licence, clip.provenance, (clip.original,))
        for field_name, before, now in (
            ("licence", known.licence, clip.licence),
            ("provenance", known.provenance, clip.provenance or known.provenance),
        ):
            if before != now:
                raise LearningFailed(
                    f"source {clip.source!r} is in the corpus with the {field_name} "
                    f"{before!r}, not {now!r}"
                )
        if any(original.sha256 == clip.original.sha256 for original in known.originals):
            return known
        return Source(known.licence, known.provenance, (*known.originals, clip.original))

    def _take(
        self, clip: Clip, sampled: Iterable[Sampled], seen: Seen
    ) -> tuple[list[Frame], Added]:
        taken: list[Frame] = []
        alike = foreign = 0
        for frame in sampled:
            value = perceptual_hash(frame.picture)
            resembling = seen.sources_alike(value)
            if resembling - {clip.source}:
                foreign += 1
            elif resembling:
                alike += 1
            else:
                seen.add(value, clip.source)
                taken.append(self._keep(clip, frame, value))
        return taken, Added(len(taken), alike, foreign)

    def _keep(self, clip: Clip, frame: Sampled, value: int) -> Frame:
        digest = sha256(frame.picture).hexdigest()
        file = f"frames/{digest[:2]}/{digest}.jpg"
        if not (self.corpus.folder / file).exists():
            write_whole(self.corpus.folder / file, frame.picture)
        return Frame(
            file=file,
            sha256=digest,
            source=clip.source,
            label=clip.labelling.label,
            original=clip.original.sha256,
            at=round(frame.at, 3),
            scene=frame.scene,
            phash=f"{value:016x}",
            signals=clip.labelling.at(frame.at),
            verdict=clip.verdict,
        )
