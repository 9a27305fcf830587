"""What a game engine is to this package, and one recording of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .listing import Role

SIZES = ((640, 480), (320, 240), (512, 384))
"""Width and height in pixels; streams are seldom larger once they have been sampled."""


@dataclass(frozen=True, slots=True)
class Session:
    """One recording: where, for how long and how it looks."""

    level: str
    seconds: float
    size: tuple[int, int] = SIZES[0]
    status: bool = True
    """Whether the head-up display is shown."""
    number: int = 0
    """The level's place among its engine's; seeds whatever else differs between recordings."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A game: what its clips are listed as, and what records one of them."""

    name: str
    role: Role
    package: str
    licence: str
    levels: tuple[str, ...]
    play: Callable[[Session, Path], None]
    """Records a session to a file. Raises ``CannotRecord``, and then leaves no file."""

    def session(self, number: int, seconds: float) -> Session:
        """The recording of level ``number``: every size comes with and without the display."""
        size, status = SIZES[number % len(SIZES)], number % 2 == 0
        return Session(self.levels[number], seconds, size, status, number)
