"""Records a game's window from an X server of its own. Needs Debian's Xvfb and ffmpeg."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .stillness import is_still

FRAME_RATE = 10
"""Frames a second; a software renderer on a shared core hardly draws more."""
_DISPLAY_SECONDS = 20.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.2


class CannotRecord(Exception):
    """What it takes is not installed, or the game did not come up; says which."""


@contextmanager
def running(command: Sequence[str], **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A process that does not outlive the block, nor do those that it started."""
    process = subprocess.Popen(command, process_group=0, **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


@contextmanager
def x_server(size: tuple[int, int]) -> Iterator[str]:
    """A display of ``size`` without a screen, reached through its local socket only."""
    require("Xvfb")
    with tempfile.TemporaryFile() as number:
        command = ["Xvfb", "-displayfd", str(number.fileno()), "-nolisten", "tcp"]
        command += ["-screen", "0", f"{size[0]}x{size[1]}x24"]
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with running(command, pass_fds=(number.fileno(),), **silent):

            def told() -> str:
                number.seek(0)
                return number.read().decode().strip()

            wait_for(lambda: bool(told()), _DISPLAY_SECONDS, "Xvfb: no display")
            yield f":{told()}"


def record(display: str, size: tuple[int, int], seconds: float, path: Path) -> None:
    """Write ``seconds`` of what ``display`` shows to ``path`` as H.264.

    Raises ``CannotRecord``, also for a picture that hardly moves: a menu, a loading screen or a
    spectator who follows nobody.
    """
    require("ffmpeg")
    unfinished = path.with_suffix(".unfinished.mp4")
    grab = ["-f", "x11grab", "-draw_mouse", "0", "-framerate", str(FRAME_RATE)]
    grab += ["-video_size", f"{size[0]}x{size[1]}", "-i", display, "-t", str(seconds)]
    encode = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p"]
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", *grab, *encode, str(unfinished)]
    done = subprocess.run(command, check=False, capture_output=True, timeout=seconds * 3 + 60)
    if done.returncode:
        raise CannotRecord(f"ffmpeg: {done.stderr.decode(errors='replace').strip()[:200]}")
    if is_still(unfinished):
        unfinished.unlink()
        raise CannotRecord("nothing moved: a menu, or nobody to follow")
    unfinished.replace(path)


def niced(program: str) -> list[str]:
    """``program`` as a command that gives way to whatever else runs here."""
    return ["nice", "-n", "10", program]


def environment(display: str, home: Path) -> Mapping[str, str]:
    """For a game on ``display`` that keeps its files under ``home`` and draws on one thread."""
    return {**os.environ, "DISPLAY": display, "HOME": str(home), "LP_NUM_THREADS": "1"}


def require(program: str) -> None:
    """Raise ``CannotRecord`` unless ``program`` is installed."""
    if shutil.which(program) is None and not Path(program).exists():
        raise CannotRecord(f"{program} is not installed: see deploy/footage/install")


def wait_for(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Return once ``condition`` holds. Raises ``CannotRecord`` with ``otherwise``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise CannotRecord(otherwise)
        time.sleep(_POLL_SECONDS)
