"""Freedoom's second game, played by the demo's scripted player."""

from __future__ import annotations

from pathlib import Path

from deploy.demo.game import GameUnavailable, Play, render_game

from .engine import Session
from .screen import CannotRecord

_WEAPONS = (None, 3, 4, 2, 5, 6, 7)
"""Slots: the pistol as one is given, shotgun, chain gun, pistol, rockets, plasma, the largest."""
_PATIENCE = 5.0


def play_doom(session: Session, path: Path) -> None:
    """The same session gives the same frames. Raises ``CannotRecord``."""
    unfinished = path.with_suffix(".unfinished.mp4")
    play = Play(
        level=session.level,
        seed=session.number,
        size=session.size,
        status=session.status,
        weapon=_WEAPONS[session.number % len(_WEAPONS)],
        patience=_PATIENCE,
    )
    try:
        render_game(unfinished, session.seconds, play)
    except GameUnavailable as error:
        raise CannotRecord(str(error)) from error
    unfinished.replace(path)
