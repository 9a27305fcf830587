"""What a label says of a frame, signal by signal. Pure.

A signal's truth is 1, 0 or unknown; unknown is left out and no head learns from it. A film's or a
game's firearm is none: ``firearm`` means a real one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from .errors import LearningFailed

_SIGNAL = re.compile(r"([a-z][a-z0-9_]{0,63})=(0|1|unknown)")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)")


class Label(StrEnum):
    """What footage is."""

    DRILL = "drill"
    """Real footage of a drill, or of what a reviewer found to be an attack."""
    FILM = "film"
    GAME = "game"
    ORDINARY = "ordinary"
    """Real footage without a firearm in it."""


_IMPLIED: Mapping[Label, Mapping[str, int]] = {
    Label.DRILL: {"fictional": 0},
    Label.FILM: {"fictional": 1, "firearm": 0},
    Label.GAME: {"fictional": 1, "firearm": 0},
    Label.ORDINARY: {"fictional": 0, "firearm": 0},
}


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start`` (inclusive) to ``end`` (exclusive), in seconds of the video."""

    start: float
    end: float


THROUGHOUT = Span(0, math.inf)


@dataclass(frozen=True, slots=True)
class Labelling:
    """One clip's labels.

    ``firearm`` are the times at which a drill shows one; none given: not known when. ``signals``
    are the operator's own, and go before what the label implies; ``None`` says unknown.
    """

    label: Label
    firearm: tuple[Span, ...] | None = None
    signals: Mapping[str, int | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.firearm is not None and self.label is not Label.DRILL:
            raise LearningFailed(
                f"times of a firearm go with the label drill: {self.label} has no real firearm"
            )

    def at(self, seconds: float) -> dict[str, int]:
        """The truth of each signal that is known ``seconds`` into the clip, by name."""
        truths: dict[str, int | None] = dict(_IMPLIED[self.label])
        if self.firearm is not None:
            shown = any(span.start <= seconds < span.end for span in self.firearm)
            truths["firearm"] = int(shown)
        truths |= self.signals
        return {name: truth for name, truth in sorted(truths.items()) if truth is not None}


def parse_spans(texts: Iterable[str]) -> tuple[Span, ...] | None:
    """Spans of ``FROM-TO`` in seconds, or ``all``; ``None`` for none. Raises ``LearningFailed``."""
    spans = tuple(THROUGHOUT if text == "all" else _span(text) for text in texts)
    return spans or None


def _span(text: str) -> Span:
    match = _SPAN.fullmatch(text)
    if match is None or float(match[1]) >= float(match[2]):
        raise LearningFailed(f"{text!r} is no time: FROM-TO in seconds, such as 7.2-18.8, or all")
    return Span(float(match[1]), float(match[2]))


def parse_signals(texts: Iterable[str]) -> dict[str, int | None]:
    """Truths by signal of ``NAME=0``, ``NAME=1`` and ``NAME=unknown``."""
    truths: dict[str, int | None] = {}
    for text in texts:
        match = _SIGNAL.fullmatch(text)
        if match is None:
            raise LearningFailed(f"{text!r} is no signal's label: NAME=0, NAME=1 or NAME=unknown")
        truths[match[1]] = None if match[2] == "unknown" else int(match[2])
    return truths


class _Sidecar(msgspec.Struct, frozen=True):
    """Any more fields are the operator's own."""

    firearm_from: float
    firearm_to: float
    sha256: str | None = None


def parse_sidecar(name: str, text: bytes, clip_digest: str) -> tuple[Span, ...]:
    """When the clip shows a firearm, as its sidecar says: ``firearm_from`` and ``firearm_to``.

    A sidecar may say its clip's SHA-256; then it must be ``clip_digest``. ``name`` is for errors.
    """
    try:
        table: Any = msgspec.toml.decode(text)
        sidecar = msgspec.convert(table, _Sidecar)
    except (ValueError, msgspec.ValidationError) as error:
        raise LearningFailed(f"{name}: {error}") from error
    if sidecar.sha256 not in (None, clip_digest):
        raise LearningFailed(f"{name}: sha256 is another clip's")
    if not 0 <= sidecar.firearm_from < sidecar.firearm_to:
        raise LearningFailed(f"{name}: firearm_to is not after firearm_from")
    return (Span(sidecar.firearm_from, sidecar.firearm_to),)
