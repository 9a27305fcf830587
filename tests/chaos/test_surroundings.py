"""Clocks, disks and links that break for whoever is in them, and for nobody else."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.chaos.crew import Place
from tests.chaos.surroundings import Clock, Disk, Link, NotHere
from tests.waiting import wait_until

HOUR = 3600
_CLOSE_SECONDS = 60.0
_ASKS_FOR_THE_TIME = """
import sys, time
for _ in sys.stdin:
    print(time.time(), time.monotonic(), flush=True)
"""
_WRITES = """
import sys
from pathlib import Path
for _ in sys.stdin:
    try:
        folder = Path(sys.argv[1])
        folder.mkdir(exist_ok=True)
        with (folder / "kept").open("wb") as file:
            file.write(bytes(8192))
        print(0, flush=True)
    except OSError as error:
        print(error.errno, flush=True)
"""
_CONNECTS = """
import socket, sys
host, port = sys.argv[1].rsplit(":", 1)
for _ in sys.stdin:
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
        print("through", flush=True)
    except OSError as error:
        print("not through:", error, flush=True)
"""


class Child:
    """A process in a place, asked a line at a time."""

    def __init__(self, place: Place, code: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [*place.prefix, sys.executable, "-c", code, *arguments],
            env={**os.environ, **place.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


def make_link() -> Link:
    try:
        return Link.make()
    except NotHere as missing:
        pytest.skip(str(missing))


def test_a_clock_jumps_for_who_has_it_and_what_is_monotonic_goes_on(tmp_path: Path) -> None:
    try:
        clock = Clock.make(tmp_path)
    except NotHere as missing:
        pytest.skip(str(missing))

    with Child(clock.place(""), _ASKS_FOR_THE_TIME) as child:

        def ahead() -> tuple[float, float]:
            wall, monotonic = map(float, child.ask().split())
            return wall - time.time(), monotonic - time.monotonic()

        for jumped in (0, HOUR, -HOUR, 0):
            clock.jump(jumped)
            wall, monotonic = ahead()
            assert abs(wall - jumped) < _CLOSE_SECONDS
            assert abs(monotonic) < _CLOSE_SECONDS


def test_a_disk_is_full_until_room_is_made(tmp_path: Path) -> None:
    try:
        disk = Disk.make(tmp_path / "disk")
    except NotHere as missing:
        pytest.skip(str(missing))
    place = disk.place("")
    folder = place.environment["FIREBREAK_RUNTIME_DIR"]
    try:
        with Child(place, _WRITES, folder) as child:
            assert child.ask() == "0"
            Path(folder, "kept").unlink()
            disk.fill()
            assert child.ask() == str(errno.ENOSPC)
            (tmp_path / "beside").write_bytes(bytes(8192))
            disk.make_room()
            assert child.ask() == "0"
    finally:
        disk.remove()
    assert not os.path.ismount(disk.folder)


def test_a_link_is_cut_and_mended_and_gone_when_it_is_removed() -> None:
    link = make_link()
    try:
        with socket.create_server((link.outside, 0)) as listener:
            port = listener.getsockname()[1]
            place = link.place(f"127.0.0.1:{port - 1}")
            address = place.environment["FIREBREAK_BOOTSTRAP_SERVERS"]
            assert address == f"{link.outside}:{port}"
            with Child(place, _CONNECTS, address) as child:
                assert child.ask() == "through"
                link.cut()
                assert child.ask().startswith("not through")
                link.mend()
                wait_until(lambda: child.ask() == "through", _CLOSE_SECONDS)
    finally:
        link.remove()
    listed = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    assert link.name not in [line.split()[0] for line in listed.splitlines()]


def test_nothing_but_the_links_end_is_reached_through_it() -> None:
    link = make_link()
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = f"127.0.0.1:{listener.getsockname()[1]}"
            with Child(link.place(address), _CONNECTS, address) as child:
                assert child.ask().startswith("not through")
    finally:
        link.remove()
