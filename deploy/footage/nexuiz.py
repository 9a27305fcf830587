"""Nexuiz, a DarkPlaces: bots fight each other, seen through the eyes of one of them."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

from .engine import Session
from .screen import environment, niced, record, require, running, wait_for, x_server

_PROGRAM = "/usr/games/nexuiz"
_START_SECONDS = 120.0
_SPECTATE = 12  # seconds from the level's start until the player makes way for the bots
_FOLLOW = (15, 18)  # and until it presses fire, which makes a spectator follow the next player
_FOLLOWING_SECONDS = 30.0  # from the first bot on; a slow machine is late


def play_nexuiz(session: Session, path: Path) -> None:
    """Driven by commands that a configuration file puts off. Raises ``CannotRecord``."""
    require(_PROGRAM)
    width, height = session.size
    with tempfile.TemporaryDirectory() as home, x_server(session.size) as display:
        data = Path(home, "data")
        data.mkdir()
        script = ["skill 5", "minplayers 6", f'defer {_SPECTATE} "cmd spectate"']
        for press in _FOLLOW:
            script += [f'defer {press} "+attack"', f'defer {press + 0.3} "-attack"']
        if not session.status:
            script += ["viewsize 120", "con_notify 0", "crosshair 0"]
        Path(data, "record.cfg").write_text("\n".join(script) + "\n")
        log = Path(home, "log")
        settings = {
            "vid_fullscreen": 0,
            "vid_width": width,
            "vid_height": height,
            "cl_maxfps": 20,
            "r_glsl": 0,
            "gl_picmip": 1,
        }
        command = [*niced(_PROGRAM), "-userdir", f"{home}/", "-nosound"]
        for name, value in settings.items():
            command += [f"+{name}", str(value)]
        with (
            log.open("wb") as out,
            running(
                [*command, "+exec", "record.cfg", "+map", session.level],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=environment(display, Path(home)),
            ),
        ):
            wait_for(
                lambda: b"[BOT]" in log.read_bytes(),
                _START_SECONDS,
                f"nexuiz: {session.level} did not begin",
            )
            time.sleep(_FOLLOWING_SECONDS)
            record(display, session.size, session.seconds, path)
