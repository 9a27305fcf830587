"""What workers are put into so that it can be broken: a clock, a disk, a network of their own."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.kafka.node import Node

from .crew import Place

_CLOCK = struct.Struct("l")
_SOURCE = Path(__file__).with_name("clock.c")
_DISK = "size=256k,mode=0700"
_PIECE = 4096


class NotHere(Exception):
    """This machine does not let such surroundings be made; the message says what is missing."""


def _command(*words: str) -> None:
    """Raises ``NotHere``."""
    if shutil.which(words[0]) is None:
        raise NotHere(f"{words[0]} is not installed")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotHere(f"{' '.join(words[:3])}: {done.stderr.strip()}")


@dataclass(frozen=True, slots=True)
class Clock:
    """A wall clock that jumps for whoever has ``environment``."""

    file: Path
    library: Path

    @classmethod
    def make(cls, folder: Path) -> Clock:
        """Needs a C compiler. Raises ``NotHere``."""
        clock = cls(folder / "clock", folder / "clock.so")
        _command("cc", "-shared", "-fPIC", "-O1", "-o", str(clock.library), str(_SOURCE), "-ldl")
        clock.file.write_bytes(_CLOCK.pack(0))
        return clock

    def place(self, _: str) -> Place:
        return Place(environment={"LD_PRELOAD": str(self.library), "CHAOS_CLOCK": str(self.file)})

    def remove(self) -> None:
        """Nothing: what it made is in a folder that goes."""

    def jump(self, ahead: int) -> None:
        """From now on it is ``ahead`` seconds fast."""
        with self.file.open("r+b") as file:
            file.write(_CLOCK.pack(ahead))


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk of 256 KiB."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Disk:
        """Needs the right to mount. Raises ``NotHere``."""
        folder.mkdir()
        _command("mount", "-t", "tmpfs", "-o", _DISK, "tmpfs", str(folder))
        return cls(folder)

    def place(self, _: str) -> Place:
        return Place(environment={"FIREBREAK_RUNTIME_DIR": str(self.folder / "runtime")})

    def fill(self) -> None:
        """Until nothing more goes onto it."""
        with (self.folder / "filling").open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(_PIECE))

    def make_room(self) -> None:
        (self.folder / "filling").unlink(missing_ok=True)

    def remove(self) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=False)


@dataclass(frozen=True, slots=True)
class Link:
    """A network namespace that reaches the brokers over one link, and nothing else."""

    name: str
    outside: str
    inside: str

    @classmethod
    def make(cls) -> Link:
        """Needs the right to change networks. Raises ``NotHere``."""
        number = os.getpid() % 250 + 2
        link = cls(f"firebreak{number}", f"10.231.{number}.1", f"10.231.{number}.2")
        far = f"{link._near}p"
        _command("ip", "netns", "add", link.name)
        try:
            _command("ip", "link", "add", link._near, "type", "veth", "peer", "name", far)
            _command("ip", "link", "set", far, "netns", link.name)
            _command("ip", "addr", "add", f"{link.outside}/30", "dev", link._near)
            _command("ip", "link", "set", link._near, "up")
            for words in (
                ("addr", "add", f"{link.inside}/30", "dev", far),
                ("link", "set", far, "up"),
                ("link", "set", "lo", "up"),
            ):
                _command("ip", "-n", link.name, *words)
        except NotHere:
            link.remove()
            raise
        return link

    def place(self, bootstrap: str) -> Place:
        """In there; the brokers at ``bootstrap`` are at the link's end."""
        servers = ",".join(map(self._linked, bootstrap.split(",")))
        return Place(
            prefix=("ip", "netns", "exec", self.name),
            environment={"FIREBREAK_BOOTSTRAP_SERVERS": servers},
            host=self.inside,
        )

    @property
    def _near(self) -> str:
        return f"fb{self.name[len('firebreak') :]}"

    def properties(self, node: Node) -> Mapping[str, str]:
        """A broker's, so that it listens at the end of the link too."""
        return {
            "listeners": (
                f"CLIENTS://{node.clients_address},LINKED://{self._linked(node.clients_address)},"
                f"BROKERS://{node.brokers_address},CONTROLLERS://{node.controllers_address}"
            ),
            "listener.security.protocol.map": (
                "CLIENTS:PLAINTEXT,LINKED:PLAINTEXT,BROKERS:PLAINTEXT,CONTROLLERS:PLAINTEXT"
            ),
        }

    def _linked(self, address: str) -> str:
        """Of the broker whose clients' address this is. A broker's ports must differ."""
        _, _, port = address.rpartition(":")
        return f"{self.outside}:{int(port) + 1}"

    def cut(self) -> None:
        _command("ip", "link", "set", self._near, "down")

    def mend(self) -> None:
        _command("ip", "link", "set", self._near, "up")

    def remove(self) -> None:
        for words in (("link", "del", self._near), ("netns", "del", self.name)):
            subprocess.run(["ip", *words], check=False, stderr=subprocess.DEVNULL)


Surroundings = Clock | Disk | Link
