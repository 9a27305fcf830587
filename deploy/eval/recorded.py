"""All that was recorded for an evaluation, and how it is grouped. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .footage import Footage, LabelledDrill
from .frames import Frames
from .hours import Groups
from .localisation import PointingGame
from .sessions import Drill, RecordedClip, Scores, Seconds, cadence

RATE = 2.0
"""Frames a second that rates over frames are taken at: the sampler's default."""
DENSE = 10.0
"""Frames a second at which clips are judged; sessions take theirs from among these."""


@dataclass(frozen=True, slots=True)
class Judged:
    """``times`` ``[n]`` in seconds from the source's start, ``scores`` ``[n, signals]``."""

    times: Seconds
    scores: Scores


ByEncoding = Mapping[str, Judged]


@dataclass(frozen=True, slots=True)
class JudgedPhotographs:
    """Scores ``[n, signals]`` of the photographs by encoding, and where their signal comes from."""

    scores: Mapping[str, Scores]
    pointing: PointingGame


@dataclass(frozen=True, slots=True)
class Recorded:
    """Test clips and labelled drills as the bundle judged them in each encoding, and the
    photographs with firearms, or why there are none."""

    clips: Sequence[tuple[Footage, ByEncoding]]
    drills: Sequence[tuple[LabelledDrill, ByEncoding]]
    photographs: JudgedPhotographs | str

    def sources(self, encoding: str) -> list[Frames]:
        """The frames of each source, those of video at ``RATE``."""
        parts: dict[str, list[tuple[Footage, Scores]]] = defaultdict(list)
        for clip, judged in self.clips:
            one = judged[encoding]
            taken = cadence(one.times, RATE, 0.0) if clip.moves else np.arange(len(one.times))
            parts[clip.source].append((clip, one.scores[taken]))
        return [
            Frames(name, of[0][0].kind, of[0][0].role, len(of), np.concatenate([s for _, s in of]))
            for name, of in parts.items()
        ]

    def ordinary(self, encoding: str) -> list[Frames]:
        return [one for one in self.sources(encoding) if one.kind == "ordinary"]

    def firearms(self, encoding: str) -> list[Frames]:
        """The frames that show a firearm: the photographs, and drills as far as labelled so."""
        drills = [_in_view(drill, judged[encoding]) for drill, judged in self.drills]
        if isinstance(self.photographs, str):
            return drills
        scores = self.photographs.scores[encoding]
        return [Frames("firearm-photos", "photographs", "test", len(scores), scores), *drills]

    def groups(self) -> dict[str, Groups]:
        """Video by kind and by what a session keeps to: a session of play keeps to one game, one
        of anything else takes what comes."""
        kinds: dict[str, dict[str, list[RecordedClip]]] = defaultdict(lambda: defaultdict(list))
        for clip, judged in self.clips:
            if clip.moves:
                group = clip.source if clip.kind == "game" else clip.kind
                kinds[clip.kind][group].append(recorded_clip(clip.id, judged))
        return {kind: dict(groups) for kind, groups in kinds.items()}

    def attacks(self) -> list[Drill]:
        return [
            Drill(recorded_clip(drill.id, judged), drill.onset) for drill, judged in self.drills
        ]


def recorded_clip(name: str, judged: ByEncoding) -> RecordedClip:
    times = next(iter(judged.values())).times
    scores = {encoding: one.scores for encoding, one in judged.items()}
    return RecordedClip(name, float(times[-1]) + 1 / DENSE, times, scores)


def _in_view(drill: LabelledDrill, judged: Judged) -> Frames:
    taken = cadence(judged.times, RATE, 0.0)
    inside = (judged.times[taken] >= drill.onset) & (judged.times[taken] < drill.until)
    return Frames(drill.id, "drill", "test", 1, judged.scores[taken][inside])
