"""OpenArena, an ioquake3: bots fight each other, seen through the eyes of one of them."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, cast

from .engine import Session
from .screen import CannotRecord, environment, niced, record, require, running, wait_for, x_server

_PROGRAM = "/usr/games/openarena"
_START_SECONDS = 120.0
_SETTLE_SECONDS = 5.0
_BOTS = ("sarge", "grunt", "kyonshi", "major", "gargoyle")
_SKILL = 3  # of 1 to 5


def play_openarena(session: Session, path: Path) -> None:
    """Driven through its console, which it reads from standard input. Raises ``CannotRecord``."""
    require(_PROGRAM)
    width, height = session.size
    with tempfile.TemporaryDirectory() as home, x_server(session.size) as display:
        log = Path(home, "log")
        settings = {
            "fs_homepath": home,
            "net_enabled": 0,
            "ttycon": 0,
            "cl_renderer": "opengl1",  # the faster one where no graphics card draws
            "r_fullscreen": 0,
            "r_mode": -1,
            "r_customwidth": width,
            "r_customheight": height,
            "r_gamma": 1.3,
            "s_initsound": 0,
            "com_maxfps": 20,
            "in_nograb": 1,
            "in_mouse": 0,
            "fraglimit": 0,
            "timelimit": 0,
            "cg_draw2D": int(session.status),
            "con_notifytime": 3 * int(session.status),  # seconds for which chat is shown
        }
        command = niced(_PROGRAM)
        for name, value in settings.items():
            command += ["+set", name, str(value)]
        with (
            log.open("wb") as out,
            running(
                [*command, "+devmap", session.level],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                env=environment(display, Path(home)),
            ) as game,
        ):

            def entered() -> int:
                told = log.read_bytes()
                if b"Can't find map" in told:
                    raise CannotRecord(f"openarena: no level {session.level}")
                return told.count(b"entered the game")

            def say(*lines: str) -> None:
                console = cast(IO[bytes], game.stdin)
                try:
                    for line in lines:
                        console.write(f"{line}\n".encode())
                    console.flush()
                except BrokenPipeError as error:
                    raise CannotRecord(f"openarena: it ended on {session.level}") from error

            began = f"openarena: {session.level} did not begin"
            wait_for(lambda: entered() > 0, _START_SECONDS, began)
            say(*(f"addbot {bot} {_SKILL}" for bot in _BOTS))
            wait_for(lambda: entered() > len(_BOTS), _START_SECONDS, f"{began}: no bots")
            say("team s")
            time.sleep(_SETTLE_SECONDS)
            say("follownext")
            time.sleep(_SETTLE_SECONDS)
            record(display, session.size, session.seconds, path)
