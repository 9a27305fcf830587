"""Games that play themselves: bots fight each other, seen through the eyes of one of them."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from .screen import (
    HEIGHT,
    WIDTH,
    CannotRecord,
    environment,
    record,
    require,
    running,
    wait_for,
    x_server,
)

_NICE = ["nice", "-n", "10"]
_START_SECONDS = 90.0
_SETTLE_SECONDS = 8.0
"""From the first bot's entering to a fight with all of them in it."""
OPENARENA, NEXUIZ = "/usr/games/openarena", "/usr/games/nexuiz"


@dataclass(frozen=True, slots=True)
class Engine:
    """A game: what its clips are listed as, and how one of them is recorded."""

    name: str
    maps: tuple[str, ...]
    licence: str
    package: str
    play: Callable[[str, float, Path], None]
    """Map, seconds, and the file to write. Raises ``CannotRecord``."""


def play_openarena(level: str, seconds: float, path: Path) -> None:
    """ioquake3, driven through its console, which it reads from standard input."""
    require(OPENARENA)
    with tempfile.TemporaryDirectory() as home, x_server() as display:
        log = Path(home, "log")
        settings = {
            "fs_homepath": home,
            "ttycon": 0,
            "r_fullscreen": 0,
            "r_mode": -1,
            "r_customwidth": WIDTH,
            "r_customheight": HEIGHT,
            "s_initsound": 0,
            "com_maxfps": 20,
            "bot_minplayers": 6,
            "in_nograb": 1,
            "in_mouse": 0,
            # Half of the maps are played without the head-up display.
            "cg_draw2D": len(level) % 2,
        }
        command = [*_NICE, OPENARENA]
        for name, value in settings.items():
            command += ["+set", name, str(value)]
        with (
            log.open("wb") as out,
            running(
                [*command, "+devmap", level],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                env=environment(display, Path(home)),
            ) as game,
        ):

            def entered() -> bool:
                return b"entered the game" in log.read_bytes()

            def say(line: str) -> None:
                console = cast(IO[bytes], game.stdin)
                console.write(f"{line}\n".encode())
                console.flush()

            wait_for(entered, _START_SECONDS, f"openarena: {level} did not begin")
            time.sleep(_SETTLE_SECONDS)
            say("team s")
            time.sleep(3)
            say("follownext")
            time.sleep(3)
            record(display, seconds, path)


def play_nexuiz(level: str, seconds: float, path: Path) -> None:
    """DarkPlaces, driven by commands that a configuration file puts off."""
    require(NEXUIZ)
    with tempfile.TemporaryDirectory() as home, x_server() as display:
        data = Path(home, "data")
        data.mkdir()
        # Fire makes a spectator follow the next player.
        script = ["skill 5", "minplayers 6", 'defer 12 "cmd spectate"']
        for press in (15, 18):
            script += [f'defer {press} "+attack"', f'defer {press + 0.3} "-attack"']
        Path(data, "record.cfg").write_text("\n".join(script) + "\n")
        log = Path(home, "log")
        video = {"vid_fullscreen": 0, "vid_width": WIDTH, "vid_height": HEIGHT, "cl_maxfps": 20}
        video |= {"r_glsl": 0, "gl_picmip": 1}
        command = [*_NICE, NEXUIZ, "-userdir", f"{home}/", "-nosound"]
        for name, value in video.items():
            command += [f"+{name}", str(value)]
        with (
            log.open("wb") as out,
            running(
                [*command, "+exec", "record.cfg", "+map", level],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=environment(display, Path(home)),
            ),
        ):
            wait_for(
                lambda: b"[BOT]" in log.read_bytes(),
                _START_SECONDS,
                f"nexuiz: {level} did not begin",
            )
            time.sleep(30)
            record(display, seconds, path)


def play_doom(level: str, seconds: float, path: Path) -> None:
    """Freedoom's second game, by the demo's scripted player."""
    from deploy.demo.game import GameUnavailable, render_game

    unfinished = path.with_suffix(".unfinished.mp4")
    try:
        render_game(unfinished, seconds, seed=len(level) + int(level[-2:]), level=level)
    except GameUnavailable as error:
        raise CannotRecord(str(error)) from error
    unfinished.replace(path)


TRAINED = (
    Engine(
        "doom",
        tuple(f"map{number:02}" for number in (1, 2, 4, 6, 7, 9, 11, 12, 15, 18)),
        "BSD-3-Clause",
        "vizdoom",
        play_doom,
    ),
    Engine(
        "openarena",
        (
            "oa_dm1",
            "oa_dm4",
            "aggressor",
            "oa_rpg3dm2",
            "oa_shouse",
            "kaos2",
            "suspended",
            "delta",
            "oa_minia",
            "dm6ish",
            "czest1dm",
            "sleekgrinder",
        ),
        "GPL-2.0-or-later",
        "openarena",
        play_openarena,
    ),
)
TESTED = (
    Engine(
        "nexuiz",
        (
            "silvercity2",
            "aggressor",
            "basement",
            "bluesky",
            "darkzone",
            "desertfactory",
            "evilspace",
            "runningman",
            "stormkeep",
            "warfare",
        ),
        "GPL-2.0-or-later",
        "nexuiz-data",
        play_nexuiz,
    ),
)
