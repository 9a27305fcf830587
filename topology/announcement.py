"""Where the embedded broker listens, told in ``broker.json`` of the runtime directory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import msgspec
import psutil

from .settings import Settings, SettingsInvalid

_CLOCK_TOLERANCE = 5.0
"""Seconds by which a process's start seems to move when the machine's clock is set."""


class Announcement(msgspec.Struct, frozen=True):
    bootstrap: str
    pid: Annotated[int, msgspec.Meta(gt=0)]
    started_at: float
    """When the process began, in seconds since the epoch: ids are used again."""


def announce(settings: Settings, bootstrap: str, pid: int) -> None:
    """Write it for this user alone, in one step. Raises ``SettingsInvalid``."""
    path = _path(settings)
    announcement = Announcement(bootstrap, pid, psutil.Process(pid).create_time())
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _make_private(path.parent)
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(announcement))
        unfinished.replace(path)
    except OSError as error:
        raise SettingsInvalid(f"FIREBREAK_RUNTIME_DIR: {error}") from error


def withdraw(settings: Settings, pid: int) -> None:
    """Remove what was announced of the broker ``pid``, and nothing else."""
    announcement = _read(settings)
    if announcement is not None and announcement.pid == pid:
        _path(settings).unlink(missing_ok=True)


def find_running_broker(settings: Settings) -> str | None:
    """``host:port`` of the embedded broker that runs; what a dead one left is not believed."""
    announcement = _read(settings)
    if announcement is None or not _is_alive(announcement):
        return None
    return announcement.bootstrap


def _path(settings: Settings) -> Path:
    return settings.runtime_dir / "broker.json"


def _read(settings: Settings) -> Announcement | None:
    try:
        with _path(settings).open("rb") as file:
            # Another user could have made the directory, and would say where our frames go.
            if os.fstat(file.fileno()).st_uid != os.getuid():
                return None
            return msgspec.json.decode(file.read(), type=Announcement)
    except (FileNotFoundError, PermissionError, msgspec.MsgspecError):
        return None


def _is_alive(announcement: Announcement) -> bool:
    try:
        process = psutil.Process(announcement.pid)
        apart = abs(process.create_time() - announcement.started_at)
        return apart < _CLOCK_TOLERANCE and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _make_private(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise SettingsInvalid(
            f"FIREBREAK_RUNTIME_DIR: {directory} has to belong to this user, and no other may "
            "write there"
        )
