"""How far a run has come, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SourceProgress:
    """How far a source has come. ``position`` and ``duration`` in seconds of media time."""

    stream_id: str
    frames: int
    """Frames queued for the brokers so far."""
    position: float
    duration: float | None
    failure: str | None
    done: bool


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What became of one source."""

    stream_id: str
    frames: int
    """Frames that the brokers have acknowledged."""
    bytes: int
    """Payload bytes of those."""
    refused: int
    """Frames over the payload limit, not sent."""
    undelivered: int
    """Events sent that the brokers have not acknowledged."""
    damaged: int
    """Packets or images skipped because they could not be read."""
    failure: str | None
    """Why the source, or a delivery of it, failed; the first reason if there are several."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """What became of every source of a run, in their order."""

    sources: tuple[SourceReport, ...]

    @property
    def frames(self) -> int:
        return sum(source.frames for source in self.sources)

    @property
    def bytes(self) -> int:
        return sum(source.bytes for source in self.sources)

    @property
    def failed(self) -> tuple[SourceReport, ...]:
        return tuple(source for source in self.sources if source.failure is not None)


OnProgress = Callable[[SourceProgress], None]
