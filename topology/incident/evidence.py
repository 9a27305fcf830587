"""The frames that decisions point at, and the files that they become. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from schemas import FrameRef, FrameSampled
from schemas.topics import FRAME_SAMPLES

from .records import IncidentRecord, Session, utc

FOLDER = "evidence"

# A codec's name comes from outside, and file names are not made of what comes from outside.
_EXTENSIONS = {
    "jpeg": "jpg",
    "png": "png",
    "webp": "webp",
    "h264": "h264",
    "hevc": "hevc",
    "av1": "obu",
}
PICTURES = frozenset({"jpg", "png", "webp"})
"""Extensions of what any viewer shows; the others are one key frame of a video."""

Coordinates = tuple[str, int, int]
"""Topic, partition, offset."""


@dataclass(frozen=True, slots=True)
class Cited:
    """A frame that effects point at, with the ids of those effects."""

    ref: FrameRef
    by: tuple[str, ...]

    @property
    def coordinates(self) -> Coordinates:
        return self.ref.topic, self.ref.partition, self.ref.offset


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of evidence: as a file, or gone with the reason why."""

    topic: str
    partition: int
    offset: int
    captured_at: int
    captured: str
    score: float
    cited_by: tuple[str, ...]
    file: str = ""
    """Relative to the folder; empty where it is gone."""
    size: int = 0
    """Bytes."""
    sha256: str = ""
    codec: str = ""
    width: int = 0
    height: int = 0
    gone: str = ""


def cited(record: IncidentRecord) -> tuple[Cited, ...]:
    """Every frame that a decision of the incident points at, in order of capture."""
    refs: dict[Coordinates, FrameRef] = {}
    by: dict[Coordinates, list[str]] = {}
    for effect in record.grounded:
        for ref in effect.evidence:
            where = (ref.topic, ref.partition, ref.offset)
            refs.setdefault(where, ref)
            by.setdefault(where, []).append(effect.id)
    ordered = sorted(refs, key=lambda where: (refs[where].captured_at, where))
    return tuple(Cited(refs[where], tuple(by[where])) for where in ordered)


def foreign_topic(ref: FrameRef) -> str:
    """Why no frame is looked for where ``ref`` points, in words; empty where one is."""
    return "" if ref.topic == FRAME_SAMPLES else f"{ref.topic!r} is not the topic of frame samples"


def mismatch(ref: FrameRef, frame: FrameSampled, sessions: Sequence[Session]) -> str:
    """Why what lies at ``ref`` is not the frame that was judged; empty where it is.

    A topic that was made anew holds other people's frames at the same offsets.
    """
    if (frame.stream_id, frame.session_id) not in sessions:
        return "what lies there now is a frame of another stream or session"
    if frame.captured_at != ref.captured_at:
        return f"what lies there now was captured at {utc(frame.captured_at)}"
    return ""


def files_of(
    frames: Sequence[Cited], found: Mapping[Coordinates, FrameSampled | str]
) -> tuple[tuple[Frame, ...], dict[str, bytes]]:
    """The list of evidence, and its files by name: payloads as they were sent.

    ``found`` holds for each frame the frame, or why there is none.
    """
    listed, files = [], {}
    for number, each in enumerate(frames, 1):
        frame = found[each.coordinates]
        if isinstance(frame, FrameSampled) and not frame.payload:
            frame = "its payload is not on the topic, only where it lay"
        if isinstance(frame, str):
            listed.append(replace(_unfound(each), gone=frame))
            continue
        file = f"{FOLDER}/frame-{number:04}.{_EXTENSIONS.get(frame.codec, 'bin')}"
        files[file] = frame.payload
        listed.append(
            replace(
                _unfound(each),
                file=file,
                size=len(frame.payload),
                sha256=sha256(frame.payload).hexdigest(),
                codec=frame.codec,
                width=frame.width,
                height=frame.height,
            )
        )
    return tuple(listed), files


def _unfound(each: Cited) -> Frame:
    ref = each.ref
    return Frame(
        topic=ref.topic,
        partition=ref.partition,
        offset=ref.offset,
        captured_at=ref.captured_at,
        captured=utc(ref.captured_at),
        score=ref.score,
        cited_by=each.by,
    )
